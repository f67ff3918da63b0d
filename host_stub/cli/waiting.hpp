// A NATS or a database that is started later than we are.
#pragma once

#include <spdlog/spdlog.h>

#include <chrono>
#include <functional>
#include <memory>

#include "host_stub/cli/signals.hpp"
#include "host_stub/config.hpp"
#include "host_stub/storage/database.hpp"

namespace rosey::host {

inline constexpr std::chrono::seconds default_wait{30};

// Returns when the configured NATS takes us; false if the end was asked for before. Says once what
// it waits for. Throws std::runtime_error with one sentence when `patience` is over, or at once for
// what waiting does not mend: a login or a certificate that is refused.
bool wait_for_nats(const config& settings, std::chrono::seconds patience, termination& end);

// What `make` makes; none if the end was asked for before. While it throws database_unavailable it
// is called again each second, for `patience`; then that is thrown.
template <class Made>
std::unique_ptr<Made> wait_for_database(const std::function<std::unique_ptr<Made>()>& make,
                                        std::chrono::seconds patience, termination& end);

template <class Made>
std::unique_ptr<Made> wait_for_database(const std::function<std::unique_ptr<Made>()>& make,
                                        std::chrono::seconds patience, termination& end) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (bool first = true;; first = false) {
    try {
      return make();
    } catch (const storage::database_unavailable& failure) {
      if (std::chrono::steady_clock::now() >= deadline) throw;
      if (first) {
        spdlog::warn("storage: {}; waiting for it, up to {} s", failure.what(), patience.count());
      }
    }
    if (end.wait_for(std::chrono::seconds(1))) return nullptr;
  }
}

}  // namespace rosey::host
