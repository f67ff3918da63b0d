#include "host_stub/bus/nats_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <random>
#include <stdexcept>
#include <system_error>

#include "host_stub/temporary_folder.hpp"

namespace rosey::host {
namespace {

constexpr std::chrono::seconds start_deadline{10};

std::string random_token() {
  std::random_device random;
  std::string token;
  for (int word = 0; word < 4; ++word) token += fmt::format("{:08x}", random());
  return token;
}

// The text after `marker` in `line`, or "" if it is not there.
std::string after(const std::string& line, std::string_view marker) {
  const auto found = line.find(marker);
  return found == std::string::npos ? std::string() : line.substr(found + marker.size());
}

}  // namespace

nats_server::nats_server() : folder_(make_temporary_folder("nats")), token_(random_token()) {
  try {
    start();
    url_ = "nats://" + token_ + "@" + read_until_ready();
  } catch (...) {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    if (log_fd_ >= 0) ::close(log_fd_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
    throw;
  }
  log_reader_ = std::thread([this] { relay_log(); });
}

nats_server::~nats_server() {
  stopping_ = true;
  ::kill(child_, SIGTERM);
  ::kill(child_, SIGCONT);  // one that somebody stopped would not see the other
  ::waitpid(child_, nullptr, 0);
  log_reader_.join();
  ::close(log_fd_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void nats_server::start() {
  spdlog::debug("starting a private nats-server");
  // The token goes into a file that only we can read: arguments are visible to everybody.
  const std::filesystem::path config = folder_ / "nats.conf";
  std::ofstream(config) << "listen: \"127.0.0.1:-1\"\n"
                        << "max_payload: 1048576\n"
                        << "authorization { token: \"" << token_ << "\" }\n";

  int log[2];
  if (::pipe2(log, O_CLOEXEC) != 0) throw std::system_error(errno, std::system_category(), "pipe");
  log_fd_ = log[0];
  const std::string config_text = config.string();
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ == 0) {
    // Between fork and exec: only async-signal-safe calls.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);
    ::setpgid(0, 0);  // Ctrl-C at the terminal is for the bot, which then ends this one
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDIN_FILENO);
    ::dup2(log[1], STDOUT_FILENO);
    ::dup2(log[1], STDERR_FILENO);
    ::execlp("nats-server", "nats-server", "-c", config_text.c_str(), nullptr);
    static const char message[] = "[FTL] nats-server is not installed\n";
    static_cast<void>(!::write(STDERR_FILENO, message, sizeof message - 1));
    ::_exit(127);
  }
  ::close(log[1]);
  if (child_ < 0) throw std::system_error(errno, std::system_category(), "fork");
}

// Returns "host:port".
std::string nats_server::read_until_ready() {
  const auto deadline = std::chrono::steady_clock::now() + start_deadline;
  std::string address;
  std::string last_line;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd readable{log_fd_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&readable, 1, static_cast<int>(left.count())) == 0) {
      throw std::runtime_error("nats-server did not become ready within 10 seconds: " + last_line);
    }
    char buffer[4096];
    const ssize_t size = ::read(log_fd_, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      throw std::runtime_error("cannot start a private nats-server: " + last_line +
                               "; install it (Debian: nats-server) or name a running one with "
                               "nats.url");
    }
    pending_.append(buffer, static_cast<std::size_t>(size));
    for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      for (const char* level : {"[FTL] ", "[ERR] ", "[INF] "}) {
        if (const std::string text = after(line, level); !text.empty()) last_line = text;
      }
      if (const std::string found = after(line, "Listening for client connections on ");
          !found.empty()) {
        address = found;
      }
      if (line.find("Server is ready") != std::string::npos && !address.empty()) return address;
    }
  }
}

void nats_server::relay_log() {
  char buffer[4096];
  for (;;) {
    const ssize_t size = ::read(log_fd_, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    pending_.append(buffer, static_cast<std::size_t>(size));
    for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (!after(line, "[ERR] ").empty() || !after(line, "[FTL] ").empty()) {
        spdlog::warn("nats-server: {}", line);
      } else {
        spdlog::debug("nats-server: {}", line);
      }
    }
  }
  if (!stopping_) spdlog::error("the private nats-server ended unexpectedly; restart the bot");
}

}  // namespace rosey::host
