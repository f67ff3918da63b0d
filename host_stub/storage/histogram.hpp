// A distribution of whole numbers in fixed space, counted from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace rosey::storage {

struct distribution {
  std::uint64_t count = 0;
  // The least number that so many of a hundred do not exceed, or up to an eighth more; 0 of none.
  std::uint64_t p50 = 0;
  std::uint64_t p90 = 0;
  std::uint64_t p99 = 0;
  std::uint64_t max = 0;  // exact
};

// Eight buckets for each power of two.
class histogram {
 public:
  void add(std::uint64_t number) noexcept;

  // Numbers that are added meanwhile may be counted or not.
  distribution summary() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, 496> buckets_{};
  std::atomic<std::uint64_t> max_{0};
};

}  // namespace rosey::storage
