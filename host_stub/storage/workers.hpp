// Threads that carry out what is put into one bounded queue, each with something of its own.
#pragma once

#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "host_stub/storage/bounded_queue.hpp"

namespace rosey::storage {

template <class Own>
class workers {
 public:
  // Must not throw.
  using task = std::function<void(Own&)>;

  // One thread for each of `owned`.
  workers(std::vector<Own> owned, std::size_t queue) : queue_(queue) {
    for (Own& each : owned) {
      threads_.emplace_back([this, own = std::move(each)]() mutable { run(own); });
    }
  }
  workers(const workers&) = delete;
  workers& operator=(const workers&) = delete;

  // Carries out what waits.
  ~workers() {
    queue_.close();
    for (std::thread& each : threads_) each.join();
  }

  // False when too many wait; the task is left as it is.
  bool submit(task& work) { return queue_.push(work); }

  std::size_t waiting() const { return queue_.size(); }

 private:
  void run(Own& own) {
    while (true) {
      const std::vector<task> next = queue_.take(1);
      if (next.empty()) return;
      next.front()(own);
    }
  }

  bounded_queue<task> queue_;
  std::vector<std::thread> threads_;
};

}  // namespace rosey::storage
