#include "host_stub/cli/signals.hpp"

#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace rosey::host {
namespace {

// Together less than 3 s, with some time left for the kernel.
constexpr std::chrono::milliseconds everything_ends_in{2200};
constexpr std::chrono::milliseconds process_ends_in{2750};
constexpr std::chrono::milliseconds last_words{150};

sigset_t termination_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  return set;
}

void raise_event(int event) {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(event, &one, sizeof one));
}

}  // namespace

void block_termination_signals() {
  const sigset_t set = termination_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // who reads our answers may leave
}

void unblock_termination_signals() {
  const sigset_t set = termination_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
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
  request_ = ::eventfd(0, EFD_CLOEXEC);
  ended_ = ::eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || request_ < 0 || ended_ < 0) {
    throw std::system_error(errno, std::system_category(), "eventfd");
  }
  watcher_ = std::thread([this] { watch(); });
}

termination::~termination() {
  raise_event(ended_);
  watcher_.join();
  ::close(signals_);
  ::close(request_);
  ::close(ended_);
}

void termination::request() {
  raise_event(request_);
}

bool termination::requested() const {
  const std::lock_guard lock(mutex_);
  return requested_at_.has_value();
}

termination::clock::time_point termination::wait() {
  std::unique_lock lock(mutex_);
  came_.wait(lock, [this] { return requested_at_.has_value(); });
  return *requested_at_ + everything_ends_in;
}

bool termination::wait_for(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return came_.wait_for(lock, time, [this] { return requested_at_.has_value(); });
}

void termination::waits_for(std::string step, bool for_others) {
  const std::lock_guard lock(mutex_);
  step_ = std::move(step);
  for_others_ = for_others;
}

// The signal stays pending: who only looks for it sees it too.
void termination::watch() {
  pollfd sources[] = {{signals_, POLLIN, 0}, {request_, POLLIN, 0}, {ended_, POLLIN, 0}};
  while (::poll(sources, 3, -1) < 0 && errno == EINTR) {
  }
  if (sources[2].revents) return;
  {
    const std::lock_guard lock(mutex_);
    requested_at_ = clock::now();
  }
  came_.notify_all();
  pollfd ended{ended_, POLLIN, 0};
  if (::poll(&ended, 1, static_cast<int>(process_ends_in.count())) == 0) end_process();
}

void termination::end_process() {
  // Should nobody take what we say, a signal ends us.
  ::signal(SIGALRM, SIG_DFL);
  const itimerval last{{}, {0, std::chrono::microseconds(last_words).count()}};
  ::setitimer(ITIMER_REAL, &last, nullptr);
  std::string step;
  bool for_others = false;
  {
    const std::lock_guard lock(mutex_);
    step = step_;
    for_others = for_others_;
  }
  spdlog::error("{} did not come to an end in time; the process ends without it", step);
  std::_Exit(for_others ? 0 : 1);
}

}  // namespace rosey::host
