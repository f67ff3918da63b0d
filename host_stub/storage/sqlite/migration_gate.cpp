// flock() on a file of its own: closing the database's file would drop SQLite's locks on it.
#include "host_stub/storage/sqlite/migration_gate.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "host_stub/storage/session.hpp"

namespace rosey::storage {

namespace {

// With the mode of the database, as SQLite makes its own files beside it: who may use one may use
// the other.
int open_beside(const std::string& database, const std::string& name) {
  const int made = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0) return ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct stat like {};
  if (::stat(database.c_str(), &like) == 0) static_cast<void>(::fchmod(made, like.st_mode & 0666));
  return made;
}

}  // namespace

migration_gate::migration_gate(const std::string& database) {
  const std::string name = database + "-gate";
  file_ = open_beside(database, name);
  if (file_ < 0) {
    throw sql_failure(sql_failure_kind::broken,
                      fmt::format("cannot open '{}': {}", name, std::strerror(errno)));
  }
}

migration_gate::~migration_gate() {
  ::close(file_);
}

void migration_gate::pass(std::chrono::milliseconds patience) {
  if (held_) return;
  lock(LOCK_SH, patience);
  ::flock(file_, LOCK_UN);
}

void migration_gate::hold(std::chrono::milliseconds patience) {
  lock(LOCK_EX, patience);
  held_ = true;
}

void migration_gate::lock(int mode, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (::flock(file_, mode | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      throw sql_failure(sql_failure_kind::broken,
                        fmt::format("cannot lock the database: {}", std::strerror(errno)));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      throw sql_failure(sql_failure_kind::busy, migration_at_work);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace rosey::storage
