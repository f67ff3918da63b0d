// Where the playlist takes its time from, so that tests can hold and turn it.
#pragma once

#include <time.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

#include "playlist_plugin/clock_time.hpp"

namespace rosey::playlist {

// Two clocks: the wall's, which is stored and shown and which operators and NTP may set, and a
// steady one, by which everything is waited for. docs/playlist.md tells what each is used for.
class clock {
 public:
  virtual ~clock() = default;

  // Milliseconds since 1970, UTC. May step forth and back.
  virtual std::int64_t now() const = 0;

  // Milliseconds since some moment; never steps, and goes on while the machine sleeps.
  virtual std::int64_t steady() const = 0;

  // Makes the timer expire when steady() is `at`, or earlier: who waits looks at the clock again.
  virtual void arm(const std::shared_ptr<boost::asio::steady_timer>& timer, std::int64_t at) = 0;

  clock_time look() const { return {now(), steady()}; }

  // What has to be added to the steady time for the wall's, as it is set at present.
  std::int64_t wall_offset() const { return now() - steady(); }
};

class machine_clock final : public clock {
 public:
  std::int64_t now() const override {
    namespace chrono = std::chrono;
    const auto since = chrono::system_clock::now().time_since_epoch();
    return chrono::duration_cast<chrono::milliseconds>(since).count();
  }

  std::int64_t steady() const override { return base_ + since_boot(); }

  void arm(const std::shared_ptr<boost::asio::steady_timer>& timer, std::int64_t at) override {
    const std::int64_t left = std::clamp<std::int64_t>(at - steady(), 0, longest_wait);
    timer->expires_after(std::chrono::milliseconds(left));
  }

 private:
  // Timers stand still while the machine sleeps.
  static constexpr std::int64_t longest_wait = 30'000;

  static std::int64_t since_boot() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
  }

  // Begins with the wall's time: so the two are alike until that is set.
  const std::int64_t base_ = now() - since_boot();
};

}  // namespace rosey::playlist
