// Disks that are full for a while.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "temporary_directory.hpp"

namespace rosey::tests {

// A file system of its own, of eight megabytes; what is started after it was made sees it, and it
// is gone with the test. Needs leave to mount.
class small_disk {
 public:
  small_disk();
  ~small_disk();
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  // Why there is none; "" if there is.
  const std::string& problem() const { return problem_; }
  const std::filesystem::path& path() const { return folder_.path(); }
  void fill() const;
  void free() const;

 private:
  temporary_directory folder_;
  std::string problem_;
};

// From now on the process can make no file larger than that, the next database page included; it
// has to ignore SIGXFSZ. Throws std::system_error.
void limit_files_of(pid_t process, std::size_t bytes);
void limit_files_no_more(pid_t process);

}  // namespace rosey::tests
