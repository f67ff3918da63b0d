// Old playlists as files: CyTube's lists in JSON, or a link a line.
#pragma once

#include <boost/json/array.hpp>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "rosey/wire/result.hpp"

namespace rosey::host {

// What one channel gets. What an entry means is the playlist's to say.
struct import_list {
  std::string channel;
  boost::json::array entries;
  std::vector<std::size_t> lines;  // of the entries, from 1; empty where they are only counted

  // "line 7", or "entry 3 of #lobby".
  std::string place(std::size_t index) const;
};

// A list of entries, an object of such lists by channel, or text with a URL a line and comments
// that begin with '#'. `channel` is where a list or text goes, and which list of an object is
// taken; "": all of an object. Fails with a sentence that names the file, and the line or entry.
result<std::vector<import_list>> read_import_file(const std::filesystem::path& file,
                                                  const std::string& channel);

}  // namespace rosey::host
