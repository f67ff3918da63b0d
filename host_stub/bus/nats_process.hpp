// One process of nats-server: started with its configuration in memory, checked, ended and reaped.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

namespace rosey::host {

// The server can be reached from elsewhere, or without the token: starting it again would not help.
struct exposed_server : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Used by one thread, which must live as long as this object: the kernel ends the process with the
// thread that has started it.
class nats_process {
 public:
  // Listens on this port of 127.0.0.1; 0: on a free one. `interrupt` is a descriptor: once it can
  // be read, no wait goes on. Returns when the server answers to those who know the token, and to
  // nobody else. Throws std::runtime_error with one sentence.
  nats_process(const std::string& token, int port, int interrupt);
  // Ends the process, gently if it answers to that, and reaps it.
  ~nats_process();
  nats_process(const nats_process&) = delete;
  nats_process& operator=(const nats_process&) = delete;

  pid_t id() const { return child_; }
  int port() const { return port_; }

  // The next line of its log. None: the process has ended, or there was an interrupt.
  std::optional<std::string> next_line();

  // Of its log: about the client that had no token, which was us.
  bool is_about_stranger(const std::string& line) const;

  // Waits for the end, and says how it came about: "ended with status 1".
  std::string reap();

 private:
  using clock = std::chrono::steady_clock;

  void start(const std::string& token, int port);
  std::optional<std::string> next_line(std::optional<clock::time_point> deadline);
  std::string read_until_ready();
  void check_address(const std::string& address, int wanted);
  void check_token();
  void end() noexcept;
  bool ended_within(std::chrono::milliseconds time) const;

  const int interrupt_;
  pid_t child_ = -1;
  int log_ = -1;
  int port_ = 0;
  std::string stranger_;  // how the log names our client without a token
  std::string pending_;   // of the log: what came after the last whole line
};

}  // namespace rosey::host
