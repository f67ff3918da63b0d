#include "host_stub/cli/signals.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace rosey::host {
namespace {

sigset_t termination_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void block_termination_signals() {
  const sigset_t set = termination_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // who reads our answers may leave
}

bool termination_requested() {
  sigset_t pending;
  ::sigemptyset(&pending);
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1;
}

termination::termination() {
  const sigset_t set = termination_signals();
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  event_ = ::eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || event_ < 0) throw std::system_error(errno, std::system_category(), "eventfd");
}

termination::~termination() {
  ::close(signals_);
  ::close(event_);
}

void termination::request() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(event_, &one, sizeof one));
}

void termination::wait() {
  pollfd sources[] = {{signals_, POLLIN, 0}, {event_, POLLIN, 0}};
  while (::poll(sources, 2, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace rosey::host
