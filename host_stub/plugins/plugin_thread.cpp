#include "host_stub/plugins/plugin_thread.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "host_stub/plugins/crash_report.hpp"
#include "host_stub/plugins/plugin_text.hpp"

namespace rosey::host {

namespace {

// A name has 15 bytes: for people, who see it in top, as much as there is room for; the number
// makes it unique.
std::string unique_name(std::string_view name) {
  static std::atomic<unsigned> made = 0;
  const std::string number = fmt::format("#{}", ++made);
  return std::string(name.substr(0, 15 - number.size())) + number;
}

}  // namespace

plugin_thread::plugin_thread(std::string_view name,
                             std::function<void(const std::string&)> on_exception)
    : plugin_(name),
      name_(unique_name(name)),
      on_exception_(std::move(on_exception)),
      thread_([this] {
        ::pthread_setname_np(::pthread_self(), name_.c_str());
        belongs_to_plugin(plugin_.c_str());
        const spare_stack for_its_crash;
        run();
      }) {}

plugin_thread::~plugin_thread() {
  join();
}

void plugin_thread::join() {
  if (thread_.joinable()) thread_.join();
}

bool plugin_thread::post(task work) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    queue_.push_back(work);
    if (queue_.size() > 1) return true;  // the thread has been woken for the first one
  }
  wake_.notify_one();
  return true;
}

std::vector<plugin_thread::task> plugin_thread::withdraw(
    const std::function<bool(const task&)>& wanted) {
  const std::lock_guard lock(mutex_);
  const auto first = std::stable_partition(queue_.begin(), queue_.end(),
                                           [&](const task& waiting) { return !wanted(waiting); });
  std::vector<task> taken(first, queue_.end());
  queue_.erase(first, queue_.end());
  return taken;
}

void plugin_thread::only_drop() {
  const std::lock_guard lock(mutex_);
  only_drops_ = true;
}

void plugin_thread::close(std::function<void()> last) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    last_ = std::move(last);
  }
  wake_.notify_one();
}

bool plugin_thread::wait_until_ended(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, timeout, [this] { return has_ended_; });
}

// One that was joined a moment ago may still be listed.
std::size_t plugin_thread::heirs(std::chrono::milliseconds grace) const {
  const auto deadline = clock::now() + grace;
  std::size_t left = count_heirs();
  while (left > 0 && clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    left = count_heirs();
  }
  return left;
}

std::size_t plugin_thread::count_heirs() const {
  std::size_t found = 0;
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    std::ifstream file(task.path() / "comm");
    std::string name;
    found += std::getline(file, name) && name == name_;
  }
  return found;
}

std::optional<std::chrono::milliseconds> plugin_thread::busy_for() const {
  const std::lock_guard lock(mutex_);
  if (!task_began_) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - *task_began_);
}

std::size_t plugin_thread::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void plugin_thread::guarded(void (*function)(void*), void* arg) const {
  try {
    function(arg);
  } catch (const std::exception& escaped) {
    on_exception_(plugin_text(escaped.what()));
  } catch (...) {
    on_exception_("unknown exception");
  }
}

void plugin_thread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    if (closed_) break;
    const task next = queue_.front();
    queue_.pop_front();
    task_began_ = clock::now();
    const bool drops = only_drops_;
    lock.unlock();
    guarded(drops ? next.drop : next.run, next.arg);
    lock.lock();
    task_began_.reset();
  }
  // Nothing can be added any more; dropping and the last words run unlocked, they are plugin code.
  std::deque<task> dropped = std::move(queue_);
  queue_.clear();
  const std::function<void()> last = std::move(last_);
  task_began_ = clock::now();
  lock.unlock();
  for (const task& work : dropped) guarded(work.drop, work.arg);
  if (last) last();
  lock.lock();
  task_began_.reset();
  has_ended_ = true;
  ended_.notify_all();
}

}  // namespace rosey::host
