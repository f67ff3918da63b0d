// Where a playing item stands, computed from the wall clock, so that it survives a restart.
#pragma once

#include <cstdint>
#include <optional>

#include "playlist_plugin/domain/channel_state.hpp"

namespace rosey::playlist {

struct playback_config {
  std::int64_t max_unknown_duration = 0;  // seconds that an unknown duration plays; 0: no limit

  friend bool operator==(const playback_config&, const playback_config&) = default;
};

// Seconds played at `now`: never negative, never more than a known duration.
std::int64_t seconds_played(const playing_item& playing, std::int64_t now);

// When the item ends, in milliseconds since 1970; nothing for what plays until it is skipped.
std::optional<std::int64_t> end_of(const playing_item& playing, const playback_config& config);

// How an item's play ended.
struct play_end {
  std::int64_t at = 0;      // milliseconds since 1970
  std::int64_t played = 0;  // seconds
  bool skipped = false;
};

// Ended by somebody, at `now`.
play_end skipped_at(const playing_item& playing, std::int64_t now);

// Ended by itself, when its time was over: perhaps long before `now`, while nobody was running.
// Nothing while it still plays.
std::optional<play_end> natural_end(const playing_item& playing, const playback_config& config,
                                    std::int64_t now);

// Ended because a player says so; `position` is how far it came, in seconds, if it says that too.
play_end ended_by_player(const playing_item& playing, std::optional<std::int64_t> position,
                         std::int64_t now);

}  // namespace rosey::playlist
