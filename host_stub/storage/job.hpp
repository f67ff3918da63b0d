// A request that waits for a thread, with what it takes to answer it exactly once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "host_stub/storage/request.hpp"
#include "host_stub/storage/run.hpp"
#include "host_stub/storage/service.hpp"

namespace rosey::storage {

using clock_function = std::function<std::chrono::system_clock::time_point()>;
using log_function = std::function<void(std::string)>;

struct job {
  std::string plugin;
  data_request request;
  reply_function reply;
  std::chrono::steady_clock::time_point arrived = std::chrono::steady_clock::now();

  // Whoever asked has given up long ago.
  bool outdated(std::chrono::milliseconds longest_wait) const {
    return std::chrono::steady_clock::now() - arrived > longest_wait;
  }
};

inline std::string encode_busy(std::string why) {
  return db::encode(db::failure(error{db::codes::busy, std::move(why)}));
}

inline constexpr char waited_too_long[] = "The request has waited too long, and nothing was done";

inline std::int64_t milliseconds_since_1970(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace rosey::storage
