// The queue between those who ask and the threads that work.
#include "host_stub/storage/bounded_queue.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <thread>

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
  bounded_queue<int> queue(10);
  std::latch all_have_one(3);
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      EXPECT_EQ(queue.take(1).size(), 1U);
      all_have_one.arrive_and_wait();  // as one that works on it
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(10));  // most likely all wait by now
  queue.push_all({1, 2, 3});
  for (std::thread& each : workers) each.join();
}

}  // namespace
}  // namespace rosey::storage
