// Where the playlist takes its time from, so that tests can hold and turn it.
#pragma once

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

namespace rosey::playlist {

class clock {
 public:
  virtual ~clock() = default;

  // Milliseconds since 1970, UTC.
  virtual std::int64_t now() const = 0;

  // Makes the timer expire when it is `at`, or earlier: who waits looks at now() again.
  virtual void arm(const std::shared_ptr<boost::asio::steady_timer>& timer, std::int64_t at) = 0;
};

class wall_clock final : public clock {
 public:
  std::int64_t now() const override {
    namespace chrono = std::chrono;
    const auto since = chrono::system_clock::now().time_since_epoch();
    return chrono::duration_cast<chrono::milliseconds>(since).count();
  }

  void arm(const std::shared_ptr<boost::asio::steady_timer>& timer, std::int64_t at) override {
    const std::int64_t left = std::clamp<std::int64_t>(at - now(), 0, longest_wait);
    timer->expires_after(std::chrono::milliseconds(left));
  }

 private:
  // Timers run on another clock than the wall's, which operators and NTP may set.
  static constexpr std::int64_t longest_wait = 30'000;
};

}  // namespace rosey::playlist
