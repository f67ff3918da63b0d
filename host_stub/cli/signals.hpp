// Waiting for SIGINT, SIGTERM or an end from within, on the main thread.
#pragma once

namespace rosey::host {

// Call it before any thread is made: threads inherit it, so that a signal reaches only who waits.
void block_termination_signals();

// Whether a blocked signal to end has come and nobody has taken it yet.
bool termination_requested();

// Thread-safe.
class termination {
 public:
  termination();  // throws std::system_error
  ~termination();
  termination(const termination&) = delete;
  termination& operator=(const termination&) = delete;

  void request();
  // Returns at a signal or a request.
  void wait();

 private:
  int signals_;
  int event_;
};

}  // namespace rosey::host
