// The queue between those who ask and the threads that work.
#include "host_stub/storage/bounded_queue.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <thread>
#include <vector>

namespace rosey::storage {
namespace {

TEST(bounded_queue, gives_back_what_has_no_room) {
  bounded_queue<int> queue(3);
  EXPECT_EQ(queue.push_all({1, 2}), std::vector<int>());
  EXPECT_EQ(queue.push_all({3, 4, 5}), (std::vector<int>{4, 5}));
  EXPECT_EQ(queue.take(2), (std::vector<int>{1, 2}));
  EXPECT_EQ(queue.take_present(2), (std::vector<int>{3}));
  EXPECT_EQ(queue.take_present(2), std::vector<int>());
}

TEST(bounded_queue, gives_what_comes_together_to_all_who_wait) {
  constexpr int rounds = 200;  // in most of them all wait when something comes
  bounded_queue<int> queue(10);
  std::barrier all_have_one(4);
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        EXPECT_EQ(queue.take(1).size(), 1U);
        all_have_one.arrive_and_wait();  // as one that works on it
      }
    });
  }
  for (int round = 0; round < rounds; ++round) {
    queue.push_all({1, 2, 3});
    all_have_one.arrive_and_wait();
  }
  for (std::thread& each : workers) each.join();
}

}  // namespace
}  // namespace rosey::storage
