// An adapter as libnats asks for (natsOptions_SetEventLoop), on epoll.
#include "host_stub/bus/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace rosey::host {

event_loop::event_loop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_event_(::eventfd(0, EFD_CLOEXEC)) {
  epoll_event wakes{.events = EPOLLIN, .data = {.fd = wake_event_}};
  if (epoll_ < 0 || wake_event_ < 0 ||
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_event_, &wakes) != 0) {
    throw std::system_error(errno, std::system_category(), "epoll");
  }
  thread_ = std::thread([this] { run(); });
}

event_loop::~event_loop() {
  stop();
  ::close(wake_event_);
  ::close(epoll_);
}

void event_loop::stop() {
  if (!thread_.joinable()) return;
  ending_ = true;
  wake();
  thread_.join();
}

natsStatus event_loop::serve(natsOptions* options) {
  return natsOptions_SetEventLoop(options, this, &attach, &read, &write, &detach);
}

void event_loop::on_read(std::function<void()> call) {
  const std::lock_guard lock(on_read_mutex_);
  on_read_ = std::move(call);
  if (on_read_) on_read_();
}

// Called when the connection has been made, or made again. libnats holds its lock during each of
// these calls, so none of them may call back.
natsStatus event_loop::attach(void** user, void* loop, natsConnection* connection,
                              natsSock socket) {
  auto* self = static_cast<event_loop*>(loop);
  *user = self;
  self->connection_ = connection;
  self->socket_ = socket;
  self->waits_for_room_ = false;  // that was another socket
  return self->poll_socket(EPOLL_CTL_ADD, EPOLLIN) ? NATS_OK : NATS_ERR;
}

// Ends only: the connection is lost, or closed. libnats closes the socket next.
natsStatus event_loop::read(void* user, bool add) {
  auto* self = static_cast<event_loop*>(user);
  if (add) return NATS_OK;
  self->poll_socket(EPOLL_CTL_DEL, 0);
  self->socket_ = -1;
  return NATS_OK;
}

natsStatus event_loop::write(void* user, bool add) {
  auto* self = static_cast<event_loop*>(user);
  self->has_output_ = add;
  if (add && self->holds_ == 0) self->wake();
  return NATS_OK;
}

natsStatus event_loop::detach(void*) {
  return NATS_OK;
}

void event_loop::release() {
  if (--holds_ == 0 && has_output_) wake();
}

void event_loop::wake() {
  if (awake_.exchange(true)) return;
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_event_, &one, sizeof one));
}

void event_loop::run() {
  for (;;) {
    // Behind this, whoever has something to write wakes this thread.
    awake_ = false;
    if (has_output_ && !waits_for_room_ && holds_ == 0) {
      awake_ = true;
      write_out();
      continue;
    }
    if (ending_) return;
    epoll_event ready[2];
    const int count = ::epoll_wait(epoll_, ready, 2, -1);
    awake_ = true;
    for (int i = 0; i < count; ++i) {
      if (ready[i].data.fd == wake_event_) {
        std::uint64_t ignored = 0;
        static_cast<void>(!::read(wake_event_, &ignored, sizeof ignored));
        continue;
      }
      if (ready[i].events & ~EPOLLIN) {
        waits_for_room_ = false;
        poll_socket(EPOLL_CTL_MOD, EPOLLIN);
      }
      if (ready[i].events & ~EPOLLOUT) read_in();
    }
  }
}

void event_loop::read_in() {
  natsConnection_ProcessReadEvent(connection_);
  const std::lock_guard lock(on_read_mutex_);
  if (on_read_) on_read_();
}

void event_loop::write_out() {
  natsConnection_ProcessWriteEvent(connection_);
  if (!has_output_) return;
  waits_for_room_ = true;
  poll_socket(EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

bool event_loop::poll_socket(int operation, unsigned events) {
  epoll_event wanted{.events = events, .data = {.fd = socket_}};
  return ::epoll_ctl(epoll_, operation, socket_, &wanted) == 0;
}

}  // namespace rosey::host
