// The owner of a plugin's coroutines: it starts them, and the plugin is not stopped before the last
// one has ended.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <string>
#include <utility>

#include "rosey/sdk/logger.hpp"

namespace rosey::sdk {

// Whether a coroutine ends because it was cancelled. That is a std::runtime_error as well: whoever
// catches those has to let it pass.
inline bool is_cancellation(const std::exception& failure) {
  const auto* system = dynamic_cast<const boost::system::system_error*>(&failure);
  return system && system->code() == boost::asio::error::operation_aborted;
}

// Used on the plugin's thread only. Must outlive its coroutines: destroy it after on_empty's
// callback, or after the executor has dropped what was queued.
class task_scope {
 public:
  task_scope(boost::asio::any_io_executor executor, logger log)
      : executor_(std::move(executor)), log_(std::move(log)) {}
  task_scope(const task_scope&) = delete;
  task_scope& operator=(const task_scope&) = delete;

  // Work with an end of its own (a command): stop() waits for it. `what` names it in the log if an
  // exception escapes from it.
  void spawn(std::string what, boost::asio::awaitable<void> task) {
    ++running_;
    boost::asio::co_spawn(executor_, std::move(task), ended{*this, std::move(what), {}});
  }

  // Work without an end of its own (a clock): stop() cancels it (terminal), then waits for it.
  // After stop() nothing is started any more.
  void spawn_until_stop(std::string what, boost::asio::awaitable<void> task) {
    if (stopping_) return;
    ++running_;
    const auto made = cancellable_.emplace(cancellable_.end());
    boost::asio::co_spawn(executor_, until_stop(std::move(task), made),
                          ended{*this, std::move(what), made});
  }

  // Cancels what runs until stop. `on_empty` is called once, when the last task has ended: inside
  // this call if there is none.
  void stop(std::function<void()> on_empty) {
    stopping_ = true;
    on_empty_ = std::move(on_empty);
    for (cancellable& task : cancellable_) {
      if (task.started) task.signal.emit(boost::asio::cancellation_type::terminal);
    }
    notify_if_empty();
  }

  bool stopping() const { return stopping_; }
  std::size_t running() const { return running_; }

 private:
  struct cancellable {
    boost::asio::cancellation_signal signal;
    bool started = false;
  };
  using cancellables = std::list<cancellable>;

  // Asio 1.81 ends the process when a coroutine is cancelled before it has begun, or when it ends
  // cancelled without ever having waited: its entry point co_awaits once more, and throws. So a
  // task that has not begun is not cancelled but kept from beginning, and none ends cancelled.
  boost::asio::awaitable<void> until_stop(boost::asio::awaitable<void> task,
                                          cancellables::iterator self) {
    if (stopping_) co_return;
    self->started = true;
    std::exception_ptr failure;
    try {
      co_await std::move(task);
    } catch (...) {
      failure = std::current_exception();
    }
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    if (failure) std::rethrow_exception(failure);
  }

  // The completion of a task. It names its slot itself: behind bind_cancellation_slot, co_spawn
  // would post each cancellation to the executor, and the task could be gone before it arrives.
  struct ended {
    using cancellation_slot_type = boost::asio::cancellation_slot;

    task_scope& scope;
    std::string what;
    cancellables::iterator task;  // value-initialised when it is not cancellable

    bool is_cancellable() const { return task != cancellables::iterator{}; }

    cancellation_slot_type get_cancellation_slot() const noexcept {
      return is_cancellable() ? task->signal.slot() : cancellation_slot_type();
    }

    void operator()(std::exception_ptr failure) {
      scope.report(what, std::move(failure));
      // While stopping, this may run inside the signal's emit(); the scope keeps it until its end.
      if (is_cancellable() && !scope.stopping_) scope.cancellable_.erase(task);
      --scope.running_;
      scope.notify_if_empty();
    }
  };

  void report(const std::string& what, std::exception_ptr failure) const {
    if (!failure) return;
    try {
      std::rethrow_exception(std::move(failure));
    } catch (const std::exception& unexpected) {
      if (stopping_ && is_cancellation(unexpected)) return;
      log_.error(what + ": " + unexpected.what());
    } catch (...) {
      log_.error(what + ": unknown exception");
    }
  }

  void notify_if_empty() {
    if (stopping_ && running_ == 0 && on_empty_) std::exchange(on_empty_, nullptr)();
  }

  boost::asio::any_io_executor executor_;
  logger log_;
  cancellables cancellable_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  std::function<void()> on_empty_;
};

}  // namespace rosey::sdk
