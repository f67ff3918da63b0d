// Requests under way, always the same number of them: each answer sends the next request.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "host_stub/bus/connection.hpp"

namespace rosey::bench {

using seconds = std::chrono::duration<double>;
using steady = std::chrono::steady_clock;

// Lets time pass, while others work.
void wait(seconds time);

struct request {
  std::string subject;
  std::string payload;
};

// On a connection of its own, and as cheaply as it can: it shares the processors with what it
// measures.
class load {
 public:
  // The next request; none when there are enough. Called by start(), then by one thread.
  using source = std::function<std::optional<request>()>;

  load(const std::string& nats_url, std::string name, source next);

  void start(int in_flight);
  // Sends no more. Waits for the last answers; throws std::runtime_error if they do not come.
  void stop();
  // Waits until the source has no more and all is answered.
  void finish();

  // With success.
  std::int64_t answered() const { return answered_; }
  // By their codes. Only when it has stopped or finished.
  const std::map<std::string, int>& refusals() const { return refusals_; }
  // Throws std::runtime_error if something was refused.
  void expect_no_refusals() const;

 private:
  bool send();
  void on(const host::inbound_message& reply);
  void settle();

  const std::string inbox_;
  const source next_;
  std::atomic<std::int64_t> answered_ = 0;
  std::atomic<bool> stopping_ = false;
  std::map<std::string, int> refusals_;  // by the delivery thread; read when it has ended
  std::mutex mutex_;                     // guards what follows
  std::condition_variable idle_;
  int under_way_ = 0;
  host::connection bus_;
  std::unique_ptr<host::burst_subscription> answers_;
};

}  // namespace rosey::bench
