// A private nats-server, for a bot that was given no NATS to use: it lives and dies with us.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

namespace rosey::host {

class nats_process;

// Listens on a free loopback port and admits only who knows its random token. When it dies, it is
// started again on the same port with the same token, so that clients find it by themselves. The
// kernel ends it with this process, however that comes about.
class nats_server {
 public:
  // `on_given_up` is called at most once, on a thread of its own, with a sentence: it has died too
  // often, and is not started again.
  using give_up_handler = std::function<void(const std::string& why)>;

  // Blocks until the server answers. Throws std::runtime_error with one sentence.
  explicit nats_server(give_up_handler on_given_up = {});
  ~nats_server();
  nats_server(const nats_server&) = delete;
  nats_server& operator=(const nats_server&) = delete;

  const std::string& url() const { return url_; }
  // The process that runs now; changes with each start. -1 between two of them.
  pid_t id() const { return id_; }

 private:
  using clock = std::chrono::steady_clock;

  void supervise(std::promise<int> first_port);
  bool serve();
  bool start_again(std::string how_it_ended);
  void relay(const std::string& line) const;
  bool stopped_within(std::chrono::milliseconds pause) const;

  const std::string token_;
  const give_up_handler on_given_up_;
  const int stop_event_;
  std::string url_;
  std::atomic<pid_t> id_ = -1;

  // The supervisor's own.
  std::unique_ptr<nats_process> process_;
  int port_ = 0;
  std::deque<clock::time_point> deaths_;

  std::thread supervisor_;
};

}  // namespace rosey::host
