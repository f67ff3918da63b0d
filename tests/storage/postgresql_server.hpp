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
  struct options {
    std::uintmax_t largest_file = 0;  // bytes past which no table can grow: as on a full disk
    bool durable = false;             // as in production, for what measures it
  };
  postgresql_server() : postgresql_server(options()) {}
  explicit postgresql_server(const options& chosen);
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
  const options options_;
  pid_t child_ = -1;
};

// Where a program of PostgreSQL's is, which Debian keeps out of the PATH. Throws
// std::runtime_error.
std::filesystem::path postgresql_program(const std::string& name);

// The server that CTest's fixture started for this run, or else one of this process' own.
// Valid until the process ends.
std::string shared_postgresql_url();

// Where the fixture that belongs to the process `ctest` writes the URL.
std::filesystem::path fixture_file(pid_t ctest);

}  // namespace rosey::tests
