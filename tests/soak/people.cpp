#include "soak/people.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iterator>
#include <utility>

namespace rosey::tests {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto attempt_timeout = 200ms;

struct habit {
  const char* verb;        // as people type it
  const char* service;     // its name for programs; null: there is none that does the same
  unsigned mixed, adding;  // how often, in each mood
};
constexpr habit habits[] = {{"add", "add_item", 46, 270},
                            {"remove", nullptr, 10, 0},
                            {"skip", "skip", 10, 4},
                            {"voteskip", "vote_skip", 6, 0},
                            {"clear", "clear", 1, 1},
                            {"shuffle", "shuffle", 4, 0},
                            {"move", nullptr, 5, 2},
                            {"queue", "get_queue", 6, 10},
                            {"history", "get_history", 4, 4},
                            {"nowplaying", "get_current", 4, 4},
                            {"mystats", "get_user_stats", 4, 4}};

const habit& choose_habit(std::mt19937& random, unsigned habit::*how_often) {
  unsigned total = 0;
  for (const habit& each : habits) total += each.*how_often;
  unsigned left = static_cast<unsigned>(random()) % total;
  for (const habit& each : habits) {
    if (left < each.*how_often) return each;
    left -= each.*how_often;
  }
  return habits[0];
}

// A YouTube id that no other number has.
std::string media_id(unsigned number) {
  char text[16];
  std::snprintf(text, sizeof text, "soak%07u", number);
  return text;
}

}  // namespace

struct people::person {
  person(const std::string& url, int its_number, unsigned seed)
      : client(url),
        number(its_number),
        name("person-" + std::to_string(its_number)),
        random(seed) {}

  soak_client client;
  const int number;
  const std::string name;
  std::mt19937 random;  // NOLINT: the same in every run
  unsigned sent = 0;
  std::atomic<steady::time_point> served =
      steady::time_point::min();  // begin of what was answered last
  std::thread thread;
};

people::people(const std::string& nats_url, int clients, int channels, unsigned seed,
               mood everybodys)
    : channels_(channels), seed_(seed), mood_(everybodys) {
  for (int number = 0; number < clients; ++number) {
    everybody_.push_back(
        std::make_unique<person>(nats_url, number, seed + 1000u * static_cast<unsigned>(number)));
  }
  for (const auto& each : everybody_) {
    each->thread = std::thread([this, self = each.get()] { live(*self); });
  }
}

people::~people() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    running_ = false;
  }
  changed_.notify_all();
  for (const auto& each : everybody_) each->thread.join();
}

void people::resume() {
  const std::lock_guard lock(mutex_);
  running_ = true;
  changed_.notify_all();
}

void people::pause() {
  std::unique_lock lock(mutex_);
  running_ = false;
  changed_.wait(lock, [this] { return idle_ == static_cast<int>(everybody_.size()); });
}

bool people::served_since(steady::time_point moment) const {
  for (const auto& each : everybody_) {
    if (each->served.load() <= moment) return false;
  }
  return true;
}

std::string people::strange() const {
  const std::lock_guard lock(mutex_);
  return strange_;
}

void people::live(person& self) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return running_ || ending_; });
    --idle_;
    if (ending_) return;
    while (running_) {
      lock.unlock();
      command(self);
      lock.lock();
    }
  }
}

void people::command(person& self) {
  const habit& chosen =
      choose_habit(self.random, mood_ == mood::mixed ? &habit::mixed : &habit::adding);
  const bool as_service = chosen.service && self.random() % 3 == 0;
  const std::string verb = chosen.verb;
  answered_command done{
      .verb = chosen.verb,
      .channel = "#soak-" + std::to_string(self.random() % static_cast<unsigned>(channels_)),
      .user = self.name,
      .media = {},
      .answer = {}};
  json::object request{{"channel", done.channel},
                       {"user", done.user},
                       {"id", std::to_string(seed_) + "-" + std::to_string(self.number) + "-" +
                                  std::to_string(self.sent++)}};
  if (as_service) {
    request["is_admin"] = true;
  } else {
    request["role"] = "admin";
    request["args"] = "";
  }
  if (verb == "add") {
    done.media = media_id(next_media_++);
    request[as_service ? "url" : "args"] = "yt:" + done.media;
  } else if (verb == "move") {
    request["args"] = "1 start";
  }
  const std::string subject = as_service ? std::string("service.playlist.") + chosen.service
                                         : "rosey.command.playlist." + verb;
  const auto began = steady::now();
  ++commands_;
  auto got = answer(self, subject, std::move(request));
  if (got) {
    self.served = began;
    done.answer = std::move(*got);
  }
  model_.note(done);
}

// With the same id until the answer says what became of it.
std::optional<json::object> people::answer(person& self, const std::string& subject,
                                           json::object request) {
  const auto deadline = steady::now() + patience_of_a_person;
  std::string last = "nothing";
  for (std::int64_t attempt = 1; steady::now() < deadline; ++attempt) {
    if (attempt > 1) {
      ++repeated_;
      request["attempt"] = std::min<std::int64_t>(attempt, 1000);
    }
    const auto text = self.client.request(subject, json::serialize(request), attempt_timeout);
    if (!text) continue;
    last = *text;
    boost::system::error_code failure;
    json::value parsed = json::parse(*text, failure);
    const json::object* object = parsed.if_object();
    const json::value* success = object ? object->if_contains("success") : nullptr;
    const json::value* code = object ? object->if_contains("code") : nullptr;
    if (failure || !success || (code && (*code == "internal" || *code == "bad_request"))) {
      const std::lock_guard lock(mutex_);
      strange_ += subject + " " + json::serialize(request) + " was answered with " + *text + "\n";
      if (failure || !success) continue;
    }
    if (code && (*code == "busy" || *code == "storage_unavailable")) {
      std::this_thread::sleep_for(10ms);
      continue;
    }
    return parsed.as_object();
  }
  ++gave_up_;
  const std::lock_guard lock(mutex_);
  strange_ += subject + " " + json::serialize(request) + " was given up; the last answer was " +
              last + "\n";
  return std::nullopt;
}

}  // namespace rosey::tests
