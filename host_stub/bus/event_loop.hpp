// The thread that reads and writes a NATS connection's socket.
#pragma once

#include <nats/nats.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace rosey::host {

// libnats by itself either waits a millisecond before it writes, or makes a system call for each
// message. Here what is published while the thread is busy leaves together, and one message alone
// leaves at once.
class event_loop {
 public:
  // Throws std::system_error.
  event_loop();
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  // For the one connection that these options make, which must be closed before this is destroyed.
  natsStatus serve(natsOptions* options);

  // Called once here, and then on the loop's thread each time that what was read from the socket
  // has reached its subscriptions; must not block. There is one at a time; an empty function ends
  // it, and waits for the call that may be running.
  void on_read(std::function<void()> call);

  // Between the two, which may nest and come from any thread, nothing is written: what is published
  // leaves together. Short, for it holds up everybody.
  void hold() { ++holds_; }
  void release();

  // Waits until what was published has been written, or the server does not take it; after that the
  // connection is only good for being closed.
  void stop();

 private:
  static natsStatus attach(void** user, void* loop, natsConnection* connection, natsSock socket);
  static natsStatus read(void* user, bool add);
  static natsStatus write(void* user, bool add);
  static natsStatus detach(void* user);

  void run();
  void read_in();
  void write_out();
  bool poll_socket(int operation, unsigned events);
  void wake();

  int epoll_;
  int wake_event_;
  std::atomic<natsConnection*> connection_ = nullptr;
  std::atomic<int> socket_ = -1;
  std::atomic<bool> has_output_ = false;  // libnats has something to write
  std::atomic<int> holds_ = 0;
  std::atomic<bool> waits_for_room_ = false;  // the socket did not take all of it
  std::atomic<bool> awake_ = false;  // the thread will look at has_output_ before it sleeps
  std::atomic<bool> ending_ = false;
  std::mutex on_read_mutex_;
  std::function<void()> on_read_;
  std::thread thread_;
};

}  // namespace rosey::host
