#include "integration/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace rosey::tests {
namespace {

using steady = std::chrono::steady_clock;

int left(steady::time_point deadline) {
  const auto rest =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady::now()).count();
  return rest > 0 ? static_cast<int>(rest) : 0;
}

void make_pipe(int (&ends)[2]) {
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::system_category(), "pipe");
}

}  // namespace

process::process(std::vector<std::string> command, const std::filesystem::path& working_directory) {
  int in[2], out[2], err[2];
  make_pipe(in);
  make_pipe(out);
  make_pipe(err);
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  child_ = ::fork();
  if (child_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    if (::chdir(working_directory.c_str()) != 0) ::_exit(126);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  ::close(err[1]);
  in_ = in[1];
  out_ = out[0];
  err_ = err[0];
  if (child_ < 0) throw std::system_error(errno, std::system_category(), "fork");
}

process::~process() {
  if (!status_) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  close_input();
  ::close(out_);
  ::close(err_);
}

void process::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(in_, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw std::system_error(errno, std::system_category(), "write to child");
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

void process::close_input() {
  if (in_ >= 0) ::close(std::exchange(in_, -1));
}

// Reads what there is on either stream; false when both have ended or the time is up.
bool process::pump(steady::time_point deadline) {
  pollfd sources[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
  const int ready = ::poll(sources, 2, left(deadline));
  if (ready < 0 && errno == EINTR) return true;
  if (ready <= 0) return false;
  bool any = false;
  for (const pollfd& source : sources) {
    if (!source.revents) continue;
    char buffer[65536];
    const ssize_t size = ::read(source.fd, buffer, sizeof buffer);
    if (size <= 0) continue;
    any = true;
    (source.fd == out_ ? output_ : log_).append(buffer, static_cast<std::size_t>(size));
  }
  // An ended stream is always ready: only the other one may still bring something.
  if (!any && sources[0].revents && sources[1].revents) return false;
  if (!any) {
    pollfd other = sources[0].revents ? sources[1] : sources[0];
    return ::poll(&other, 1, left(deadline)) > 0;
  }
  return true;
}

void process::give_up(std::string_view waited_for) const {
  throw std::runtime_error("the child did not write " + std::string(waited_for) +
                           "; its output: " + output_ + "\nits log:\n" + log_);
}

std::string process::read_line() {
  const auto deadline = steady::now() + patience;
  for (;;) {
    if (const auto end = output_.find('\n'); end != std::string::npos) {
      std::string line = output_.substr(0, end);
      output_.erase(0, end + 1);
      return line;
    }
    if (!pump(deadline)) give_up("another line");
  }
}

std::string process::read_rest() {
  const auto deadline = steady::now() + patience;
  while (pump(deadline)) {
  }
  return std::exchange(output_, {});
}

std::string process::wait_for_log(std::string_view text) {
  const auto deadline = steady::now() + patience;
  for (;;) {
    for (auto end = log_.find('\n', log_seen_); end != std::string::npos;
         end = log_.find('\n', log_seen_)) {
      const std::string line = log_.substr(log_seen_, end - log_seen_);
      log_seen_ = end + 1;
      if (line.find(text) != std::string::npos) return line;
    }
    if (!pump(deadline)) give_up("'" + std::string(text) + "' to its log");
  }
}

void process::drain(std::chrono::milliseconds silence) {
  while (pump(steady::now() + silence)) {
  }
}

void process::signal(int number) {
  ::kill(child_, number);
}

int process::wait(std::chrono::seconds most) {
  if (status_) return *status_;
  const auto deadline = steady::now() + most;
  const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, child_, 0));
  while (pump(deadline)) {
  }
  pollfd ended{descriptor, POLLIN, 0};
  const bool in_time = ::poll(&ended, 1, left(deadline)) > 0;
  ::close(descriptor);
  if (!in_time) give_up("its end");
  int raw = 0;
  ::waitpid(child_, &raw, 0);
  status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  return *status_;
}

finished run(std::vector<std::string> command, const std::filesystem::path& working_directory,
             std::string_view input, std::chrono::seconds most) {
  process child(std::move(command), working_directory);
  try {
    child.write(input);
  } catch (const std::system_error&) {
    // It ended without reading all: what it says counts.
  }
  child.close_input();
  const int status = child.wait(most);
  return {status, child.read_rest(), child.log()};
}

}  // namespace rosey::tests
