// The scope waits for every coroutine, whenever the stop comes.
#include "rosey/sdk/task_scope.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace rosey::sdk {
namespace {

namespace asio = boost::asio;

class TaskScope : public testing::Test {
 protected:
  asio::awaitable<void> wait_for_ever() {
    ++begun_;
    asio::steady_timer timer(context_);
    timer.expires_at(asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
  }

  asio::awaitable<void> end_at_once() {
    ++begun_;
    co_return;
  }

  asio::awaitable<void> swallow_the_cancellation() {
    try {
      co_await wait_for_ever();
    } catch (const boost::system::system_error&) {
      ++ended_;
    }
  }

  asio::awaitable<void> fail(std::string what) {
    ++begun_;
    throw std::runtime_error(what);
    co_return;
  }

  asio::awaitable<void> throw_a_number() {
    throw 7;
    co_return;
  }

  asio::awaitable<void> wait_for(asio::steady_timer* timer) {
    boost::system::error_code cancelled;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    ++ended_;
  }

  void stop() {
    scope_.stop([this] { empty_ = true; });
  }

  void run() {
    context_.restart();
    context_.poll();
  }

  asio::io_context context_;
  std::vector<std::string> log_;
  task_scope scope_{context_.get_executor(),
                    logger([this](log_level, std::string_view text) { log_.emplace_back(text); })};
  int begun_ = 0;
  int ended_ = 0;
  bool empty_ = false;
};

TEST_F(TaskScope, IsEmptyAtOnceWhenNothingRuns) {
  stop();
  EXPECT_TRUE(empty_);
}

TEST_F(TaskScope, CancelsWhatRunsUntilStop) {
  scope_.spawn_until_stop("a", [this] { return wait_for_ever(); });
  scope_.spawn_until_stop("b", [this] { return wait_for_ever(); });
  run();
  EXPECT_EQ(scope_.running(), 2u);
  stop();
  EXPECT_FALSE(empty_);
  run();
  EXPECT_TRUE(empty_);
  EXPECT_THAT(log_, testing::IsEmpty()) << "to be cancelled is no failure";
}

TEST_F(TaskScope, KeepsWhatHasNotBegunFromBeginning) {
  scope_.spawn_until_stop("waits", [this] { return wait_for_ever(); });
  scope_.spawn_until_stop("ends", [this] { return end_at_once(); });
  stop();
  run();
  EXPECT_TRUE(empty_);
  EXPECT_EQ(begun_, 0);
}

TEST_F(TaskScope, LetsATaskEndItsCancellationQuietly) {
  scope_.spawn_until_stop("swallows", [this] { return swallow_the_cancellation(); });
  run();
  stop();
  run();
  EXPECT_TRUE(empty_);
  EXPECT_EQ(ended_, 1);
}

TEST_F(TaskScope, WaitsForWorkWithAnEndOfItsOwn) {
  asio::steady_timer timer(context_, asio::steady_timer::time_point::max());
  scope_.spawn("work", [this, &timer] { return wait_for(&timer); });
  run();
  stop();
  run();
  EXPECT_FALSE(empty_) << "it was neither cancelled nor forgotten";
  timer.cancel();
  run();
  EXPECT_TRUE(empty_);
  EXPECT_EQ(ended_, 1);
}

TEST_F(TaskScope, StartsNothingThatRunsUntilStopAfterTheStop) {
  stop();
  scope_.spawn_until_stop("late", [this] { return wait_for_ever(); });
  run();
  EXPECT_EQ(begun_, 0);
  EXPECT_EQ(scope_.running(), 0u);
}

// The closure that spawn is given has died long before its coroutine goes on.
TEST_F(TaskScope, KeepsACoroutineLambdaWithWhatItCaptured) {
  std::string heard;
  asio::steady_timer timer(context_, asio::steady_timer::time_point::max());
  const std::string text(100, 'x');
  scope_.spawn("lambda", [&heard, &timer, text]() -> asio::awaitable<void> {
    boost::system::error_code cancelled;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    heard = text;
  });
  run();
  timer.cancel();
  run();
  EXPECT_EQ(heard, text);
  EXPECT_EQ(scope_.running(), 0u);
}

TEST_F(TaskScope, NamesWhatRuns) {
  EXPECT_EQ(scope_.names(), "");
  for (const char* name : {"note", "clock", "note"}) {
    scope_.spawn_until_stop(name, [this] { return wait_for_ever(); });
  }
  run();
  EXPECT_EQ(scope_.names(), "clock, note (2)");
  stop();
  run();
  EXPECT_EQ(scope_.names(), "");
}

TEST_F(TaskScope, LogsWhatEscapesAndGoesOn) {
  scope_.spawn("add", [this] { return fail("no such table"); });
  scope_.spawn_until_stop("clock", [this] { return throw_a_number(); });
  run();
  EXPECT_THAT(log_,
              testing::UnorderedElementsAre("add: no such table", "clock: unknown exception"));
  EXPECT_EQ(scope_.running(), 0u);
  stop();
  EXPECT_TRUE(empty_);
}

}  // namespace
}  // namespace rosey::sdk
