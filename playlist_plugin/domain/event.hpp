// What happened to a channel, as listeners are told after it was stored. Applied in order to a
// snapshot of the queue, the events of a change give the queue after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "playlist_plugin/domain/queue_item.hpp"

namespace rosey::playlist {

struct item_added {  // at the end of what waits
  queue_item item;
  std::size_t number = 0;  // its place there, from 1
};
struct item_removed {
  queue_item item;
  std::string by;
};
struct item_playing {  // the first that waited has left the others and plays
  queue_item item;
  std::int64_t started_at = 0;  // milliseconds since 1970
};
struct item_position {  // a player corrected when the playing item started
  std::string item_id;
  std::int64_t started_at = 0;  // milliseconds since 1970
};
struct item_finished {  // nothing plays now
  queue_item item;
  std::int64_t played = 0;  // seconds
  bool skipped = false;
};
struct queue_cleared {  // nothing waits now
  std::size_t count = 0;
  std::string by;
};
struct queue_shuffled {
  std::vector<std::string> order;  // ids of all that wait
  std::string by;
};
struct item_moved {
  queue_item item;
  std::string after;  // id of the item before it; "" at the start
  std::string by;
};
struct skip_voted {
  std::string item_id;
  std::string user;
  std::size_t votes = 0;
  std::size_t needed = 0;
};
struct skip_withdrawn {  // the voter has left, or the vote has expired
  std::string item_id;
  std::string user;
  std::size_t votes = 0;
  std::size_t needed = 0;
};
struct skip_passed {
  std::string item_id;
  std::size_t votes = 0;
  std::size_t needed = 0;
};

struct metadata_fetched {  // the item has its title, and perhaps a duration, now
  queue_item item;
};

using event = std::variant<metadata_fetched, item_added, item_removed, item_playing, item_position,
                           item_finished, queue_cleared, queue_shuffled, item_moved, skip_voted,
                           skip_withdrawn, skip_passed>;

}  // namespace rosey::playlist
