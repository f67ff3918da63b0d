// TCP sockets on 127.0.0.1 for what stands between a test and a server.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace rosey::tests {

[[noreturn]] inline void fail_with(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

// Closes its descriptor.
class socket_handle {
 public:
  explicit socket_handle(int descriptor = -1) : descriptor_(descriptor) {}
  socket_handle(socket_handle&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  socket_handle& operator=(socket_handle&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~socket_handle() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  // When it is closed, the peer sees a reset instead of an orderly end.
  void reset_peer() const {
    const linger abruptly{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &abruptly, sizeof abruptly);
  }

 private:
  int descriptor_;
};

// Never waits, neither for the peer nor for more to send.
inline void make_prompt(const socket_handle& socket) {
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
}

inline socket_handle make_socket() {
  socket_handle made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (made.get() < 0) fail_with("socket");
  return made;
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Bound, but not yet listening: connections are refused, and nobody else gets the port.
inline socket_handle bind_to(std::uint16_t port) {
  socket_handle made = make_socket();
  const int on = 1;
  ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::fcntl(made.get(), F_SETFL, O_NONBLOCK);
  const sockaddr_in address = loopback(port);
  if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail_with("bind");
  }
  return made;
}

inline std::uint16_t port_of(const socket_handle& bound) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(bound.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    fail_with("getsockname");
  }
  return ntohs(address.sin_port);
}

}  // namespace rosey::tests
