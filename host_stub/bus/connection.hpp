// A NATS connection of the host: publish, request, subscribe; the one wrapper around libnats.
#pragma once

#include <nats/nats.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host_stub/bus/event_loop.hpp"
#include "host_stub/bus/refused_subjects.hpp"
#include "rosey/wire/result.hpp"

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

 private:
  friend class connection;
  std::unique_ptr<natsMsg, void (*)(natsMsg*)> message_;
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

  std::shared_ptr<state> state_;
};

// Several subjects whose messages come in bursts: all that one read from the socket brought.
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

  burst_subscription(event_loop& loop, burst_handler handler);
  void hand_over() const;

  event_loop& loop_;
  const burst_handler handler_;
  std::vector<std::unique_ptr<natsSubscription, void (*)(natsSubscription*)>> natives_;
};

// Thread-safe. Reconnects by itself, for ever.
class connection {
 public:
  enum class delivery {
    // All handlers of the process run on one thread, in the order of arrival: handlers only hand
    // over. What a sender sent first is handed over first, whatever the subjects.
    in_order,
    // Each subscription has a thread: handlers may work.
    parallel,
  };

  struct settings {
    std::string url;   // may carry a token or a user: nats://token@host:port
    std::string name;  // shown by the server's monitoring
    delivery mode = delivery::in_order;
    std::chrono::milliseconds timeout = std::chrono::seconds(2);
  };

  // Throws std::runtime_error with one sentence if nobody answers at the URL.
  explicit connection(const settings& options);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  natsConnection* native() const { return connection_.get(); }

  // Fails with code "unavailable".
  // With `reply`, the subject on which an answer is expected.
  result<void> publish(std::string_view subject, std::string_view payload,
                       std::string_view reply = {});

  // What `publishing` publishes leaves together, in one write to the socket. It must not block.
  template <class Publishing>
  void publish_together(Publishing publishing) {
    const std::unique_ptr<event_loop, void (*)(event_loop*)> held(
        loop_.get(), [](event_loop* loop) { loop->release(); });
    loop_->hold();
    publishing();
  }

  // Sends a message on to whoever else listens on its subject, who answers the one who sent it.
  // Fails with code "unavailable".
  result<void> pass_on(const inbound_message& message);

  // Blocks. Fails with code "timeout", "no_responders" or "unavailable".
  result<std::string> request(std::string_view subject, std::string_view payload,
                              std::chrono::milliseconds timeout);

  // `on_finished`, if given, is called on the delivery thread after the handler's last return.
  result<subscription> subscribe(std::string_view subject, std::string_view queue_group,
                                 subscription::message_handler handler,
                                 std::function<void()> on_finished = {});

  // The handler runs on the thread that reads from the socket: nothing else comes in or goes out on
  // this connection meanwhile, so it only hands over. It saves the messages of a burst a change of
  // thread each. One at a time, which must end before the connection.
  result<std::unique_ptr<burst_subscription>> subscribe_to_bursts(
      std::span<const char* const> subjects, const char* queue_group,
      burst_subscription::burst_handler handler);

  // Blocks until the server has seen everything sent so far.
  result<void> flush(std::chrono::milliseconds timeout);

  // What the server did not let us subscribe to: how many so far, and after a flush(), those since.
  std::size_t refusals() const { return refused_->count(); }
  std::vector<std::string> refused_since(std::size_t mark) const {
    return refused_->since(mark, native());
  }

  // For the way down: whoever waits for an answer gets none, and nothing can be sent any more.
  void close();

 private:
  void make_threads(std::chrono::milliseconds timeout);

  const std::shared_ptr<refused_subjects> refused_ = std::make_shared<refused_subjects>();
  std::unique_ptr<event_loop> loop_;  // first: it is told when the connection is closed
  std::unique_ptr<natsConnection, void (*)(natsConnection*)> connection_;
};

}  // namespace rosey::host
