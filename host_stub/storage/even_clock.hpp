// The time that ages what is stored: that of the wall, but without its jumps.
#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <utility>

namespace rosey::storage {

// Any thread. Never goes back. While the wall clock and the steady one agree it is the wall clock;
// after that was set it follows by going half as fast, or twice, so that what is to last ten
// seconds lasts five to twenty. Only a wall clock that is set forward by more than a day is
// believed at once: it was never set before.
class even_clock {
 public:
  using wall_function = std::function<std::chrono::system_clock::time_point()>;
  using steady_function = std::function<std::chrono::steady_clock::time_point()>;

  even_clock(wall_function wall, steady_function steady)
      : wall_(std::move(wall)), steady_(std::move(steady)), now_(wall_()), at_(steady_()) {}

  std::chrono::system_clock::time_point now() {
    const auto wall = wall_();
    const std::lock_guard lock(mutex_);
    const auto steady = steady_();
    const auto passed = std::max(steady - at_, std::chrono::steady_clock::duration::zero());
    at_ = steady;
    if (wall - now_ > passed + most_lag) return now_ = wall;
    return now_ = std::clamp(wall, now_ + passed / 2, now_ + 2 * passed);
  }

 private:
  static constexpr std::chrono::hours most_lag{24};

  const wall_function wall_;
  const steady_function steady_;
  std::mutex mutex_;
  std::chrono::system_clock::time_point now_;
  std::chrono::steady_clock::time_point at_;
};

// Goes on while the machine sleeps, as the wall clock does.
inline std::chrono::steady_clock::time_point time_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::steady_clock::time_point(std::chrono::seconds(now.tv_sec) +
                                               std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace rosey::storage
