// Lanes: in order within one, side by side among several, bounded, and waited for.
#include "host_stub/lanes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace rosey::host {
namespace {

TEST(Lanes, KeepTheOrderWithinOne) {
  std::vector<int> done;
  lanes work(1000);
  for (int number = 0; number < 1000; ++number) {
    EXPECT_TRUE(work.post("a", [&done, number] { done.push_back(number); }));
  }
  work.finish();
  ASSERT_EQ(done.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
}

TEST(Lanes, DoNotWaitForEachOther) {
  lanes work;
  std::promise<void> release;
  std::promise<void> other_ran;
  work.post("held up", [&] { release.get_future().wait(); });
  work.post("other", [&] { other_ran.set_value(); });
  other_ran.get_future().wait();
  release.set_value();
  work.finish();
}

TEST(Lanes, RefuseWhatIsTooMuch) {
  lanes work(2);
  std::promise<void> began;
  std::promise<void> release;
  int ran = 0;
  work.post("a", [&] {
    began.set_value();
    release.get_future().wait();
  });
  began.get_future().wait();
  EXPECT_TRUE(work.post("a", [&] { ++ran; }));
  EXPECT_TRUE(work.post("a", [&] { ++ran; }));
  EXPECT_FALSE(work.post("a", [&] { ++ran; }));
  EXPECT_TRUE(work.post("b", [] {})) << "another lane has room of its own";
  release.set_value();
  work.finish();
  EXPECT_EQ(ran, 2);
}

TEST(Lanes, DropWhatHasNotBegun) {
  lanes work;
  std::promise<void> began;
  std::promise<void> release;
  bool finished = false;
  bool dropped_ran = false;
  work.post("a", [&] {
    began.set_value();
    release.get_future().wait();
    finished = true;
  });
  began.get_future().wait();
  work.post("a", [&] { dropped_ran = true; });
  work.drop();
  release.set_value();
  work.finish();
  EXPECT_TRUE(finished);
  EXPECT_FALSE(dropped_ran);
}

TEST(Lanes, RefuseWorkWhenThereIsNoThreadForIt) {
  bool exhausted = true;
  lanes work(64, [&](lanes::work body) {
    if (exhausted) {
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    return std::thread(std::move(body));
  });
  bool ran = false;
  EXPECT_FALSE(work.post("a", [&] { ran = true; }));
  work.finish();
  EXPECT_FALSE(ran);
  exhausted = false;
  EXPECT_TRUE(work.post("a", [&] { ran = true; }));
  work.finish();
  EXPECT_TRUE(ran);
}

TEST(Lanes, GoOnAfterWorkThatThrows) {
  lanes work;
  bool ran = false;
  EXPECT_TRUE(work.post("a", [] { throw std::runtime_error("thrown from the work"); }));
  EXPECT_TRUE(work.post("a", [&] { ran = true; }));
  work.finish();
  EXPECT_TRUE(ran);
}

TEST(Lanes, WaitForWhatHasBegunWhenTheyGo) {
  std::promise<void> began;
  bool finished = false;
  {
    lanes work;
    work.post("a", [&] {
      began.set_value();
      std::this_thread::yield();
      finished = true;
    });
    began.get_future().wait();
  }
  EXPECT_TRUE(finished);
}

}  // namespace
}  // namespace rosey::host
