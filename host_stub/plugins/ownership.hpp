// Who can put code into the bot: all who may write its plugins.
#pragma once

#include <filesystem>
#include <string>

namespace rosey::host {

// Why a library can be changed by others than root and the user that runs the bot, and what would
// mend it; "" if it cannot. It is its own mode and owner that count.
std::string problem_with_writers(const std::filesystem::path& file);

// The same of a folder: also the folders above it, which can exchange it.
std::string problem_with_writers_of_folder(const std::filesystem::path& folder);

}  // namespace rosey::host
