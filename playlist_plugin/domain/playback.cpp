// The arithmetic of playing items.
#include "playlist_plugin/domain/playback.hpp"

#include <algorithm>

namespace rosey::playlist {

std::int64_t seconds_played(const playing_item& playing, std::int64_t now) {
  const std::int64_t played = std::max<std::int64_t>(0, (now - playing.started_at) / 1000);
  return playing.item.duration > 0 ? std::min(played, playing.item.duration) : played;
}

std::optional<std::int64_t> end_of(const playing_item& playing) {
  if (playing.item.duration <= 0) return std::nullopt;
  return playing.started_at + playing.item.duration * 1000;
}

}  // namespace rosey::playlist
