// The bus as a plugin sees it: publish, subscribe, request. The host's NATS connection is behind it
// in production, a fake in unit tests.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "rosey/wire/subjects.hpp"

namespace rosey::sdk {

// Why a message was not sent, or a request had no answer.
enum class bus_errc {
  timed_out = 1,        // nobody answered in time; the request may still be carried out
  no_responders = 2,    // nobody listens on the subject
  disconnected = 3,     // there is no connection that could take it
  stopped = 4,          // the plugin is closing
  too_large = 5,        // more bytes than max_payload()
  invalid_subject = 6,  // nothing can be published on it: see wire::subjects::is_publishable()
};

inline const boost::system::error_category& bus_category() {
  class category final : public boost::system::error_category {
    const char* name() const noexcept override { return "rosey.bus"; }
    std::string message(int value) const override {
      switch (static_cast<bus_errc>(value)) {
        case bus_errc::timed_out:
          return "no answer in time";
        case bus_errc::no_responders:
          return "nobody listens on this subject";
        case bus_errc::disconnected:
          return "not connected to NATS";
        case bus_errc::stopped:
          return "the plugin is closing";
        case bus_errc::too_large:
          return "more bytes than the NATS server takes in one message";
        case bus_errc::invalid_subject:
          return "not a subject that can be published on";
      }
      return "unknown bus error";
    }
  };
  static const category instance;
  return instance;
}

inline boost::system::error_code make_error_code(bus_errc value) {
  return {static_cast<int>(value), bus_category()};
}

// What keeps a message of this size from being sent; nothing if it can be.
inline boost::system::error_code problem_with(std::string_view subject, std::size_t size,
                                              std::size_t max_payload) {
  if (!wire::subjects::is_publishable(subject)) return make_error_code(bus_errc::invalid_subject);
  if (size > max_payload) return make_error_code(bus_errc::too_large);
  return {};
}

struct message {
  std::string subject;
  std::string reply;  // "" when no answer is expected
  std::string payload;
};

// How long a request waits for its answer. A message, or the answer to it, can be lost with a
// connection: what may be done twice is sent once more, on `again_on` when `again_after` is over,
// and the first answer counts.
struct request_patience {
  // Often a time alone.
  template <class Count, class Unit>
  request_patience(std::chrono::duration<Count, Unit> most) : timeout(most) {}

  std::chrono::milliseconds timeout;
  std::chrono::milliseconds again_after{0};
  std::string again_on = {};  // "": it is not sent again
};

// All functions are called on the plugin's thread, all handlers run there, never inside the call
// that installed them.
class message_bus {
 public:
  using message_handler = std::function<void(message)>;
  using subscription_id = std::uint64_t;

  // Completion of a request; type-erased and move-only, called at most once.
  class reply_handler {
   public:
    virtual ~reply_handler() = default;
    virtual void complete(boost::system::error_code failure, std::string payload) = 0;
  };

  virtual ~message_bus() = default;

  // Throws boost::system::system_error with the bus_errc that says what is wrong: too_large,
  // invalid_subject or disconnected. Its what() also names the subject.
  virtual void publish(std::string_view subject, std::string_view payload) = 0;

  // Bytes that one message can carry, as the server says; another server, after a reconnect, may
  // say otherwise.
  virtual std::size_t max_payload() const { return 1024 * 1024; }  // NATS' default

  // Throws std::runtime_error with the host's reason. An empty group: every subscriber gets every
  // message. With a group: this plugin's work, which begins to come when start() has succeeded, and
  // which the host drains before it stops the plugin.
  virtual subscription_id subscribe(std::string_view subject, std::string_view queue_group,
                                    message_handler handler) = 0;
  virtual void unsubscribe(subscription_id id) = 0;

  // Signature void(error_code, std::string payload). Completes with a bus_errc when there is no
  // answer within the timeout. Cancellation (terminal, partial or total) abandons the wait with
  // operation_aborted; the request itself may still be carried out.
  template <class CompletionToken>
  auto async_request(std::string subject, std::string payload, request_patience patience,
                     CompletionToken&& token) {
    return boost::asio::async_initiate<CompletionToken,
                                       void(boost::system::error_code, std::string)>(
        [this](auto handler, std::string to, std::string what, request_patience most) {
          using handler_type = std::decay_t<decltype(handler)>;
          start_request(std::move(to), std::move(what), most,
                        std::make_unique<erased_handler<handler_type>>(std::move(handler), *this));
        },
        token, std::move(subject), std::move(payload), patience);
  }

 protected:
  // Takes the handler over and completes it later on the plugin's thread, never inside this call.
  virtual void start_request(std::string subject, std::string payload, request_patience patience,
                             std::unique_ptr<reply_handler> handler) = 0;

  // Completes the request of this handler with operation_aborted, if it is still waiting.
  virtual void cancel_request(reply_handler* handler) = 0;

 private:
  template <class Handler>
  class erased_handler final : public reply_handler {
   public:
    erased_handler(Handler handler, message_bus& bus) : handler_(std::move(handler)) {
      auto slot = boost::asio::get_associated_cancellation_slot(handler_);
      if (slot.is_connected()) {
        slot.assign([this, &bus](boost::asio::cancellation_type) { bus.cancel_request(this); });
      }
    }
    void complete(boost::system::error_code failure, std::string payload) override {
      auto slot = boost::asio::get_associated_cancellation_slot(handler_);
      if (slot.is_connected()) slot.clear();
      // The handler may destroy everything, this object included.
      Handler handler = std::move(handler_);
      std::move(handler)(failure, std::move(payload));
    }

   private:
    Handler handler_;
  };
};

}  // namespace rosey::sdk

template <>
struct boost::system::is_error_code_enum<rosey::sdk::bus_errc> : std::true_type {};
