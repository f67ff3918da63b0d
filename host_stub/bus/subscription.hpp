// Subscriptions of a NATS connection: one message at a time, or in bursts; and their safe end.
#pragma once

#include <nats/nats.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace rosey::host {

// A message that libnats delivered; owns it.
class inbound_message {
 public:
  explicit inbound_message(natsMsg* message) : message_(message, &natsMsg_Destroy) {}

  std::string_view subject() const { return natsMsg_GetSubject(message_.get()); }
  // "" when the sender expects no answer.
  std::string_view reply() const {
    const char* reply = natsMsg_GetReply(message_.get());
    return reply ? std::string_view(reply) : std::string_view();
  }
  std::string_view payload() const {
    return {natsMsg_GetData(message_.get()),
            static_cast<std::size_t>(natsMsg_GetDataLength(message_.get()))};
  }
  // Not from a peer: the server says that nobody listens where the request went.
  bool no_responders() const { return natsMsg_IsNoResponders(message_.get()); }

  natsMsg* native() const { return message_.get(); }

 private:
  std::unique_ptr<natsMsg, void (*)(natsMsg*)> message_;
};

// Frees libnats' subscriptions at a moment when its reading thread cannot be inside one of them.
//
// libnats before 3.6.1 looks a subscription up for each message, lets go of its lock, and then uses
// it without a reference ("Crash processing inbound message for destroyed subscription"). Freed in
// that moment by another thread, it took the process with it. So one that has ended is kept until
// the reading thread has brought us a message that was sent after the end: by then it has left all
// messages of before behind, and it finds the ended subscription no more.
//
// Thread-safe. Not needed once Debian has libnats 3.6.1 or later.
class retired_subscriptions {
 public:
  // Takes one that has ended, and is no longer known to the connection. Does not block.
  void add(natsSubscription* ended);

  // Begins to free: `publish` sends a number to where reached() is called with it, by way of the
  // server, and must not block. Until then all are kept.
  void open(std::function<void(std::uint64_t)> publish);
  // A number has come back: those that had ended before it was sent are freed.
  void reached(std::uint64_t number);
  // Sends no more numbers.
  void stop();
  // The reading thread has ended for good: frees all, and from now on each at once.
  void close();

  // How many are kept now.
  std::size_t kept() const;

 private:
  mutable std::mutex mutex_;  // guards what follows
  std::function<void(std::uint64_t)> publish_;
  bool closed_ = false;
  std::uint64_t last_ = 0;
  std::deque<std::pair<std::uint64_t, natsSubscription*>> kept_;
};

// A subscription; ends it when destroyed, without waiting for the handler that may be running.
class subscription {
 public:
  using message_handler = std::function<void(inbound_message)>;

  subscription() = default;
  subscription(subscription&&) = default;
  subscription& operator=(subscription&& other) noexcept;
  ~subscription() { end(); }

  // False when it was never made or has been moved from.
  bool active() const { return state_ != nullptr; }

  // No new messages; those that have arrived are still handled. libnats asks the server whether
  // more are on their way: after `timeout`, when NATS does not answer, it goes on without.
  void drain(std::chrono::milliseconds timeout = std::chrono::seconds(5));
  // No more messages; cuts a drain() short. Does not need the server.
  void end();
  // After drain() or end(): ready when the handler has returned for the last time.
  std::shared_future<void> finished() const;

 private:
  friend class connection;
  struct state;
  explicit subscription(std::shared_ptr<state> shared) : state_(std::move(shared)) {}

  // Throws nothing; null and a status if libnats refuses. `queue_group` may be empty.
  static std::pair<std::shared_ptr<state>, natsStatus> open(
      natsConnection* connection, std::shared_ptr<retired_subscriptions> retired,
      const std::string& subject, const std::string& queue_group, message_handler handler,
      std::function<void()> on_finished);

  std::shared_ptr<state> state_;
};

// Several subjects whose messages come in bursts: all that wait when the handler is free again.
class burst_subscription {
 public:
  using burst_handler = std::function<void(std::vector<inbound_message>)>;

  // No new messages; waits until the handler has had those that arrived. After `drain_timeout`,
  // when NATS does not answer, it goes on without.
  ~burst_subscription();
  burst_subscription(const burst_subscription&) = delete;
  burst_subscription& operator=(const burst_subscription&) = delete;

 private:
  friend class connection;
  static constexpr std::chrono::milliseconds drain_timeout{500};

  burst_subscription(std::shared_ptr<retired_subscriptions> retired, burst_handler handler)
      : retired_(std::move(retired)), handler_(std::move(handler)) {}
  natsStatus open(natsConnection* connection, const char* subject, const char* queue_group);
  void run(natsSubscription* native) const;

  const std::shared_ptr<retired_subscriptions> retired_;
  const burst_handler handler_;
  std::vector<natsSubscription*> natives_;
  std::vector<std::thread> threads_;  // one for each
};

}  // namespace rosey::host
