// A private copy of a library's file: whole, or not at all.
#pragma once

#include <filesystem>
#include <string_view>

#include "rosey/wire/result.hpp"

namespace rosey::host {

// Copies `file` into `folder` under a name never used before in this process, so that the file may
// be overwritten or deleted while the copy is loaded. Loading a library that is cut short ends the
// process with SIGBUS: a file that somebody still writes to is refused with code "being_written",
// and one whose ELF headers promise more than it holds with "refused". A sentence says what is at
// fault: the file, or the place of the copy.
result<std::filesystem::path> shadow_copy(const std::filesystem::path& file,
                                          const std::filesystem::path& folder);

// The same, to a path where there is nothing yet.
result<void> copy_library(const std::filesystem::path& from, const std::filesystem::path& to);

// A refusal that names the file.
error refused(const std::filesystem::path& file, std::string_view why);

// False also if one of them cannot be read.
bool same_content(const std::filesystem::path& one, const std::filesystem::path& other);

}  // namespace rosey::host
