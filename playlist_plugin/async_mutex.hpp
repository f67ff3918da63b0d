// Lets the coroutines of one thread enter a section one after the other, or so many at once, in the
// order they came.
#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "playlist_plugin/clock.hpp"

namespace rosey::playlist {

// Must outlive its guards and the coroutines that wait for it.
class async_mutex {
 public:
  class [[nodiscard]] guard {
   public:
    explicit guard(async_mutex& locked) : mutex_(&locked) {}
    guard(guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    guard& operator=(guard&&) = delete;
    ~guard() {
      if (mutex_) mutex_->unlock();
    }

   private:
    async_mutex* mutex_;
  };

  explicit async_mutex(boost::asio::any_io_executor executor, std::size_t places = 1)
      : executor_(std::move(executor)), free_(places) {}
  async_mutex(const async_mutex&) = delete;
  async_mutex& operator=(const async_mutex&) = delete;

  // Throws boost::system::system_error with operation_aborted if the wait is cancelled; the others
  // keep their places.
  boost::asio::awaitable<guard> lock() {
    if (free_ > 0) {
      --free_;
      co_return guard(*this);
    }
    waiter self(*this);
    self.turn->expires_at(boost::asio::steady_timer::time_point::max());
    co_await self.turn->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (!self.granted) {
      throw boost::system::system_error(boost::asio::error::operation_aborted);
    }
    self.granted = false;  // the guard has it from here
    co_return guard(*this);
  }

  // Nothing when it is `at`, by the steady clock, before it is one's turn.
  boost::asio::awaitable<std::optional<guard>> lock_until(clock& time, std::int64_t at) {
    if (free_ > 0) {
      --free_;
      co_return guard(*this);
    }
    waiter self(*this);
    while (!self.granted && time.steady() < at) {
      time.arm(self.turn, at);
      co_await self.turn->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    if (!self.granted) co_return std::nullopt;
    self.granted = false;
    co_return guard(*this);
  }

  // Those that wait for their turn.
  std::size_t waiting() const { return waiting_.size(); }

 private:
  // Lives in the waiting coroutine, so that it is gone when the coroutine is, however it ends.
  struct waiter {
    explicit waiter(async_mutex& awaited)
        : mutex(awaited), turn(std::make_shared<boost::asio::steady_timer>(awaited.executor_)) {
      mutex.waiting_.push_back(this);
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter() {
      mutex.waiting_.remove(this);
      if (granted) mutex.unlock();
    }

    async_mutex& mutex;
    std::shared_ptr<boost::asio::steady_timer> turn;  // cancelled when it is this one's turn
    bool granted = false;
  };

  // The next one is the owner at once, so that nobody who comes later gets between.
  void unlock() {
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    waiter* next = waiting_.front();
    waiting_.pop_front();
    next->granted = true;
    next->turn->cancel();
  }

  boost::asio::any_io_executor executor_;
  std::size_t free_;
  std::list<waiter*> waiting_;
};

}  // namespace rosey::playlist
