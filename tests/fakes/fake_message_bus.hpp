// A NATS server and its clients inside one test, on one io_context: subjects, wildcards, queue
// groups and requests as in NATS, and the real storage service behind db.*.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host_stub/storage/service.hpp"
#include "rosey/sdk/message_bus.hpp"
#include "rosey/wire/storage_decode.hpp"

namespace rosey::fakes {

// "playlist.*", "playlist.>" and literal subjects.
inline bool matches(std::string_view pattern, std::string_view subject) {
  for (;;) {
    if (pattern == ">") return !subject.empty();
    const auto pattern_end = std::min(pattern.find('.'), pattern.size());
    const auto subject_end = std::min(subject.find('.'), subject.size());
    const std::string_view token = pattern.substr(0, pattern_end);
    if (token != "*" && token != subject.substr(0, subject_end)) return false;
    const bool pattern_over = pattern_end == pattern.size();
    const bool subject_over = subject_end == subject.size();
    if (pattern_over || subject_over) return pattern_over && subject_over;
    pattern.remove_prefix(pattern_end + 1);
    subject.remove_prefix(subject_end + 1);
  }
}

// How storage behaves towards the requests of the plugins.
enum class storage_mode {
  serving,
  absent,      // nobody listens
  silent,      // takes the request, does nothing, and the wait for the answer times out
  forgetful,   // does what is asked, and the answer is lost
  stuttering,  // does what is asked, and the answer is lost; a second copy is answered
  refusing,    // answers DATABASE_ERROR
  unreadable,  // answers with something else than JSON
  stalled,     // takes the request and does nothing until expire() lets it time out
};

class fake_message_bus;

class fake_server {
 public:
  using handler = sdk::message_bus::message_handler;

  fake_server(boost::asio::io_context& io, storage::service& storage)
      : io_(io), storage_(storage) {}

  storage_mode storage = storage_mode::serving;
  std::deque<std::string> refusals;   // codes with which the next requests to storage are refused
  bool duplicate_deliveries = false;  // of messages without a queue group
  bool tolerate_no_responders = false;
  std::size_t max_payload = 1024 * 1024;     // bytes of one message
  const fake_message_bus* chosen = nullptr;  // who takes what a queue group shares; null: in turn
  const fake_message_bus* deaf = nullptr;    // hears no event, as while it is not connected

  // Sees each storage request before it is carried out.
  std::function<void(const std::string& subject, const std::string& payload)> before_storage;
  std::vector<std::string> storage_subjects;  // asked so far

  std::uint64_t subscribe(std::string_view subject, std::string_view group, handler handle,
                          const fake_message_bus* owner = nullptr) {
    subscriptions_.push_back({++last_id_, std::string(subject), std::string(group),
                              std::make_shared<handler>(std::move(handle)), owner});
    return last_id_;
  }

  void unsubscribe(std::uint64_t id) {
    subscriptions_.remove_if([id](const subscription& each) { return each.id == id; });
  }

  // Gives the message to all who listen, and to one of each queue group in turn. False: to nobody.
  bool deliver(const sdk::message& message) {
    std::vector<const subscription*> receivers;
    std::map<std::string, std::vector<const subscription*>> groups;
    for (const subscription& each : subscriptions_) {
      if (!matches(each.subject, message.subject)) continue;
      if (each.group.empty()) {
        const bool is_event = message.subject.starts_with("playlist.");
        if (deaf && each.owner == deaf && is_event) continue;
        receivers.push_back(&each);
        if (duplicate_deliveries) receivers.push_back(&each);
      } else {
        groups[each.group].push_back(&each);
      }
    }
    for (const auto& [name, members] : groups) {
      const auto preferred = std::find_if(
          members.begin(), members.end(),
          [this](const subscription* each) { return chosen && each->owner == chosen; });
      receivers.push_back(preferred != members.end() ? *preferred
                                                     : members[++turn_ % members.size()]);
    }
    for (const subscription* each : receivers) hand_over(*each, message);
    return !receivers.empty();
  }

  // What somebody listens on.
  std::vector<std::string> subjects() const {
    std::vector<std::string> all;
    for (const subscription& each : subscriptions_) all.push_back(each.subject);
    return all;
  }

  // The requests that storage took while it was stalled.
  std::size_t stalled() const { return stalled_.size(); }
  void expire() {
    for (const completion& done : std::exchange(stalled_, {})) {
      finish(done, sdk::bus_errc::timed_out, {});
    }
  }

  // Whether storage still works on something.
  bool busy() const { return storage_requests_ > 0; }

  using completion = std::function<void(boost::system::error_code, std::string)>;

  void request_storage(const std::string& subject, std::string payload, bool sent_again,
                       completion done) {
    storage_subjects.push_back(subject);
    if (before_storage) before_storage(subject, payload);
    if (!refusals.empty()) {
      const error refused{refusals.front(), "not now"};
      refusals.pop_front();
      return finish(done, {}, wire::db::encode(wire::db::failure(refused)));
    }
    switch (storage) {
      case storage_mode::absent:
        return finish(done, sdk::bus_errc::no_responders, {});
      case storage_mode::silent:
        return finish(done, sdk::bus_errc::timed_out, {});
      case storage_mode::stalled:
        stalled_.push_back(std::move(done));
        return;
      case storage_mode::unreadable:
        return finish(done, {}, "not JSON");
      case storage_mode::refusing:
        return finish(
            done, {},
            R"({"success":false,"error":{"code":"DATABASE_ERROR","message":"disk full"}})");
      case storage_mode::stuttering:
        if (sent_again) serve(subject, payload, true, {});
        break;
      case storage_mode::forgetful:
      case storage_mode::serving:
        break;
    }
    serve(subject, std::move(payload), storage == storage_mode::forgetful, std::move(done));
  }

  void serve(const std::string& subject, std::string payload, bool lost, completion done) {
    ++storage_requests_;
    auto work = boost::asio::make_work_guard(io_);
    storage_.handle(subject, std::move(payload), [this, work, done, lost](std::string answer) {
      boost::asio::post(io_, [this, done, lost, answer = std::move(answer)] {
        --storage_requests_;
        if (lost && done) return done(sdk::bus_errc::timed_out, {});
        if (lost) return;
        if (answer.size() > max_payload) {
          ADD_FAILURE() << "storage answers with more than one message carries";
        }
        done({}, answer);
      });
    });
  }

  // Asks storage directly, past all modes.
  std::string ask_storage(const std::string& subject, std::string payload) {
    std::promise<std::string> answer;
    storage_.handle(subject, std::move(payload),
                    [&answer](std::string text) { answer.set_value(std::move(text)); });
    return answer.get_future().get();
  }

  boost::asio::io_context& io() { return io_; }

 private:
  struct subscription {
    std::uint64_t id;
    std::string subject;
    std::string group;
    std::shared_ptr<handler> handle;
    const fake_message_bus* owner;
  };

  void hand_over(const subscription& to, const sdk::message& message) {
    boost::asio::post(io_, [weak = std::weak_ptr<handler>(to.handle), message] {
      if (const auto handle = weak.lock()) (*handle)(message);
    });
  }

  void finish(const completion& done, boost::system::error_code failure, std::string answer) {
    boost::asio::post(io_, [done, failure, answer = std::move(answer)] { done(failure, answer); });
  }

  boost::asio::io_context& io_;
  storage::service& storage_;
  std::list<subscription> subscriptions_;
  std::uint64_t last_id_ = 0;
  std::size_t turn_ = 0;
  std::size_t storage_requests_ = 0;
  std::vector<completion> stalled_;
};

// One client's connection. What it subscribed to ends with it.
class fake_message_bus final : public sdk::message_bus {
 public:
  explicit fake_message_bus(fake_server& server) : server_(server) {}
  ~fake_message_bus() override {
    for (const std::uint64_t id : subscribed_) server_.unsubscribe(id);
  }

  bool disconnected = false;  // nothing can be published

  void publish(std::string_view subject, std::string_view payload) override {
    auto problem = sdk::problem_with(subject, payload.size(), max_payload());
    if (disconnected) problem = make_error_code(sdk::bus_errc::disconnected);
    if (problem) throw boost::system::system_error(problem, std::string(subject));
    server_.deliver({std::string(subject), "", std::string(payload)});
  }

  std::size_t max_payload() const override { return server_.max_payload; }

  subscription_id subscribe(std::string_view subject, std::string_view queue_group,
                            message_handler handler) override {
    subscribed_.push_back(server_.subscribe(subject, queue_group, std::move(handler), this));
    return subscribed_.back();
  }

  void unsubscribe(subscription_id id) override { server_.unsubscribe(id); }

 private:
  struct pending {
    std::unique_ptr<reply_handler> handler;
    subscription_id inbox = 0;
  };

  // Timeouts are the server's to declare: a test never waits for one.
  void start_request(std::string subject, std::string payload, sdk::request_patience patience,
                     std::unique_ptr<reply_handler> handler) override {
    const std::uint64_t token = ++last_token_;
    pending& request = requests_[token];
    request.handler = std::move(handler);
    std::weak_ptr<int> alive = alive_;
    const auto done = [this, token, alive](boost::system::error_code failure, std::string answer) {
      if (!alive.expired()) complete(token, failure, std::move(answer));
    };
    if (const auto problem = sdk::problem_with(subject, payload.size(), max_payload())) {
      boost::asio::post(server_.io(), [done, problem] { done(problem, {}); });
      return;
    }
    if (subject.starts_with("db.")) {
      return server_.request_storage(subject, std::move(payload), !patience.again_on.empty(), done);
    }
    const std::string inbox = "_INBOX." + std::to_string(reinterpret_cast<std::uintptr_t>(this)) +
                              "." + std::to_string(token);
    request.inbox = server_.subscribe(
        inbox, "", [done](const sdk::message& answer) { done({}, answer.payload); });
    if (server_.deliver({subject, inbox, std::move(payload)})) return;
    if (!server_.tolerate_no_responders) {
      ADD_FAILURE() << "nobody serves requests on " << subject;
    }
    boost::asio::post(server_.io(), [done] { done(sdk::bus_errc::no_responders, {}); });
  }

  void cancel_request(reply_handler* handler) override {
    for (const auto& [token, request] : requests_) {
      if (request.handler.get() != handler) continue;
      boost::asio::post(server_.io(), [this, alive = std::weak_ptr<int>(alive_), waiting = token] {
        if (!alive.expired()) complete(waiting, boost::asio::error::operation_aborted, {});
      });
      return;
    }
  }

  void complete(std::uint64_t token, boost::system::error_code failure, std::string answer) {
    auto request = requests_.extract(token);
    if (request.empty()) return;
    if (request.mapped().inbox != 0) server_.unsubscribe(request.mapped().inbox);
    request.mapped().handler->complete(failure, std::move(answer));
  }

  fake_server& server_;
  std::vector<std::uint64_t> subscribed_;
  std::map<std::uint64_t, pending> requests_;
  std::uint64_t last_token_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace rosey::fakes
