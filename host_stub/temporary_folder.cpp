#include "host_stub/temporary_folder.hpp"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>
#include <system_error>

namespace rosey::host {
namespace {

// "rosey-PURPOSE-PID-XXXXXX"
bool left_by_dead_process(const std::string& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  int process = 0;
  const char* begin = name.data() + prefix.size();
  const auto parsed = std::from_chars(begin, name.data() + name.size(), process);
  if (parsed.ec != std::errc() || process <= 0) return false;
  return ::kill(process, 0) != 0 && errno == ESRCH;
}

}  // namespace

std::filesystem::path make_temporary_folder(std::string_view purpose) {
  std::error_code missing;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(missing);
  if (missing) {
    throw std::system_error(missing, "there is no folder for temporary files; set TMPDIR to one");
  }
  const std::string prefix = "rosey-" + std::string(purpose) + "-";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    if (left_by_dead_process(entry.path().filename().string(), prefix)) {
      std::filesystem::remove_all(entry.path(), ignored);
    }
  }
  std::string pattern = (parent / (prefix + std::to_string(::getpid()) + "-XXXXXX")).string();
  if (!::mkdtemp(pattern.data())) {
    throw std::system_error(errno, std::system_category(),
                            "cannot make a folder in " + parent.string());
  }
  return pattern;
}

}  // namespace rosey::host
