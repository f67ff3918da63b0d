// A private nats-server, for a bot that was given no NATS to use: it lives and dies with us.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

namespace rosey::host {

// Listens on a free loopback port and admits only who knows its random token. The kernel ends it
// when the thread that made it ends, however that comes about (so: make it on the main thread,
// before there are others).
class nats_server {
 public:
  // Blocks until the server answers. Throws std::runtime_error with one sentence.
  nats_server();
  ~nats_server();
  nats_server(const nats_server&) = delete;
  nats_server& operator=(const nats_server&) = delete;

  const std::string& url() const { return url_; }
  pid_t id() const { return child_; }

 private:
  void start();
  std::string read_until_ready();
  void relay_log();

  std::filesystem::path folder_;
  std::string token_;
  std::string url_;
  pid_t child_ = -1;
  int log_fd_ = -1;
  std::string pending_;  // of the server's log: what came after the last whole line
  std::atomic<bool> stopping_ = false;
  std::thread log_reader_;
};

}  // namespace rosey::host
