#include "host_stub/plugins/plugin_thread.hpp"

#include <pthread.h>

#include <exception>
#include <utility>

namespace rosey::host {

plugin_thread::plugin_thread(std::string name, std::function<void(const std::string&)> on_exception)
    : on_exception_(std::move(on_exception)), thread_([this, name = name.substr(0, 15)] {
        ::pthread_setname_np(::pthread_self(), name.c_str());
        run();
      }) {}

plugin_thread::~plugin_thread() {
  thread_.join();
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
    on_exception_(escaped.what());
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
    lock.unlock();
    guarded(next.run, next.arg);
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
