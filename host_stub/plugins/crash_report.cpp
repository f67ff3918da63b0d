#include "host_stub/plugins/crash_report.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace rosey::host {
namespace {

constexpr std::size_t spare_bytes = 64 * 1024;
constexpr int reader_patience = 200;  // milliseconds, for who does not read standard error

thread_local constinit const char* plugin_of_thread = nullptr;

// Whatever is called from here on is safe in a signal handler.
class crash_line {
 public:
  void add(const char* text) {
    while (*text != '\0' && size_ < sizeof text_ - 1) text_[size_++] = *text++;
  }
  // A pipe that is full must not keep the process from ending.
  void write() {
    text_[size_++] = '\n';
    pollfd error{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&error, 1, reader_patience) == 1) {
      static_cast<void>(!::write(STDERR_FILENO, text_, size_));
    }
  }

 private:
  char text_[256];
  std::size_t size_ = 0;
};

const char* name_of_signal(int number) {
  switch (number) {
    case SIGSEGV:
      return "SIGSEGV, it used memory that is not its own";
    case SIGBUS:
      return "SIGBUS, it used memory that is not there";
    case SIGILL:
      return "SIGILL, it ran what is no instruction";
    case SIGFPE:
      return "SIGFPE, such as a division by zero";
    case SIGABRT:
      return "SIGABRT, such as an exception that nobody may let out";
    default:
      return "a signal";
  }
}

// A thread that a plugin has started inherits the name of the plugin's own, such as "hello#3".
bool is_name_of_plugin_thread(const char* name) {
  const char* number = std::strchr(name, '#');
  return number && number != name;
}

void on_crash(int number, siginfo_t* info, void*) {
  const int kept = errno;
  crash_line line;
  char thread[16] = {};
  ::prctl(PR_GET_NAME, thread);
  if (plugin_of_thread) {
    line.add("rosey: the plugin '");
    line.add(plugin_of_thread);
    line.add("' crashed: ");
  } else if (is_name_of_plugin_thread(thread)) {
    line.add("rosey: a plugin crashed, in a thread that it started from '");
    line.add(thread);
    line.add("': ");
  } else {
    line.add("rosey: the bot crashed, outside of its plugins: ");
  }
  line.add(name_of_signal(number));
  line.write();
  // The default action is back: what caused the signal does so again. One that was sent has to be
  // sent again.
  if (info->si_code <= 0) ::raise(number);
  errno = kept;
}

}  // namespace

inside_plugin::inside_plugin(const char* name) noexcept : before_(plugin_of_thread) {
  plugin_of_thread = name;
}

inside_plugin::~inside_plugin() {
  plugin_of_thread = before_;
}

void belongs_to_plugin(const char* name) noexcept {
  plugin_of_thread = name;
}

spare_stack::spare_stack() : memory_(new char[spare_bytes]) {
  stack_t mine{};
  mine.ss_sp = memory_.get();
  mine.ss_size = spare_bytes;
  ::sigaltstack(&mine, &before_);
}

spare_stack::~spare_stack() {
  ::sigaltstack(&before_, nullptr);
}

void report_crashes() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return;  // they report more
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return;
#endif
#endif
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
    struct sigaction before {};
    if (::sigaction(number, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) continue;
    struct sigaction action {};
    action.sa_sigaction = &on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
    ::sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
  }
}

}  // namespace rosey::host
