// Time that passes only when a test lets it, and a wall clock that can be set.
#pragma once

#include <chrono>
#include <mutex>

namespace rosey::storage {

// Any thread.
class manual_clock {
 public:
  std::chrono::system_clock::time_point now() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  std::chrono::steady_clock::time_point steady() const {
    const std::lock_guard lock(mutex_);
    return steady_;
  }
  // Time passes.
  void advance(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
    steady_ += by;
  }
  // The wall clock is set forward or back.
  void step(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
  }

 private:
  mutable std::mutex mutex_;
  std::chrono::system_clock::time_point now_{std::chrono::seconds(1'700'000'000)};
  std::chrono::steady_clock::time_point steady_{std::chrono::seconds(1000)};
};

}  // namespace rosey::storage
