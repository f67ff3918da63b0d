// A NATS connection of the host: publish, request, subscribe; the one wrapper around libnats.
#pragma once

#include <nats/nats.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host_stub/bus/nats_options.hpp"
#include "host_stub/bus/outbox.hpp"
#include "host_stub/bus/refused_subjects.hpp"
#include "host_stub/bus/subscription.hpp"
#include "rosey/wire/result.hpp"

namespace rosey::host {

// Thread-safe. Connects anew by itself, for ever; pings tell it when the other side is gone.
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
    std::string url;   // one, or several with commas; may carry a token or a user
    std::string name;  // shown by the server's monitoring
    delivery mode = delivery::in_order;
    std::chrono::milliseconds timeout = std::chrono::seconds(2);  // of one attempt to connect
    nats_security security = {};
    std::chrono::seconds ping_interval = default_ping_interval;
    // Called once, on any thread, when the connection has ended for good, which only libnats
    // decides. It is useless then, and a process that lives on it should end.
    std::function<void(const std::string& why)> on_closed = {};

    nats_target target() const { return {url, security, ping_interval, timeout}; }
  };

  // Throws std::runtime_error with one sentence if none of the URLs takes us.
  explicit connection(const settings& options);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  natsConnection* native() const { return connection_.get(); }

  bool connected() const;
  // Bytes that the server carries in a message. Does not block.
  std::size_t max_payload() const;

  // Does not block: a thread of the connection's own writes, in the order of the calls, also when
  // the server is slow to take it, and once it is back when it is away. A request() or subscribe()
  // that follows may overtake it, unless flush() stands between. With `reply`, the subject on which
  // an answer is expected. Fails with code "too_large", "invalid_subject" or "unavailable".
  result<void> publish(std::string_view subject, std::string_view payload,
                       std::string_view reply = {});

  // Sends a message on to who else listens on its subject, who answers the one who sent it.
  // Does not block. Fails with code "unavailable".
  result<void> pass_on(inbound_message message);

  // Blocks. Fails with code "timeout", "no_responders" or "unavailable".
  result<std::string> request(std::string_view subject, std::string_view payload,
                              std::chrono::milliseconds timeout);

  // `on_finished`, if given, is called on the delivery thread after the handler's last return.
  result<subscription> subscribe(std::string_view subject, std::string_view queue_group,
                                 subscription::message_handler handler,
                                 std::function<void()> on_finished = {});

  // The handler runs on a thread for each subject, several at once. It saves the messages of a
  // burst a change of thread each. It must end before the connection.
  result<std::unique_ptr<burst_subscription>> subscribe_to_bursts(
      std::span<const char* const> subjects, const char* queue_group,
      burst_subscription::burst_handler handler);

  // Blocks until the server has seen everything sent so far, and everything that was subscribed.
  result<void> flush(std::chrono::milliseconds timeout);

  // How many ended subscriptions wait to be freed.
  std::size_t retired() const { return retired_->kept(); }

  // What the server did not let us subscribe to: how many so far, and after a flush(), those since.
  std::size_t refusals() const;
  std::vector<std::string> refused_since(std::size_t mark) const;

  // For the way down, once: what was published is written, if that is possible soon; who waits for
  // an answer gets none, and nothing can be sent any more.
  void close();

 private:
  struct link;

  void open_outbox();
  void free_retired();
  void make_threads(std::chrono::milliseconds timeout);

  std::shared_ptr<link> link_;  // what libnats' callbacks use; they may come late
  std::shared_ptr<retired_subscriptions> retired_;
  std::unique_ptr<natsConnection, void (*)(natsConnection*)> connection_;
  std::unique_ptr<outbox> outbox_;
  subscription markers_;  // of the retired ones
};

}  // namespace rosey::host
