// What a lost NATS connection waits for before it is tried again.
#pragma once

#include <nats/nats.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <string>

#include "host_stub/bus/nats_options.hpp"

namespace rosey::host {

// libnats holds the connection's lock while it connects and logs in, so a server that accepts and
// stays silent holds up all who use the connection; and it closes the connection for ever when one
// server has refused its login twice. So before each of its attempts one is made beside it, on a
// connection of its own: libnats tries when that one has been taken, or when there are servers that
// only it knows.
class reconnecting {
 public:
  reconnecting(nats_target target, std::string name);

  // On libnats' reconnecting thread, which does not hold the lock meanwhile. Blocks until an
  // attempt is worth while, or end(). How long libnats is to wait before it tries.
  std::chrono::milliseconds before_attempt(natsConnection* away);
  void succeeded();

  // Any thread: before_attempt() returns soon.
  void end();

 private:
  // False when it was ended meanwhile.
  bool pause(std::chrono::milliseconds time);
  std::chrono::milliseconds jittered(std::chrono::milliseconds time);
  void say(const std::string& reason);

  const nats_target target_;
  const std::string name_;
  std::mt19937 random_{std::random_device{}()};  // on the reconnecting thread only
  std::mutex mutex_;                             // guards what follows
  std::condition_variable ended_;
  bool ending_ = false;
  std::string said_;  // the last reason that was logged
};

}  // namespace rosey::host
