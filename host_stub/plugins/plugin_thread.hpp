// The one thread on which a plugin instance runs, and the queue of what it is to run.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rosey::host {

// A thread per instance rather than a pool: a plugin that hangs holds up nobody else, and whatever
// thread-local state its code leaves behind is destroyed before the library is unmapped.
class plugin_thread {
 public:
  // A unit of plugin code, as in rosey_host::post: exactly one of run and drop is called, here.
  // Not noexcept: a plugin that breaks this rule must not take the host with it.
  struct task {
    void (*run)(void* arg);
    void (*drop)(void* arg);
    void* arg;
  };

  // `name` is the plugin's id. `on_exception` is called on this thread with the text of what
  // escaped from a task. Throws std::system_error if the system has no thread to give.
  plugin_thread(std::string_view name, std::function<void(const std::string&)> on_exception);
  // Must have been closed; joins.
  ~plugin_thread();
  plugin_thread(const plugin_thread&) = delete;
  plugin_thread& operator=(const plugin_thread&) = delete;

  // Any thread. False once the thread is closed: the task was not taken.
  bool post(task work);

  // Any thread. Takes back those of the tasks that have not begun; they are the caller's then.
  std::vector<task> withdraw(const std::function<bool(const task&)>& wanted);

  // Any thread. From now on tasks are dropped instead of run.
  void only_drop();

  // Any thread. Drops what is queued, runs `last` as the end of it all, and lets the thread end.
  // Only the first call counts.
  void close(std::function<void()> last);

  // False if the thread has not ended by then: plugin code still runs in it.
  bool wait_until_ended(std::chrono::milliseconds timeout);

  // Waits for the thread's end, thread-local destructors included. post() goes on to refuse.
  void join();

  // After join(): how many threads that were started on this one, or by one of those, are there
  // still after `grace`. They are known by their name, which Linux hands down: one that has given
  // itself another is not seen.
  std::size_t heirs(std::chrono::milliseconds grace) const;

  // How long the task that runs now has been running; empty when none is.
  std::optional<std::chrono::milliseconds> busy_for() const;
  std::size_t queued() const;

 private:
  using clock = std::chrono::steady_clock;

  void run();
  std::size_t count_heirs() const;
  void guarded(void (*function)(void*), void* arg) const;

  const std::string plugin_;
  const std::string name_;  // no other thread of the process has it
  std::function<void(const std::string&)> on_exception_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::deque<task> queue_;
  std::function<void()> last_;
  bool closed_ = false;
  bool only_drops_ = false;
  bool has_ended_ = false;
  std::optional<clock::time_point> task_began_;
  std::thread thread_;
};

}  // namespace rosey::host
