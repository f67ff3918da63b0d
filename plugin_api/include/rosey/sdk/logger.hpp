// A line in the host's log.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "rosey/abi/host.h"

namespace rosey::sdk {

enum class log_level {
  debug = ROSEY_LOG_DEBUG,
  info = ROSEY_LOG_INFO,
  warning = ROSEY_LOG_WARNING,
  error = ROSEY_LOG_ERROR,
};

// Copyable; may be used on any thread. The text is copied by the sink before it returns.
class logger {
 public:
  using sink = std::function<void(log_level, std::string_view)>;
  using clock_function = std::function<std::chrono::steady_clock::time_point()>;

  logger() = default;
  explicit logger(sink write, clock_function clock = std::chrono::steady_clock::now)
      : write_(std::move(write)), faults_(std::make_shared<known_faults>(std::move(clock))) {}

  void debug(std::string_view text) const { write(log_level::debug, text); }
  void info(std::string_view text) const { write(log_level::info, text); }
  void warning(std::string_view text) const { write(log_level::warning, text); }
  void error(std::string_view text) const { write(log_level::error, text); }

  // A warning that many requests give at once while something is away: the first one of its kind is
  // written, then one a minute, with the number of all since. A kind is a name such as "storage".
  void fault(std::string_view kind, std::string_view text) const;

  // Tells, once, that a fault of this kind is over: it is when there was none for ten seconds. To
  // be called whenever something of this kind succeeds; costs nothing while there is no fault.
  void settled(std::string_view kind, std::string_view text) const;

 private:
  struct standing_fault {
    std::chrono::steady_clock::time_point told;
    std::chrono::steady_clock::time_point last;
    std::size_t untold = 0;
    std::size_t all = 0;
  };

  // What all copies share.
  struct known_faults {
    explicit known_faults(clock_function time) : clock(std::move(time)) {}

    const clock_function clock;
    std::atomic<bool> any{false};
    std::mutex mutex;  // for the next one
    std::map<std::string, standing_fault, std::less<>> standing;
  };

  void write(log_level level, std::string_view text) const {
    if (write_) write_(level, text);
  }

  sink write_;
  std::shared_ptr<known_faults> faults_;
};

inline void logger::fault(std::string_view kind, std::string_view text) const {
  constexpr std::chrono::minutes pause{1};
  if (!faults_) return;
  const std::lock_guard lock(faults_->mutex);
  const auto now = faults_->clock();
  faults_->any = true;
  const auto [found, is_new] = faults_->standing.try_emplace(std::string(kind));
  standing_fault& fault = found->second;
  fault.last = now;
  ++fault.all;
  if (is_new) {
    fault.told = now;
    warning(text);
    return;
  }
  ++fault.untold;
  if (now - fault.told < pause) return;
  fault.told = now;
  const std::string count = std::to_string(std::exchange(fault.untold, 0));
  warning(std::string(text) + " (the last of " + count + " since the line before of this kind)");
}

inline void logger::settled(std::string_view kind, std::string_view text) const {
  constexpr std::chrono::seconds calm{10};
  if (!faults_ || !faults_->any) return;
  const std::lock_guard lock(faults_->mutex);
  const auto found = faults_->standing.find(kind);
  if (found == faults_->standing.end() || faults_->clock() - found->second.last < calm) return;
  const std::string count = std::to_string(found->second.all);
  faults_->standing.erase(found);
  faults_->any = !faults_->standing.empty();
  info(std::string(text) + " (after " + count + " faults)");
}

}  // namespace rosey::sdk
