#include "bench/load.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

namespace rosey::bench {
namespace {

constexpr std::chrono::seconds most_silence{60};

// What a refusal says, or the whole of what is none.
std::string code_of(std::string_view payload) {
  constexpr std::string_view key = R"("code":")";
  const auto begin = payload.find(key);
  if (begin == payload.npos) return payload.empty() ? "no_responders" : std::string(payload);
  const auto text = payload.substr(begin + key.size());
  return std::string(text.substr(0, text.find('"')));
}

}  // namespace

void wait(seconds time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable().wait_for(lock, time, [] { return false; });
}

load::load(const std::string& nats_url, std::string name, source next)
    : inbox_("bench." + name),
      next_(std::move(next)),
      bus_({.url = nats_url, .name = "bench " + name}) {
  const char* const inbox = inbox_.c_str();
  auto opened = bus_.subscribe_to_bursts({&inbox, 1}, "bench",
                                         [this](const std::vector<host::inbound_message>& replies) {
                                           for (const host::inbound_message& reply : replies)
                                             on(reply);
                                         });
  if (!opened) throw std::runtime_error(opened.error().message);
  answers_ = std::move(*opened);
}

void load::start(int in_flight) {
  std::vector<request> first;
  for (int i = 0; i < in_flight; ++i) {
    if (auto next = next_()) first.push_back(std::move(*next));
  }
  {
    const std::lock_guard lock(mutex_);
    under_way_ = static_cast<int>(first.size());
  }
  // From here on the source is the delivery thread's.
  for (const request& each : first) {
    if (const auto sent = bus_.publish(each.subject, each.payload, inbox_); !sent) {
      throw std::runtime_error(sent.error().message);
    }
  }
}

void load::stop() {
  stopping_ = true;
  settle();
}

void load::finish() {
  settle();
}

void load::settle() {
  std::unique_lock lock(mutex_);
  if (!idle_.wait_for(lock, most_silence, [this] { return under_way_ == 0; })) {
    throw std::runtime_error(std::to_string(under_way_) + " requests to " + inbox_ +
                             " were not answered");
  }
  lock.unlock();
  answers_.reset();
}

void load::expect_no_refusals() const {
  if (refusals_.empty()) return;
  const auto& [code, times] = *refusals_.begin();
  throw std::runtime_error(std::to_string(times) + " requests were refused: " + code);
}

// False if there is nothing to send.
bool load::send() {
  if (stopping_) return false;
  const auto next = next_();
  if (!next) return false;
  const auto sent = bus_.publish(next->subject, next->payload, inbox_);
  if (!sent) ++refusals_[sent.error().message];
  return sent.has_value();
}

void load::on(const host::inbound_message& reply) {
  if (reply.payload().find(R"("success":true)") == std::string_view::npos) {
    ++refusals_[code_of(reply.payload())];
  } else {
    ++answered_;
  }
  if (send()) return;
  const std::lock_guard lock(mutex_);
  --under_way_;
  idle_.notify_one();
}

}  // namespace rosey::bench
