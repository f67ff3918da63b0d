// The owner of a plugin's coroutines: it starts them, and the plugin is not stopped before the last
// one has ended.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "rosey/sdk/failures.hpp"
#include "rosey/sdk/logger.hpp"
#include "rosey/sdk/open_requests.hpp"

namespace rosey::sdk {

// Used on the plugin's thread only. Must outlive its coroutines: destroy it after on_empty's
// callback, or after the executor has dropped what was queued.
//
//   tasks.spawn("note", [this, text] { return keep(text); });
//
// A task is a function that makes a coroutine, without arguments. The scope keeps the function, and
// what it has captured, until the coroutine has ended: so it may be a coroutine lambda with
// captures as well, as long as nothing is captured by reference that ends earlier. It is called
// when the task's turn comes, not at once. `name` is for the log: when an exception escapes, and
// when the plugin cannot stop because of the task.
class task_scope {
 public:
  // `requests` is the bus's, if it has any: a task that a request's handler spawns works on it.
  task_scope(boost::asio::any_io_executor executor, logger log, open_requests* requests = nullptr)
      : executor_(std::move(executor)), log_(std::move(log)), requests_(requests) {}
  task_scope(const task_scope&) = delete;
  task_scope& operator=(const task_scope&) = delete;

  // Work with an end of its own (a command): stop() waits for it.
  template <class Task>
  void spawn(std::string name, Task task) {
    expect_a_task<Task>();
    const auto made = add(std::move(name), false);
    boost::asio::co_spawn(executor_, kept(std::move(task)), ended{this, made});
  }

  // Work without an end of its own (a clock): stop() cancels it (terminal), then waits for it.
  // After stop() nothing is started any more.
  template <class Task>
  void spawn_until_stop(std::string name, Task task) {
    expect_a_task<Task>();
    if (stopping_) return;
    const auto made = add(std::move(name), true);
    boost::asio::co_spawn(executor_, until_stop(std::move(task), made), ended{this, made});
  }

  // Cancels what runs until stop. `on_empty` is called once, when the last task has ended: inside
  // this call if there is none.
  void stop(std::function<void()> on_empty) {
    stopping_ = true;
    on_empty_ = std::move(on_empty);
    for (running_task& task : tasks_) {
      if (task.is_cancellable && task.has_begun) {
        task.signal.emit(boost::asio::cancellation_type::terminal);
      }
    }
    notify_if_empty();
  }

  bool stopping() const { return stopping_; }
  std::size_t running() const { return running_; }

  // The names of what runs: "clock, note (3)".
  std::string names() const {
    std::map<std::string_view, std::size_t> counted;
    for (const running_task& task : tasks_) {
      if (!task.has_ended) ++counted[task.name];
    }
    std::string list;
    for (const auto& [name, count] : counted) {
      if (!list.empty()) list += ", ";
      list += name;
      if (count > 1) list += " (" + std::to_string(count) + ")";
    }
    return list;
  }

 private:
  struct running_task {
    std::string name;
    bool is_cancellable;
    open_requests::handle request;
    boost::asio::cancellation_signal signal;
    bool has_begun = false;
    bool has_ended = false;
  };
  using running_tasks = std::list<running_task>;

  template <class Task>
  static constexpr void expect_a_task() {
    static_assert(!std::is_same_v<Task, boost::asio::awaitable<void>>,
                  "give spawn the function that makes the coroutine, not the coroutine: "
                  "spawn(name, [this] { return work(); }). A lambda that has been called, "
                  "spawn(name, [this]() -> awaitable<void> {...}()), dies before its coroutine.");
    static_assert(std::is_same_v<Task, boost::asio::awaitable<void>> ||
                      std::is_invocable_r_v<boost::asio::awaitable<void>, Task&>,
                  "a task is a function without arguments that returns awaitable<void>");
  }

  running_tasks::iterator add(std::string name, bool is_cancellable) {
    ++running_;
    const auto made = tasks_.emplace(tasks_.end());
    made->name = std::move(name);
    made->is_cancellable = is_cancellable;
    if (requests_) made->request = open_requests::begin(requests_->current());
    return made;
  }

  // The frame of this coroutine is what keeps the task.
  template <class Task>
  static boost::asio::awaitable<void> kept(Task task) {
    co_await task();
  }

  // Asio 1.81 ends the process when a coroutine is cancelled before it has begun, or when it ends
  // cancelled without ever having waited: its entry point co_awaits once more, and throws. So a
  // task that has not begun is not cancelled but kept from beginning, and none ends cancelled.
  template <class Task>
  boost::asio::awaitable<void> until_stop(Task task, running_tasks::iterator self) {
    if (stopping_) co_return;
    self->has_begun = true;
    std::exception_ptr failure;
    try {
      co_await task();
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

    task_scope* scope;
    running_tasks::iterator task;

    cancellation_slot_type get_cancellation_slot() const noexcept {
      return task->is_cancellable ? task->signal.slot() : cancellation_slot_type();
    }

    void operator()(std::exception_ptr failure) { scope->end(task, std::move(failure)); }
  };

  void end(running_tasks::iterator task, std::exception_ptr failure) {
    report(task->name, failure);
    task->has_ended = true;
    const open_requests::handle request = std::move(task->request);
    // While stopping, this may run inside the signal's emit(); the scope keeps it until its end.
    if (!task->is_cancellable || !stopping_) tasks_.erase(task);
    if (requests_) requests_->end(request, std::move(failure));
    --running_;
    notify_if_empty();
  }

  void report(const std::string& name, const std::exception_ptr& failure) const {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& unexpected) {
      if (stopping_ && is_cancellation(unexpected)) return;
      log_.error(name + ": " + unexpected.what());
    } catch (...) {
      log_.error(name + ": unknown exception");
    }
  }

  void notify_if_empty() {
    if (stopping_ && running_ == 0 && on_empty_) std::exchange(on_empty_, nullptr)();
  }

  boost::asio::any_io_executor executor_;
  logger log_;
  open_requests* requests_;
  running_tasks tasks_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  std::function<void()> on_empty_;
};

}  // namespace rosey::sdk
