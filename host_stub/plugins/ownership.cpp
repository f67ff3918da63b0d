#include "host_stub/plugins/ownership.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

namespace rosey::host {
namespace {

// A sticky folder, such as /tmp, lets nobody exchange what another one owns in it.
std::string problem_with_entry(const std::filesystem::path& entry, bool may_be_sticky) {
  struct stat found {};
  if (::stat(entry.c_str(), &found) != 0) return {};  // opening it says why
  if (found.st_uid != 0 && found.st_uid != ::geteuid()) {
    return fmt::format("'{}' belongs to user {}; run: chown {} '{}'", entry.string(), found.st_uid,
                       ::geteuid(), entry.string());
  }
  if (may_be_sticky && (found.st_mode & S_ISVTX) != 0) return {};
  const bool everybody = (found.st_mode & S_IWOTH) != 0;
  const bool group = (found.st_mode & S_IWGRP) != 0 && found.st_gid != 0;
  if (!everybody && !group) return {};
  return fmt::format("'{}' may be written by {}; run: chmod go-w '{}'", entry.string(),
                     everybody ? std::string("everybody") : fmt::format("group {}", found.st_gid),
                     entry.string());
}

}  // namespace

std::string problem_with_writers(const std::filesystem::path& file) {
  return problem_with_entry(file, false);
}

std::string problem_with_writers_of_folder(const std::filesystem::path& folder) {
  if (std::string problem = problem_with_entry(folder, false); !problem.empty()) return problem;
  std::error_code failure;
  const std::filesystem::path real = std::filesystem::canonical(folder, failure);
  if (failure) return {};
  for (auto above = real.parent_path();; above = above.parent_path()) {
    if (std::string problem = problem_with_entry(above, true); !problem.empty()) return problem;
    if (above == above.parent_path()) return {};
  }
}

}  // namespace rosey::host
