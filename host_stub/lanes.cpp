#include "host_stub/lanes.hpp"

#include <spdlog/spdlog.h>

#include <exception>
#include <system_error>
#include <utility>

namespace rosey::host {

lanes::~lanes() {
  drop();
  finish();
  join_ended();
}

bool lanes::post(const std::string& name, work next) {
  join_ended();
  const std::lock_guard lock(mutex_);
  const auto [found, made] = lanes_.try_emplace(name);
  lane& chosen = found->second;
  if (chosen.waiting.size() >= most_) return false;
  chosen.waiting.push_back(std::move(next));
  if (!made) return true;
  try {
    chosen.runner = make_([this, name] { run(name); });
  } catch (const std::system_error& failure) {
    lanes_.erase(found);
    spdlog::error("no thread for the work of '{}': {}", name, failure.what());
    return false;
  }
  return true;
}

void lanes::finish() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return lanes_.empty(); });
}

void lanes::drop() {
  std::vector<std::deque<work>> dropped;  // what it holds may take locks of its own when it goes
  const std::lock_guard lock(mutex_);
  for (auto& [name, busy] : lanes_) dropped.push_back(std::exchange(busy.waiting, {}));
}

void lanes::run(const std::string& name) {
  std::unique_lock lock(mutex_);
  for (;;) {
    lane& mine = lanes_.find(name)->second;
    if (mine.waiting.empty()) {
      ended_.push_back(std::move(mine.runner));
      lanes_.erase(name);
      if (lanes_.empty()) idle_.notify_all();
      return;
    }
    work next = std::move(mine.waiting.front());
    mine.waiting.pop_front();
    lock.unlock();
    try {
      next();
    } catch (const std::exception& escaped) {
      spdlog::error("the work of '{}' failed: {}", name, escaped.what());
    }
    next = nullptr;  // what it holds may take locks of its own when it goes
    lock.lock();
  }
}

void lanes::join_ended() {
  std::vector<std::thread> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(ended_);
  }
  for (std::thread& runner : ended) runner.join();
}

}  // namespace rosey::host
