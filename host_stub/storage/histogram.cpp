// Buckets: each number below eight has its own; then each power of two is cut into eight.
#include "host_stub/storage/histogram.hpp"

#include <algorithm>
#include <bit>

namespace rosey::storage {

namespace {

constexpr std::uint64_t parts = 8;
constexpr int exact_bits = 3;

std::size_t bucket_of(std::uint64_t number) {
  if (number < parts) return static_cast<std::size_t>(number);
  const int octave = static_cast<int>(std::bit_width(number)) - 1 - exact_bits;
  const std::uint64_t part = (number >> octave) - parts;
  return static_cast<std::size_t>(static_cast<std::uint64_t>(octave + 1) * parts + part);
}

std::uint64_t largest_in(std::size_t bucket) {
  if (bucket < parts) return bucket;
  const auto octave = bucket / parts - 1;
  const std::uint64_t first = (parts + bucket % parts) << octave;
  return first + ((std::uint64_t{1} << octave) - 1);
}

}  // namespace

void histogram::add(std::uint64_t number) noexcept {
  buckets_[bucket_of(number)].fetch_add(1, std::memory_order_relaxed);
  std::uint64_t known = max_.load(std::memory_order_relaxed);
  while (number > known && !max_.compare_exchange_weak(known, number, std::memory_order_relaxed)) {
  }
}

distribution histogram::summary() const noexcept {
  std::array<std::uint64_t, std::tuple_size_v<decltype(buckets_)>> counts{};
  distribution told;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = buckets_[i].load(std::memory_order_relaxed);
    told.count += counts[i];
  }
  told.max = max_.load(std::memory_order_relaxed);
  const auto quantile = [&](std::uint64_t percent) {
    const std::uint64_t rank = (told.count * percent + 99) / 100;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      seen += counts[i];
      if (seen >= rank && seen > 0) return std::min(largest_in(i), told.max);
    }
    return std::uint64_t{0};
  };
  told.p50 = quantile(50);
  told.p90 = quantile(90);
  told.p99 = quantile(99);
  return told;
}

}  // namespace rosey::storage
