// Where a playing item stands, computed from the wall clock, so that it survives a restart.
#pragma once

#include <cstdint>
#include <optional>

#include "playlist_plugin/domain/channel_state.hpp"

namespace rosey::playlist {

// Seconds played at `now`: never negative, never more than a known duration.
std::int64_t seconds_played(const playing_item& playing, std::int64_t now);

// When the item ends, in milliseconds since 1970; nothing for an unknown duration, which plays
// until it is skipped.
std::optional<std::int64_t> end_of(const playing_item& playing);

}  // namespace rosey::playlist
