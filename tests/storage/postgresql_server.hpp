// A PostgreSQL server of the tests' own, on a socket in a temporary folder.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "temporary_directory.hpp"

namespace rosey::tests {

// Runs as user postgres, or nobody, when we are root, because it refuses to be root. Ends with the
// thread that made it, even if that is killed. Throws std::runtime_error.
class postgresql_server {
 public:
  // With `largest_file` (bytes) no table can grow past it: as on a full disk.
  explicit postgresql_server(std::uintmax_t largest_file = 0);
  ~postgresql_server();
  postgresql_server(const postgresql_server&) = delete;
  postgresql_server& operator=(const postgresql_server&) = delete;

  std::string url() const;

  // Between the two it is as if it had crashed.
  void kill();
  void start();

  // Between the two it hangs: connections stay open, and nobody answers.
  void suspend();
  void resume();

 private:
  void signal_all(int number) const;

  temporary_directory folder_;
  std::uintmax_t largest_file_;
  pid_t child_ = -1;
};

// The server that CTest's fixture started for this run, or else one of this process' own.
// Valid until the process ends.
std::string shared_postgresql_url();

// Where the fixture that belongs to the process `ctest` writes the URL.
std::filesystem::path fixture_file(pid_t ctest);

}  // namespace rosey::tests
