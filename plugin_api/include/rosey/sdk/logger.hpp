// A line in the host's log.
#pragma once

#include <functional>
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

  logger() = default;
  explicit logger(sink write) : write_(std::move(write)) {}

  void debug(std::string_view text) const { write(log_level::debug, text); }
  void info(std::string_view text) const { write(log_level::info, text); }
  void warning(std::string_view text) const { write(log_level::warning, text); }
  void error(std::string_view text) const { write(log_level::error, text); }

 private:
  void write(log_level level, std::string_view text) const {
    if (write_) write_(level, text);
  }

  sink write_;
};

}  // namespace rosey::sdk
