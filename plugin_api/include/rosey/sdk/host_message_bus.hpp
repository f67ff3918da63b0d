// The message bus over the host's table: the only place in a C++ plugin that speaks to NATS.
#pragma once

#include <nats/nats.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "rosey/abi/host.h"
#include "rosey/abi/publisher.h"
#include "rosey/sdk/failures.hpp"
#include "rosey/sdk/logger.hpp"
#include "rosey/sdk/message_bus.hpp"
#include "rosey/sdk/open_requests.hpp"
#include "rosey/wire/command.hpp"

namespace rosey::sdk {

// Requests share one inbox subscription and one timer. Destroy it after the host has closed the
// plugin; handlers that still wait are destroyed without being called.
class host_message_bus final : public message_bus {
 public:
  host_message_bus(const rosey_host& host, boost::asio::any_io_executor executor, logger log)
      : host_(host),
        publisher_(publisher_of(host)),
        executor_(executor),
        log_(std::move(log)),
        requests_in_hand_([this](const std::string& reply, const std::exception_ptr& failure) {
          answer_failure(reply, failure);
        }),
        timer_(executor) {}

  // The requests that handlers of queue groups work on. Whoever spawns for them tells it.
  open_requests& requests_in_hand() { return requests_in_hand_; }

  void publish(std::string_view subject, std::string_view payload) override {
    const auto problem = send(subject, {}, payload);
    if (!problem) return requests_in_hand_.published(subject);
    const std::string size = std::to_string(payload.size());
    throw boost::system::system_error(
        problem, "cannot publish " + size + " bytes on '" + std::string(subject) + "'");
  }

  std::size_t max_payload() const override {
    if (publisher_) return static_cast<std::size_t>(publisher_->max_payload(host_.self));
    const auto told = natsConnection_GetMaxPayload(host_.nats);
    return told > 0 ? static_cast<std::size_t>(told) : message_bus::max_payload();
  }

  subscription_id subscribe(std::string_view subject, std::string_view queue_group,
                            message_handler handler) override {
    auto entry = std::make_unique<subscription>(*this, std::move(handler));
    entry->takes_requests = !queue_group.empty();
    subscription_id id = 0;
    rosey_error failure{};
    const rosey_status status = host_.subscribe(
        host_.self, {subject.data(), subject.size()}, {queue_group.data(), queue_group.size()},
        &subscription::on_message, entry.get(), &id, &failure);
    if (status != ROSEY_OK) {
      throw std::runtime_error("cannot subscribe to " + std::string(subject) + ": " + failure.text);
    }
    subscriptions_.emplace(id, std::move(entry));
    return id;
  }

  void unsubscribe(subscription_id id) override {
    const auto found = subscriptions_.find(id);
    if (found == subscriptions_.end()) return;
    found->second->id = id;
    host_.unsubscribe(host_.self, id, &subscription::on_done, found->second.get());
  }

 private:
  struct subscription {
    subscription(host_message_bus& owner, message_handler on_message)
        : bus(owner), handler(std::move(on_message)) {}

    static void on_message(void* arg, const rosey_message* incoming) noexcept {
      auto& self = *static_cast<subscription*>(arg);
      try {
        if (self.inbox) {
          self.bus.on_reply(*incoming);
        } else {
          self.handle({text(incoming->subject), text(incoming->reply), text(incoming->payload)});
        }
      } catch (const std::exception& escaped) {
        self.bus.log_.error("an exception escaped from the handler of " + text(incoming->subject) +
                            ": " + escaped.what());
      } catch (...) {
        self.bus.log_.error("an unknown exception escaped from the handler of " +
                            text(incoming->subject));
      }
    }
    static void on_done(void* arg) noexcept {
      auto& self = *static_cast<subscription*>(arg);
      self.bus.subscriptions_.erase(self.id);
    }

    // An event is nobody's to answer, whatever it carries.
    void handle(message incoming) {
      const std::string reply = takes_requests ? incoming.reply : std::string();
      bus.requests_in_hand_.handle_with(reply, [&] { handler(std::move(incoming)); });
    }

    host_message_bus& bus;
    message_handler handler;
    subscription_id id = 0;  // set when it is to go
    bool inbox = false;
    bool takes_requests = false;
  };

  using clock = std::chrono::steady_clock;
  using deadlines = std::multimap<clock::time_point, std::string>;

  struct pending_request {
    std::unique_ptr<reply_handler> handler;
    clock::time_point give_up;
    deadlines::iterator deadline = {};  // give_up, or when it is sent again
    std::string again_on = {};          // "": it is not sent again, or was
    std::string payload = {};           // of one that will be
  };

  static std::string text(rosey_string borrowed) {
    return borrowed.size == 0 ? std::string() : std::string(borrowed.data, borrowed.size);
  }

  static boost::system::error_code problem_of(natsStatus status) {
    if (status == NATS_OK) return {};
    if (status == NATS_MAX_PAYLOAD) return make_error_code(bus_errc::too_large);
    if (status == NATS_INVALID_SUBJECT) return make_error_code(bus_errc::invalid_subject);
    return make_error_code(bus_errc::disconnected);
  }

  static boost::system::error_code problem_of_publisher(rosey_status status) {
    if (status == ROSEY_OK) return {};
    if (status == ROSEY_REFUSED) return make_error_code(bus_errc::too_large);
    if (status == ROSEY_INVALID_ARGUMENT) return make_error_code(bus_errc::invalid_subject);
    return make_error_code(bus_errc::disconnected);
  }

  static const rosey_publisher* publisher_of(const rosey_host& host) {
    return static_cast<const rosey_publisher*>(
        host.get_ext ? host.get_ext(host.self, ROSEY_EXT_PUBLISHER) : nullptr);
  }

  // Through the host, which never waits; with a host of before 1.1 on the connection itself.
  boost::system::error_code send(std::string_view subject, std::string_view reply,
                                 std::string_view payload) {
    if (auto problem = problem_with(subject, payload.size(), max_payload())) return problem;
    if (publisher_) {
      return problem_of_publisher(publisher_->publish(host_.self, {subject.data(), subject.size()},
                                                      {reply.data(), reply.size()},
                                                      {payload.data(), payload.size()}, nullptr));
    }
    const std::string to(subject);
    const int size = static_cast<int>(payload.size());
    if (reply.empty()) {
      return problem_of(natsConnection_Publish(host_.nats, to.c_str(), payload.data(), size));
    }
    return problem_of(natsConnection_PublishRequest(
        host_.nats, to.c_str(), std::string(reply).c_str(), payload.data(), size));
  }

  // In the shape of a command's reply, which a service's is a part of.
  void answer_failure(const std::string& reply, const std::exception_ptr& failure) noexcept {
    try {
      const wire::command_reply said = wire::failed(reason_for_sender(failure));
      const std::string payload = boost::json::serialize(wire::to_json(said));
      const auto problem = send(reply, {}, payload);
      if (problem) log_.fault("answer", "an answer was not sent: " + problem.message());
    } catch (const std::exception& hopeless) {
      log_.error(std::string("an answer was not sent: ") + hopeless.what());
    }
  }

  void start_request(std::string subject, std::string payload, request_patience patience,
                     std::unique_ptr<reply_handler> handler) override {
    if (inbox_.empty()) open_inbox();
    const std::string token = std::to_string(++last_token_);
    const std::string reply = inbox_ + token;
    const auto problem = send(subject, reply, payload);
    const bool again = !patience.again_on.empty() && patience.again_after < patience.timeout;
    const auto now = clock::now();
    pending_request made{std::move(handler), now + patience.timeout};
    const auto deadline =
        deadlines_.emplace(now + (again ? patience.again_after : patience.timeout), token);
    made.deadline = deadline;
    if (again) {
      made.again_on = std::move(patience.again_on);
      made.payload = std::move(payload);
    }
    requests_.emplace(token, std::move(made));
    if (problem) {
      boost::asio::post(executor_, [this, token, problem] { complete(token, problem, {}); });
    } else if (deadline == deadlines_.begin()) {
      wait_for_first_deadline();
    }
  }

  void cancel_request(reply_handler* handler) override {
    for (const auto& [token, request] : requests_) {
      if (request.handler.get() != handler) continue;
      boost::asio::post(executor_, [this, waiting = token] {
        complete(waiting, boost::asio::error::operation_aborted, {});
      });
      return;
    }
  }

  void open_inbox() {
    natsInbox* made = nullptr;
    if (natsInbox_Create(&made) != NATS_OK) throw std::bad_alloc();
    const std::string prefix = std::string(made) + ".";
    natsInbox_Destroy(made);
    const subscription_id id = subscribe(prefix + "*", "", {});
    subscriptions_.at(id)->inbox = true;
    inbox_ = prefix;
  }

  void on_reply(const rosey_message& incoming) {
    std::string token = text(incoming.subject).substr(inbox_.size());
    const bool to_copy = !token.empty() && token.back() == of_copy;
    if (to_copy) token.pop_back();
    if (incoming.flags & ROSEY_MESSAGE_NO_RESPONDERS) {
      if (!to_copy) complete(token, bus_errc::no_responders, {});  // the first may be at work
    } else {
      complete(token, {}, text(incoming.payload));
    }
  }

  // An answer that comes after its deadline finds nobody, and that is all.
  void complete(const std::string& token, boost::system::error_code failure, std::string payload) {
    auto request = requests_.extract(token);
    if (request.empty()) return;
    deadlines_.erase(request.mapped().deadline);
    request.mapped().handler->complete(failure, std::move(payload));
  }

  // False if that is not wanted, or was done. A failure is that of a lost message: time tells.
  bool send_again(const std::string& token) {
    pending_request& request = requests_.at(token);
    if (request.again_on.empty()) return false;
    static_cast<void>(send(request.again_on, inbox_ + token + of_copy, request.payload));
    request.again_on.clear();
    request.payload.clear();
    deadlines_.erase(request.deadline);
    request.deadline = deadlines_.emplace(request.give_up, token);
    return true;
  }

  // The timer is left alone when a request is answered: it is armed again when it fires.
  void wait_for_first_deadline() {
    timer_.expires_at(deadlines_.begin()->first);
    timer_.async_wait([this](boost::system::error_code cancelled) {
      if (cancelled) return;
      const auto now = clock::now();
      while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const std::string token = deadlines_.begin()->second;
        if (!send_again(token)) complete(token, bus_errc::timed_out, {});
      }
      if (!deadlines_.empty()) wait_for_first_deadline();
    });
  }

  static constexpr char of_copy = 'c';  // behind the token, in the reply subject of a second copy

  const rosey_host& host_;
  const rosey_publisher* const publisher_;  // null: the host has none
  boost::asio::any_io_executor executor_;
  logger log_;
  open_requests requests_in_hand_;
  std::unordered_map<subscription_id, std::unique_ptr<subscription>> subscriptions_;
  std::string inbox_;  // "_INBOX.<unique>."; "" until the first request
  std::uint64_t last_token_ = 0;
  deadlines deadlines_;
  std::unordered_map<std::string, pending_request> requests_;
  boost::asio::steady_timer timer_;
};

}  // namespace rosey::sdk
