// What all sessions know of the server: one of them finds out that it is silent, and the others
// need not wait for it as well.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>

#include "host_stub/storage/session.hpp"

namespace rosey::storage {

// The server took nothing, or said nothing, within its time.
struct server_silent : sql_failure {
  explicit server_silent(const std::string& message)
      : sql_failure(sql_failure_kind::broken, message) {}
};

// Any thread.
class server_health {
 public:
  // Throws sql_failure while the server is known to be silent. Now and then one caller is let
  // through to try again.
  void admit() {
    if (!silent_) return;
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now < next_try_) {
      throw sql_failure(sql_failure_kind::broken,
                        "the server does not answer; it is asked again in a moment");
    }
    next_try_ = now + longest_try;
  }

  void answered() noexcept { silent_ = false; }

  void silent() {
    const std::lock_guard lock(mutex_);
    silent_ = true;
    next_try_ = std::chrono::steady_clock::now() + pause;
  }

 private:
  static constexpr std::chrono::milliseconds pause{500};
  static constexpr std::chrono::seconds longest_try{30};  // should nobody tell how it went

  std::atomic<bool> silent_{false};
  std::mutex mutex_;
  std::chrono::steady_clock::time_point next_try_;
};

}  // namespace rosey::storage
