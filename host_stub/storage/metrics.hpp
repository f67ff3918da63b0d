// What a storage service counts of its work, for rosey.monitoring.storage.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "host_stub/storage/histogram.hpp"
#include "host_stub/storage/request.hpp"
#include "host_stub/storage/session.hpp"

namespace rosey::storage {

json::object to_json(const distribution& told);

// Any thread. Bounded: nothing that a request says becomes a key.
class metrics {
 public:
  metrics();

  void arrived() noexcept { ++requests_; }
  // Counts its operations; a batch, and a migration, beside them.
  void decoded(const request& asked) noexcept;
  // Any answer; counts the code of a refusal.
  void answered(std::string_view answer) noexcept;
  // From a request's arrival to its answer.
  void took(access mode, std::chrono::steady_clock::duration time) noexcept;

  std::uint64_t requests() const noexcept { return requests_; }

  // Without what the queues and the writer know.
  json::object report() const;

 private:
  using counter = std::atomic<std::uint64_t>;
  static constexpr std::size_t kinds = std::size(db::operation_names);

  const std::string node_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  counter requests_{0};
  std::array<counter, kinds> operations_{};
  counter batches_{0};
  counter migrations_{0};
  std::array<counter, std::size(db::codes::all)> errors_{};
  histogram read_latency_;   // microseconds
  histogram write_latency_;  // microseconds
};

}  // namespace rosey::storage
