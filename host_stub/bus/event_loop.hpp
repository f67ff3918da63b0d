// The thread that reads and writes a NATS connection's socket.
#pragma once

#include <nats/nats.h>

#include <atomic>
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

  // Waits until what was published has been written, or the server does not take it; after that the
  // connection is only good for being closed.
  void stop();

 private:
  static natsStatus attach(void** user, void* loop, natsConnection* connection, natsSock socket);
  static natsStatus read(void* user, bool add);
  static natsStatus write(void* user, bool add);
  static natsStatus detach(void* user);

  void run();
  void write_out();
  bool poll_socket(int operation, unsigned events);
  void wake();

  int epoll_;
  int wake_event_;
  std::atomic<natsConnection*> connection_ = nullptr;
  std::atomic<int> socket_ = -1;
  std::atomic<bool> has_output_ = false;      // libnats has something to write
  std::atomic<bool> waits_for_room_ = false;  // the socket did not take all of it
  std::atomic<bool> awake_ = false;  // the thread will look at has_output_ before it sleeps
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace rosey::host
