// Files that people write.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "rosey/wire/result.hpp"

namespace rosey::host {

// The whole file, without the byte order mark that some editors begin with. The error's message
// tells why it cannot be read: "No such file or directory".
inline result<std::string> read_text_file(const std::filesystem::path& file) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  std::error_code unknown;
  if (std::filesystem::is_directory(file, unknown)) return error{"file", "it is a folder"};
  std::ifstream in(file, std::ios::binary);
  if (!in) return error{"file", std::strerror(errno)};
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return error{"file", "reading it failed"};
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  return text;
}

}  // namespace rosey::host
