// CTest's fixture: "start" gives all tests of one run a PostgreSQL server, "stop" ends it. A
// process in between keeps the server, and ends with CTest if nobody stops it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <string>

#include "storage/postgresql_server.hpp"

namespace {

using rosey::tests::fixture_file;
using rosey::tests::postgresql_server;

int open_process(pid_t id) {
  return static_cast<int>(::syscall(SYS_pidfd_open, id, 0));
}

// The second line of the fixture's file is the keeper's id.
void write_file(pid_t ctest, const std::string& url) {
  const auto file = fixture_file(ctest);
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << url << '\n' << ::getpid() << '\n';
}

// Its streams are not CTest's: that would wait for their end.
int keep(pid_t ctest, int ready) {
  ::setsid();
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  const int told = ::signalfd(-1, &ends, SFD_CLOEXEC);
  const int ctest_process = open_process(ctest);
  try {
    const postgresql_server server;
    write_file(ctest, server.url());
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      ::dup2(::open("/dev/null", O_RDWR | O_CLOEXEC), stream);
    }
    static_cast<void>(!::write(ready, "1", 1));
    ::close(ready);
    pollfd sources[] = {{told, POLLIN, 0}, {ctest_process, POLLIN, 0}};
    while (::poll(sources, 2, -1) < 0) {
    }
    std::filesystem::remove(fixture_file(ctest));
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
}

int start() {
  const pid_t ctest = ::getppid();
  if (std::filesystem::exists(fixture_file(ctest))) return 0;  // as `ctest --repeat` does
  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) != 0) return 1;
  const pid_t keeper = ::fork();
  if (keeper == 0) {
    ::close(ready[0]);
    ::_exit(keep(ctest, ready[1]));
  }
  ::close(ready[1]);
  char byte = 0;
  return ::read(ready[0], &byte, 1) == 1 ? 0 : 1;
}

int stop() {
  if (!std::filesystem::exists(fixture_file(::getppid()))) return 0;
  std::ifstream file(fixture_file(::getppid()));
  std::string url;
  pid_t keeper = -1;
  if (!std::getline(file, url) || !(file >> keeper)) return 1;
  const int process = open_process(keeper);
  ::kill(keeper, SIGTERM);
  pollfd ended{process, POLLIN, 0};
  return ::poll(&ended, 1, 30'000) == 1 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return argc == 2 && std::string(argv[1]) == "start" ? start() : stop();
}
