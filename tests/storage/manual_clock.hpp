// Time that passes only when told to.
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
  void advance(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
  }

 private:
  mutable std::mutex mutex_;
  std::chrono::system_clock::time_point now_{std::chrono::seconds(1'700'000'000)};
};

}  // namespace rosey::storage
