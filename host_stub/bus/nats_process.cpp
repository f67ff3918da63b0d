#include "host_stub/bus/nats_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

namespace rosey::host {
namespace {

constexpr std::chrono::seconds start_deadline{10};
constexpr std::chrono::milliseconds end_patience{500};
constexpr char loopback[] = "127.0.0.1";

[[noreturn]] void fail_with_errno(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

// Closes with the scope.
class descriptor {
 public:
  explicit descriptor(int opened) : opened_(opened) {}
  ~descriptor() {
    if (opened_ >= 0) ::close(opened_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  operator int() const { return opened_; }

 private:
  int opened_;
};

int milliseconds_to(std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max(0, static_cast<int>(left.count()));
}

// The text after `marker` in `line`, or "" if it is not there.
std::string after(const std::string& line, std::string_view marker) {
  const auto found = line.find(marker);
  return found == std::string::npos ? std::string() : line.substr(found + marker.size());
}

// A file in memory: no full disk cuts it short, nobody else can open it, and nothing is left of it.
// A server that found it empty would listen to everybody.
int configuration(const std::string& text) {
  const int file = ::memfd_create("nats.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0)
    fail_with_errno("cannot hold the configuration of the private nats-server in memory");
  const auto size = static_cast<ssize_t>(text.size());
  std::string stored(text.size() + 1, '\0');
  const bool written =
      ::write(file, text.data(), text.size()) == size &&
      ::fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;
  if (written && ::pread(file, stored.data(), stored.size(), 0) == size &&
      std::string_view(stored).substr(0, text.size()) == text) {
    return file;
  }
  const int reason = errno;
  ::close(file);
  throw std::system_error(reason, std::system_category(),
                          "cannot write the configuration of the private nats-server");
}

}  // namespace

nats_process::nats_process(const std::string& token, int port, int interrupt)
    : interrupt_(interrupt) {
  try {
    start(token, port);
    check_address(read_until_ready(), port);
    check_token();
  } catch (...) {
    end();
    throw;
  }
}

nats_process::~nats_process() {
  end();
}

void nats_process::start(const std::string& token, int port) {
  // The token is in a file: arguments are visible to everybody.
  const descriptor config(
      configuration(fmt::format("listen: \"{}:{}\"\nmax_payload: 1048576\n"
                                "authorization {{ token: \"{}\" }}\n",
                                loopback, port == 0 ? -1 : port, token)));
  const std::string config_name = fmt::format("/proc/self/fd/{}", static_cast<int>(config));

  int log[2];
  if (::pipe2(log, O_CLOEXEC) != 0) fail_with_errno("pipe");
  log_ = log[0];
  const descriptor log_end(log[1]);
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ < 0) fail_with_errno("fork");
  if (child_ > 0) return;
  // Between fork and exec: only async-signal-safe calls. SIGKILL also ends one that is suspended.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::setpgid(0, 0);  // Ctrl-C at the terminal is for the bot, which then ends this one
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, STDIN_FILENO);
  ::dup2(log_end, STDOUT_FILENO);
  ::dup2(log_end, STDERR_FILENO);
  ::fcntl(config, F_SETFD, 0);
  ::execlp("nats-server", "nats-server", "-c", config_name.c_str(), nullptr);
  static const char message[] = "[FTL] nats-server is not installed\n";
  static_cast<void>(!::write(STDERR_FILENO, message, sizeof message - 1));
  ::_exit(127);
}

std::optional<std::string> nats_process::next_line() {
  return next_line(std::nullopt);
}

std::optional<std::string> nats_process::next_line(std::optional<clock::time_point> deadline) {
  for (;;) {
    if (const auto end = pending_.find('\n'); end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    pollfd sources[] = {{log_, POLLIN, 0}, {interrupt_, POLLIN, 0}};
    const int ready = ::poll(sources, 2, deadline ? milliseconds_to(*deadline) : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || sources[1].revents) return std::nullopt;
    std::array<char, 4096> buffer;
    const ssize_t size = ::read(log_, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::nullopt;
    pending_.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

// Returns the address on which it says that it listens.
std::string nats_process::read_until_ready() {
  const auto deadline = clock::now() + start_deadline;
  std::string address;
  std::string last;
  while (const auto line = next_line(deadline)) {
    for (const char* level : {"[FTL] ", "[ERR] ", "[INF] "}) {
      if (std::string text = after(*line, level); !text.empty()) last = std::move(text);
    }
    if (std::string found = after(*line, "Listening for client connections on "); !found.empty()) {
      address = std::move(found);
    }
    if (line->find("Server is ready") != std::string::npos && !address.empty()) return address;
  }
  if (clock::now() >= deadline) {
    throw std::runtime_error("nats-server did not become ready within 10 seconds: " + last);
  }
  throw std::runtime_error("cannot start a private nats-server: " + last +
                           "; install it (Debian: nats-server) or name a running one with "
                           "nats.url");
}

void nats_process::check_address(const std::string& address, int wanted) {
  const auto colon = address.rfind(':');
  const std::string_view port = std::string_view(address).substr(colon + 1);
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), port_);
  const bool is_port = parsed.ec == std::errc() && parsed.ptr == port.data() + port.size();
  if (address.substr(0, colon) == loopback && is_port && (wanted == 0 || port_ == wanted)) return;
  throw exposed_server(
      fmt::format("the private nats-server listens on {} instead of {}:{}; it was ended", address,
                  loopback, wanted == 0 ? "(a free port)" : std::to_string(wanted)));
}

// Connects as anybody could, and must be turned away.
void nats_process::check_token() {
  const auto deadline = clock::now() + start_deadline;
  const descriptor stranger(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  constexpr std::string_view hello = "CONNECT {\"verbose\":false}\r\nPING\r\n";
  if (stranger < 0 ||
      ::connect(stranger, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::send(stranger, hello.data(), hello.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(hello.size())) {
    fail_with_errno("cannot ask the private nats-server whether it refuses strangers");
  }
  socklen_t length = sizeof address;
  ::getsockname(stranger, reinterpret_cast<sockaddr*>(&address), &length);
  stranger_ = fmt::format("{}:{} - ", loopback, ntohs(address.sin_port));
  std::string answer;
  for (;;) {
    pollfd readable{stranger, POLLIN, 0};
    if (::poll(&readable, 1, milliseconds_to(deadline)) == 0) {
      throw std::runtime_error("the private nats-server does not answer within 10 seconds");
    }
    std::array<char, 4096> buffer;
    const ssize_t size = ::recv(stranger, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size > 0) answer.append(buffer.data(), static_cast<std::size_t>(size));
    if (answer.find("\r\nPONG\r\n") != std::string::npos) {
      throw exposed_server(
          "the private nats-server admits clients without its token; it was ended");
    }
    if (answer.find("-ERR 'Authorization Violation'") != std::string::npos) return;
    if (size <= 0) {
      throw std::runtime_error("the private nats-server hung up without an answer");
    }
  }
}

bool nats_process::is_about_stranger(const std::string& line) const {
  return line.find(stranger_) != std::string::npos;
}

std::string nats_process::reap() {
  if (child_ < 0) return "was not started";
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  if (WIFSIGNALED(status)) return fmt::format("was ended by signal {}", WTERMSIG(status));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

void nats_process::end() noexcept {
  if (child_ > 0) {
    ::kill(child_, SIGTERM);
    ::kill(child_, SIGCONT);  // one that somebody suspended would not see the other
    if (!ended_within(end_patience)) ::kill(child_, SIGKILL);
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
  }
  if (log_ >= 0) ::close(std::exchange(log_, -1));
}

// Its end of the log goes with it.
bool nats_process::ended_within(std::chrono::milliseconds time) const {
  const auto deadline = clock::now() + time;
  for (;;) {
    pollfd ends{log_, POLLIN, 0};
    const int ready = ::poll(&ends, 1, milliseconds_to(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    std::array<char, 4096> ignored;
    if (::read(log_, ignored.data(), ignored.size()) <= 0) return true;
  }
}

}  // namespace rosey::host
