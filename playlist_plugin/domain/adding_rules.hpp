// What may be added, and what is done when a site tells later what an item really is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "playlist_plugin/domain/change.hpp"
#include "playlist_plugin/domain/quota.hpp"
#include "playlist_plugin/domain/refusal.hpp"

namespace rosey::playlist {

struct new_item {
  media_link media;
  std::string title;
  std::int64_t duration = 0;  // seconds; 0 when unknown
  std::string thumbnail_url = {};
  std::string channel_name = {};
  std::optional<std::int64_t> last_played = {};  // milliseconds since 1970, in this channel
};

// An item of which only the link is known, and with what its site has told.
new_item undescribed(const media_link& media);
void describe(new_item& item, const media_metadata& about);

struct add_outcome {
  playlist::change change;
  std::vector<queue_item> items;  // at least one
  std::size_t number = 0;         // the first one's in !queue; 1 for one that plays at once
  std::size_t left_out = 0;       // items that were refused
  std::string reason = {};        // of the first that was
  std::size_t other_reasons = 0;  // items that were refused for another one
  bool full = false;              // more of a list would not have been taken either
};

// Why nothing more may be added, whatever it is; or not so many seconds of it.
std::optional<refusal> room_refusal(const channel_state& channel, std::int64_t duration,
                                    const adder& by, const queue_limits& limits, std::int64_t now);

// Adds what is allowed of one or more items; refused when that is nothing. They count as one add
// for the rate limit. `now` is in milliseconds since 1970, here and below.
result<add_outcome> add_all(const channel_state& channel, const std::vector<new_item>& items,
                            const adder& by, const queue_limits& limits, std::int64_t now);
result<add_outcome> add(const channel_state& channel, const new_item& item, const adder& by,
                        const queue_limits& limits, std::int64_t now);

// Whether nothing of a list behind these items, its first ones, would be taken.
bool fills_up(const channel_state& channel, const std::vector<new_item>& items, const adder& by,
              const queue_limits& limits, std::int64_t now);

struct removed_item {
  queue_item item;
  std::string reason;
};
struct settle_outcome {
  std::optional<playlist::change> change;  // nothing when nothing waits for this
  std::vector<removed_item> removed;       // what breaks a limit, now that it is known
  bool more = false;                       // items wait for it that this change leaves out
};
// What the site tells about this media has come. Items that are exempt stay, whatever it is.
settle_outcome settle(const channel_state& channel, const media_link& media,
                      const media_metadata& about, const queue_limits& limits, std::int64_t now);

}  // namespace rosey::playlist
