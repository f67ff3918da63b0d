// The arithmetic of playing items.
#include "playlist_plugin/domain/playback.hpp"

#include <algorithm>

namespace rosey::playlist {

std::int64_t seconds_played(const playing_item& playing, std::int64_t now) {
  const std::int64_t played = std::max<std::int64_t>(0, (now - playing.started_at) / 1000);
  return playing.item.duration > 0 ? std::min(played, playing.item.duration) : played;
}

std::optional<std::int64_t> end_of(const playing_item& playing, const playback_config& config) {
  const std::int64_t seconds =
      playing.item.duration > 0 ? playing.item.duration : config.max_unknown_duration;
  if (seconds <= 0) return std::nullopt;
  return playing.started_at + seconds * 1000;
}

play_end skipped_at(const playing_item& playing, std::int64_t now) {
  return {now, seconds_played(playing, now), true};
}

std::optional<play_end> natural_end(const playing_item& playing, const playback_config& config,
                                    std::int64_t now) {
  const auto end = end_of(playing, config);
  if (!end || *end > now) return std::nullopt;
  return play_end{*end, seconds_played(playing, *end), false};
}

play_end ended_by_player(const playing_item& playing, std::optional<std::int64_t> position,
                         std::int64_t now) {
  std::int64_t played = position.value_or(seconds_played(playing, now));
  if (playing.item.duration > 0) played = std::min(played, playing.item.duration);
  return {now, played, false};
}

}  // namespace rosey::playlist
