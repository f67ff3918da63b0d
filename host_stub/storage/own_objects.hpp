// What belongs to whom in a database, by its name: a migration reaches its own plugin's only.
#pragma once

#include <string>
#include <string_view>

namespace rosey::storage {

// What stands before the first '_': "playlist" of playlist_queue, "rosey" of rosey_kv.
inline std::string_view owner_of(std::string_view name) {
  const auto end = name.find('_');
  return end == name.npos ? std::string_view() : name.substr(0, end);
}

// The sentence that refuses a migration of `plugin`. `kind` is "table", "view", "function", …
std::string not_its_own(std::string_view plugin, std::string_view kind, std::string_view name);

}  // namespace rosey::storage
