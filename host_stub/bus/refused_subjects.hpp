// What the NATS server has not let a connection subscribe to.
#pragma once

#include <nats/nats.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace rosey::host {

// libnats hears of a refusal on its reading thread and passes it on from another: `since` waits for
// it. Thread-safe.
class refused_subjects {
 public:
  // Takes note of what the server said, if it is about a subscription:
  // Permissions Violation for Subscription to "subject"
  void note(std::string_view text);

  // How many there have been so far.
  std::size_t count() const;

  // Those that came after the first `mark`, as `count` has given it. After a flush: if the server
  // has refused any, the first of them is there.
  std::vector<std::string> since(std::size_t mark, natsConnection* connection) const;

 private:
  mutable std::mutex mutex_;  // guards what follows
  mutable std::condition_variable noted_;
  std::vector<std::string> subjects_;
};

// One sentence: "NATS does not permit WHO to subscribe to 'a', 'b'; allow it …".
std::string not_permitted(const std::vector<std::string>& subjects, std::string_view who);

}  // namespace rosey::host
