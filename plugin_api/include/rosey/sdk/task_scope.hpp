// The owner of a plugin's coroutines: it starts them, and the plugin is not stopped before the last
// one has ended.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <string>
#include <utility>

#include "rosey/sdk/logger.hpp"

namespace rosey::sdk {

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
    const auto signal = cancellable_.emplace(cancellable_.end());
    boost::asio::co_spawn(
        executor_, std::move(task),
        boost::asio::bind_cancellation_slot(signal->slot(), ended{*this, std::move(what), signal}));
  }

  // Cancels what runs until stop. `on_empty` is called once, when the last task has ended: inside
  // this call if there is none.
  void stop(std::function<void()> on_empty) {
    stopping_ = true;
    on_empty_ = std::move(on_empty);
    for (auto signal = cancellable_.begin(); signal != cancellable_.end();) {
      // A cancelled task may end inside emit() and remove its signal.
      (signal++)->emit(boost::asio::cancellation_type::terminal);
    }
    notify_if_empty();
  }

  bool stopping() const { return stopping_; }
  std::size_t running() const { return running_; }

 private:
  using signals = std::list<boost::asio::cancellation_signal>;

  struct ended {
    task_scope& scope;
    std::string what;
    signals::iterator signal;  // value-initialised when the task is not cancellable

    void operator()(std::exception_ptr failure) {
      scope.report(what, std::move(failure));
      if (signal != signals::iterator{}) scope.cancellable_.erase(signal);
      --scope.running_;
      scope.notify_if_empty();
    }
  };

  void report(const std::string& what, std::exception_ptr failure) const {
    if (!failure) return;
    try {
      std::rethrow_exception(std::move(failure));
    } catch (const boost::system::system_error& cancelled) {
      if (stopping_ && cancelled.code() == boost::asio::error::operation_aborted) return;
      log_.error(what + ": " + cancelled.what());
    } catch (const std::exception& unexpected) {
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
  signals cancellable_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  std::function<void()> on_empty_;
};

}  // namespace rosey::sdk
