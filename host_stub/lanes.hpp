// Work that may block: what belongs together runs in order, what does not runs side by side.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rosey::host {

// A lane has a thread as long as it has work, so that one that hangs holds up no other.
// Thread-safe, but for the destructor.
class lanes {
 public:
  using work = std::function<void()>;

  using thread_maker = std::function<std::thread(work)>;

  // `most` is how much may wait in one lane.
  explicit lanes(std::size_t most = 64, thread_maker make = start_thread)
      : most_(most), make_(std::move(make)) {}
  // Drops what has not begun, and waits for what has.
  ~lanes();
  lanes(const lanes&) = delete;
  lanes& operator=(const lanes&) = delete;

  // False if the lane is full, or the system has no thread to give: the work was not taken. What
  // `next` throws is logged.
  bool post(const std::string& lane, work next);

  // Waits until nothing is left to do.
  void finish();
  // Drops what has not begun.
  void drop();

 private:
  struct lane {
    std::deque<work> waiting;
    std::thread runner;
  };

  static std::thread start_thread(work body) { return std::thread(std::move(body)); }
  void run(const std::string& name);
  void join_ended();

  const std::size_t most_;
  const thread_maker make_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable idle_;
  std::map<std::string, lane> lanes_;  // those with work
  std::vector<std::thread> ended_;
};

}  // namespace rosey::host
