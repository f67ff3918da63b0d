// The end of the process: waiting for SIGINT, SIGTERM or a request from within, and the time that
// everything then has to end.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace rosey::host {

// Call it before any thread is made: threads inherit it, so that a signal reaches only who waits.
void block_termination_signals();

// For a command that has nothing to lose: it ends at once.
void unblock_termination_signals();

// Whether a blocked signal to end has come.
bool termination_requested();

// From a signal or a request on, the way down has 3 s, whatever does not answer. What it does by
// itself should be done at `wait`'s moment; a little later this ends the process, and says what it
// still waited for. Thread-safe.
class termination {
 public:
  using clock = std::chrono::steady_clock;

  termination();  // throws std::system_error
  // All has ended.
  ~termination();
  termination(const termination&) = delete;
  termination& operator=(const termination&) = delete;

  void request();
  bool requested() const;
  // Returns at a signal or a request: the moment by which all should have ended.
  clock::time_point wait();
  // False when the time is over without one.
  bool wait_for(std::chrono::milliseconds time);

  // What may keep the process from ending now: "the start". With `for_others` nothing of ours is
  // stuck: the status is 0 all the same.
  void waits_for(std::string step, bool for_others = false);

 private:
  void watch();
  [[noreturn]] void end_process();

  int signals_;
  int request_;
  int ended_;
  mutable std::mutex mutex_;  // guards the next three
  std::optional<clock::time_point> requested_at_;
  std::string step_ = "the start";
  bool for_others_ = false;
  std::condition_variable came_;
  std::thread watcher_;
};

}  // namespace rosey::host
