// Work on its way to other threads: never more than a fixed number waits.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace rosey::storage {

template <class T>
class bounded_queue {
 public:
  explicit bounded_queue(std::size_t capacity) : capacity_(capacity) {}

  // False, and `item` is left as it is, when the queue is full or closed.
  bool push(T& item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= capacity_) return false;
      items_.push_back(std::move(item));
    }
    filled_.notify_one();
    return true;
  }

  // Wakes one thread, which wakes the next if it leaves something. Gives back those for which there
  // was no room.
  std::vector<T> push_all(std::vector<T> items) {
    if (items.empty()) return items;
    {
      const std::lock_guard lock(mutex_);
      const std::size_t room = closed_ ? 0 : capacity_ - items_.size();
      const auto end = items.begin() + static_cast<std::ptrdiff_t>(std::min(room, items.size()));
      items_.insert(items_.end(), std::make_move_iterator(items.begin()),
                    std::make_move_iterator(end));
      items.erase(items.begin(), end);
    }
    filled_.notify_one();
    return items;
  }

  // Waits for work, then takes all there is, up to `most`. Nothing: the queue is closed and empty.
  std::vector<T> take(std::size_t most) {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return closed_ || !items_.empty(); });
    return taken(most);
  }

  // The same, but waits no longer than `patience`, and then gives an empty list. None: the queue is
  // closed and empty.
  std::optional<std::vector<T>> take(std::size_t most, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, patience, [this] { return closed_ || !items_.empty(); });
    if (closed_ && items_.empty()) return std::nullopt;
    return taken(most);
  }

  // What there is, up to `most`, without waiting.
  std::vector<T> take_present(std::size_t most) {
    const std::lock_guard lock(mutex_);
    return taken(most);
  }

  // What waits is still taken; nothing new comes in.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    filled_.notify_all();
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  std::vector<T> taken(std::size_t most) {
    const auto count = static_cast<std::ptrdiff_t>(most < items_.size() ? most : items_.size());
    const auto end = items_.begin() + count;
    std::vector<T> first(std::make_move_iterator(items_.begin()), std::make_move_iterator(end));
    items_.erase(items_.begin(), end);
    if (!items_.empty()) filled_.notify_one();
    return first;
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace rosey::storage
