// What a site tells about one of its media.
#pragma once

#include <cstdint>
#include <string>

namespace rosey::playlist {

struct media_metadata {
  std::string title;          // fit to be shown, never empty
  std::int64_t duration = 0;  // seconds; 0 when not told
  std::string thumbnail_url = {};
  std::string channel_name = {};  // of the author

  friend bool operator==(const media_metadata&, const media_metadata&) = default;
};

}  // namespace rosey::playlist
