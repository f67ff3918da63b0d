// Turns are taken in the order of asking, whoever gives up in between.
#include "playlist_plugin/async_mutex.hpp"

#include <gmock/gmock.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <string>
#include <vector>

namespace rosey::playlist {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;

struct log {
  std::vector<std::string> lines;
  int inside = 0;
};

struct visit {
  visit(log& seen, const std::string& name) : of(seen) {
    EXPECT_EQ(++of.inside, 1) << name;
    of.lines.push_back(name);
  }
  ~visit() { --of.inside; }
  log& of;
};

asio::awaitable<void> enter(async_mutex& mutex, log& seen, std::string name) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  try {
    const auto turn = co_await mutex.lock();
    const visit now(seen, name);
    for (int step = 0; step < 5; ++step) co_await asio::post(executor, asio::use_awaitable);
  } catch (const boost::system::system_error& cancelled) {
    seen.lines.push_back(name + " gave up");
  }
}

TEST(async_mutex, lets_in_one_after_the_other) {
  asio::io_context io;
  async_mutex mutex(io.get_executor());
  log seen;
  for (const char* name : {"a", "b", "c"}) {
    asio::co_spawn(io, enter(mutex, seen, name), asio::detached);
  }
  io.run();
  EXPECT_THAT(seen.lines, ElementsAre("a", "b", "c"));
}

TEST(async_mutex, goes_on_when_one_who_waits_is_cancelled) {
  asio::io_context io;
  async_mutex mutex(io.get_executor());
  log seen;
  asio::cancellation_signal signal;
  asio::co_spawn(io, enter(mutex, seen, "a"), asio::detached);
  asio::co_spawn(io, enter(mutex, seen, "b"),
                 asio::bind_cancellation_slot(signal.slot(), asio::detached));
  asio::co_spawn(io, enter(mutex, seen, "c"), asio::detached);
  io.poll_one();  // a is in
  io.poll_one();  // b waits
  signal.emit(asio::cancellation_type::terminal);
  io.run();
  EXPECT_THAT(seen.lines, ElementsAre("a", "b gave up", "c"));
}

TEST(async_mutex, passes_on_a_turn_that_comes_too_late) {
  asio::io_context io;
  async_mutex mutex(io.get_executor());
  log seen;
  asio::cancellation_signal signal;
  asio::co_spawn(io, enter(mutex, seen, "a"), asio::detached);
  asio::co_spawn(io, enter(mutex, seen, "b"),
                 asio::bind_cancellation_slot(signal.slot(), asio::detached));
  asio::co_spawn(io, enter(mutex, seen, "c"), asio::detached);
  // Cancelled at every step of a's leaving, b is in, or gives up, and c comes in any case.
  for (int step = 0; step < 7; ++step) io.poll_one();
  signal.emit(asio::cancellation_type::terminal);
  io.run();
  EXPECT_EQ(seen.lines.back(), "c");
  EXPECT_EQ(seen.inside, 0);
}

TEST(async_mutex, survives_coroutines_that_are_dropped) {
  log seen;
  auto io = std::make_unique<asio::io_context>();
  async_mutex mutex(io->get_executor());
  for (const char* name : {"a", "b", "c"}) {
    asio::co_spawn(*io, enter(mutex, seen, name), asio::detached);
  }
  io->poll_one();
  io->poll_one();
  io.reset();
  EXPECT_THAT(seen.lines, ElementsAre("a"));
}

}  // namespace
}  // namespace rosey::playlist
