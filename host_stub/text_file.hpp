// Files that people write.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>

#include "rosey/wire/result.hpp"

namespace rosey::host {

struct text_file_limits {
  std::size_t bytes = 32 * 1024 * 1024;
  std::chrono::milliseconds silence = std::chrono::seconds(30);  // of a pipe
};

// The whole file, or what a pipe or device gives until it ends, without the byte order mark that
// some editors begin with. The error's message tells why it cannot be read: "No such file or
// directory". Ends at the limits, and when the process is asked to end.
result<std::string> read_text_file(const std::filesystem::path& file,
                                   const text_file_limits& limits = {});

}  // namespace rosey::host
