// What waits to be written to a NATS connection, so that nobody who publishes waits for a socket.
#pragma once

#include <nats/nats.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "host_stub/bus/subscription.hpp"

namespace rosey::host {

// libnats writes on the thread that publishes, and while it connects anew it holds the lock that
// publishing needs: a server that accepts and stays silent would hold up every thread that speaks.
// Here a thread of its own does both kinds of waiting. Thread-safe.
//
// All that waits is written at once, and what is added meanwhile is the next batch: a storm of
// small messages costs a few writes, and at rest none waits. What was written but had not arrived
// when a connection broke is lost; what libnats did not take is sent on the next one.
//
// An external event loop (natsOptions_SetEventLoop) would write without waiting, too, but not with
// libnats 3.4.1: it keeps what its parser has begun across a reconnect, and glues half a message to
// the next connection's bytes; and its handshake then reads without a deadline, holding the lock.
// Both are there up to 3.13.0; the first was mended on its main branch in August 2026.
class outbox {
 public:
  struct message {
    std::string subject;
    std::string reply;  // "" for none
    std::string payload;
    std::optional<inbound_message> whole = {};  // sent as it came, instead of the three above
  };

  // Called on the outbox's thread with the subject of a message that libnats did not take.
  using failure_handler = std::function<void(natsStatus, const std::string& subject)>;

  // `most_bytes` may wait.
  outbox(std::size_t most_bytes, failure_handler on_failure);
  ~outbox() { close(); }
  outbox(const outbox&) = delete;
  outbox& operator=(const outbox&) = delete;

  // Begins to write to `connection`, which must outlive this.
  void open(natsConnection* connection);

  // While the connection is away, what is added waits.
  void set_connected(bool connected);

  // In the order of the calls. False if too much waits. Does not block.
  bool add(message next);

  // Writes what still waits, for `patience` at most and if there is a connection. A write that is
  // under way ends first. From then on nothing is taken.
  void close();

  // Waits until all that was added has been handed to libnats. False if that takes longer.
  bool wait_until_empty(std::chrono::milliseconds timeout);

  // Waits until the server has taken what was handed to libnats. All flushes of the connection go
  // through here, one at a time: in libnats (3.4.1 to 3.13.0) two of them may share one record, and
  // the one whose time is over first takes it away from the other, which then waits in vain.
  natsStatus flush(std::chrono::milliseconds timeout);

 private:
  static constexpr std::chrono::milliseconds patience{500};

  void run();
  natsStatus write(const message& next) const;
  // How many of `batch` libnats took; it stops at one that the broken connection refused.
  std::size_t write(const std::deque<message>& batch);

  const std::size_t most_bytes_;
  const failure_handler on_failure_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::condition_variable empty_;
  natsConnection* connection_ = nullptr;
  bool connected_ = false;
  bool ending_ = false;
  bool writing_ = false;
  std::size_t bytes_ = 0;
  std::deque<message> waiting_;
  std::mutex flushing_;
  std::thread thread_;
};

}  // namespace rosey::host
