// Folders for files that are of no use once this process has ended.
#pragma once

#include <filesystem>
#include <string_view>

namespace rosey::host {

// Makes a folder that only this user can enter, named after this process. Removes those of
// processes that were killed before they could. The caller removes it.
// Throws std::system_error.
std::filesystem::path make_temporary_folder(std::string_view purpose);

}  // namespace rosey::host
