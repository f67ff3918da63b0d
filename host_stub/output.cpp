#include "host_stub/output.hpp"

#include <fcntl.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "rosey/wire/printable.hpp"

namespace rosey::host {
namespace {

std::atomic<int> output_error{0};

constexpr std::size_t longest_message = 16 * 1024;  // bytes of the log

// Of each message: a plugin or nats-server cannot begin another line with it.
class one_line_formatter final : public spdlog::formatter {
 public:
  explicit one_line_formatter(std::unique_ptr<spdlog::formatter> inner)
      : inner_(std::move(inner)) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    const std::string_view said(message.payload.data(), message.payload.size());
    const std::string text = said.size() <= longest_message
                                 ? wire::escaped(said)
                                 : wire::escaped(wire::cut_utf8(said, longest_message)) + "…";
    spdlog::details::log_msg clean = message;
    clean.payload = text;
    inner_->format(clean, line);
    message.color_range_start = clean.color_range_start;
    message.color_range_end = clean.color_range_end;
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<one_line_formatter>(inner_->clone());
  }

 private:
  std::unique_ptr<spdlog::formatter> inner_;
};

// stdio locks the stream for each call, so that whole messages of two threads never mix. 0, or why
// it failed.
int write_to(std::FILE* to, std::string_view text) {
  const std::string clean = wire::printable_lines(text);
  errno = 0;
  if (std::fwrite(clean.data(), 1, clean.size(), to) == clean.size() && std::fflush(to) == 0) {
    return 0;
  }
  const int why = errno != 0 ? errno : EIO;
  std::clearerr(to);
  return why;
}

}  // namespace

void open_standard_streams() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) < 0 && errno == EBADF) {
      // It gets the lowest number that is free: this one.
      static_cast<void>(::open("/dev/null", number == STDIN_FILENO ? O_RDONLY : O_WRONLY));
    }
  }
}

void write_output(std::string_view text) {
  int none = 0;
  const int why = write_to(stdout, text);
  if (why == 0 || !output_error.compare_exchange_strong(none, why)) return;
  spdlog::warn("standard output cannot be written: {}", std::strerror(why));
}

void write_error(std::string_view text) {
  static_cast<void>(write_to(stderr, text));  // there is nobody left to be told
}

std::string output_failure() {
  const int why = output_error;
  return why == 0 || why == EPIPE ? std::string() : std::strerror(why);
}

void log_to_error() {
  spdlog::set_default_logger(spdlog::stderr_color_mt("rosey"));
  spdlog::set_formatter(std::make_unique<one_line_formatter>(
      std::make_unique<spdlog::pattern_formatter>("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v")));
  // One that cannot be written is no reason for more lines about it.
  spdlog::set_error_handler([](const std::string&) {});
}

}  // namespace rosey::host
