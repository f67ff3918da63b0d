#include "host_stub/text_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

namespace rosey::host {
namespace {

class open_file {
 public:
  // Does not wait for the writer of a pipe, nor make a terminal ours.
  explicit open_file(const std::filesystem::path& file)
      : number_(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {}
  ~open_file() {
    if (number_ >= 0) ::close(number_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  int number() const { return number_; }

 private:
  int number_;
};

error unreadable(std::string why) {
  return {"file", std::move(why)};
}

// By a signal that is blocked, and that nobody has taken yet.
bool is_asked_to_end() {
  sigset_t pending;
  ::sigemptyset(&pending);
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1;
}

// Until there is something to read, or the end.
result<void> wait_for_more(int file, std::chrono::milliseconds most) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  constexpr std::chrono::milliseconds look{100};
  for (;;) {
    pollfd readable{file, POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(look.count())) > 0) return {};
    if (is_asked_to_end()) return unreadable("interrupted");
    if (std::chrono::steady_clock::now() >= deadline) {
      return unreadable(
          fmt::format("nothing came for {} seconds", std::chrono::duration<double>(most).count()));
    }
  }
}

}  // namespace

result<std::string> read_text_file(const std::filesystem::path& file,
                                   const text_file_limits& limits) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  const open_file in(file);
  struct stat about {};
  if (in.number() < 0 || ::fstat(in.number(), &about) != 0) return unreadable(std::strerror(errno));
  if (S_ISDIR(about.st_mode)) return unreadable("it is a folder");
  std::string text;
  std::vector<char> buffer(256 * 1024);
  for (;;) {
    if (const auto more = wait_for_more(in.number(), limits.silence); !more) return more.error();
    const ssize_t size = ::read(in.number(), buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) return unreadable(std::strerror(errno));
    if (size == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(size));
    if (text.size() > limits.bytes) {
      return unreadable(fmt::format("it has more than {} bytes", limits.bytes));
    }
  }
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  return text;
}

}  // namespace rosey::host
