// The libraries that lie beside a plugin because it needs them: it finds them by $ORIGIN, and so
// must its private copy.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "rosey/wire/result.hpp"

namespace rosey::host {

// Copies what `copy` needs, and finds by a run path that begins with $ORIGIN from where `original`
// lies, to where the copy finds it. For that the copy moves into a folder of its own, with
// everything else in it; the result is where it is then. Without such libraries it stays.
result<std::filesystem::path> bring_helpers(const std::filesystem::path& copy,
                                            const std::filesystem::path& original);

// The folder that bring_helpers has made for a copy; "" if it stayed where it was.
std::filesystem::path folder_of_copy(const std::filesystem::path& copy);

// The names of all libraries that those in the folder need.
std::set<std::string> needed_in(const std::filesystem::path& folder);

}  // namespace rosey::host
