// Distributions: how far a told number may be from the real one, and that none is lost.
#include "host_stub/storage/histogram.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <thread>
#include <vector>

namespace rosey::storage {
namespace {

TEST(histogram, of_nothing_is_zero) {
  const distribution told = histogram().summary();
  EXPECT_EQ(told.count, 0U);
  EXPECT_EQ(told.p50, 0U);
  EXPECT_EQ(told.p99, 0U);
  EXPECT_EQ(told.max, 0U);
}

TEST(histogram, small_numbers_are_exact) {
  histogram counted;
  for (std::uint64_t number = 1; number <= 10; ++number) counted.add(number);
  const distribution told = counted.summary();
  EXPECT_EQ(told.count, 10U);
  EXPECT_EQ(told.p50, 5U);
  EXPECT_EQ(told.p90, 9U);
  EXPECT_EQ(told.p99, 10U);
  EXPECT_EQ(told.max, 10U);
}

TEST(histogram, large_numbers_are_at_most_an_eighth_too_high) {
  for (std::uint64_t number = 1; number < std::numeric_limits<std::uint64_t>::max() / 3;
       number = number * 3 + 1) {
    histogram counted;
    for (int i = 0; i < 9; ++i) counted.add(number);
    counted.add(std::numeric_limits<std::uint64_t>::max());
    const distribution told = counted.summary();
    EXPECT_GE(told.p50, number);
    EXPECT_LE(told.p50, number + number / 8) << number;
    EXPECT_EQ(told.p90, told.p50);
    EXPECT_EQ(told.p99, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(told.max, std::numeric_limits<std::uint64_t>::max());
  }
}

TEST(histogram, a_quantile_is_never_beyond_the_maximum) {
  histogram counted;
  counted.add(1000);
  EXPECT_EQ(counted.summary().p50, 1000U);
  EXPECT_EQ(counted.summary().p99, 1000U);
}

TEST(histogram, counts_from_all_threads) {
  histogram counted;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 1; thread <= 4; ++thread) {
    threads.emplace_back([&counted, thread] {
      for (std::uint64_t i = 0; i < 1000; ++i) counted.add(thread * 1000 + i);
    });
  }
  for (auto& each : threads) each.join();
  EXPECT_EQ(counted.summary().count, 4000U);
  EXPECT_EQ(counted.summary().max, 4999U);
}

}  // namespace
}  // namespace rosey::storage
