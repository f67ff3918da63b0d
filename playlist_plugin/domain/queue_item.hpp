// One item of a channel's queue, from the moment it was added until it has played or was removed.
#pragma once

#include <cstdint>
#include <string>

#include "playlist_plugin/domain/media_link.hpp"

namespace rosey::playlist {

struct queue_item {
  std::string id;  // "q17": unique in its channel for good, restarts included
  media_link media;
  std::string title;          // fit to be shown, never empty
  std::int64_t duration = 0;  // seconds; 0 when unknown
  std::string added_by;
  std::int64_t added_at = 0;       // milliseconds since 1970, UTC
  std::string thumbnail_url = {};  // "" when unknown
  std::string channel_name = {};   // of the media's author; "" when unknown
  bool exempt = false;             // from the limits on users and on the length of an item

  friend bool operator==(const queue_item&, const queue_item&) = default;
};

// Whether what the site says about the item has not come yet.
inline bool is_undescribed(const queue_item& item) {
  return item.duration == 0 && item.title == placeholder_title(item.media);
}

// Ids are numbered per channel and short enough to be typed.
inline std::string item_id(std::int64_t number) {
  return "q" + std::to_string(number);
}

}  // namespace rosey::playlist
