// Threads that only read, each on its own connection, so that a slow select holds nobody up.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "host_stub/storage/bounded_queue.hpp"
#include "host_stub/storage/session.hpp"

namespace rosey::storage {

class readers {
 public:
  // Must not throw.
  using task = std::function<void(session&)>;

  // One thread for each session.
  readers(std::vector<std::unique_ptr<session>> sessions, std::size_t queue) : queue_(queue) {
    for (auto& each : sessions) {
      threads_.emplace_back([this, own = std::move(each)] { run(*own); });
    }
  }
  readers(const readers&) = delete;
  readers& operator=(const readers&) = delete;

  // Carries out what waits.
  ~readers() {
    queue_.close();
    for (std::thread& each : threads_) each.join();
  }

  // False when too many wait; the task is left as it is.
  bool submit(task& work) { return queue_.push(work); }

  std::size_t waiting() const { return queue_.size(); }

 private:
  void run(session& own) {
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
