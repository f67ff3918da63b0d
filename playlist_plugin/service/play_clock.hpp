// When the playing item has started, by a wall clock that may have been set meanwhile.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "playlist_plugin/clock_time.hpp"
#include "playlist_plugin/domain/channel_state.hpp"

namespace rosey::playlist {

// Storage keeps the start in the wall's time, so that it survives a restart. From the first sight
// of an item on, its start moves along when that clock is set: so the item ends by the steady
// clock.
class play_clock {
 public:
  std::int64_t start_of(const playing_item& playing, clock_time now) {
    const std::int64_t offset = now.wall_offset();
    if (!is_known(playing)) {
      stored(playing, offset);
      // It was started before the clock was set back, by somebody who is gone.
      if (shown_ > now.wall + tolerated) shown_ = now.wall;
    } else if (std::abs(offset - offset_) >= tolerated) {
      shown_ += offset - offset_;
      offset_ = offset;
    }
    return shown_;
  }

  // Storage has the start as it is shown; `offset` is that of the wall clock it was read from.
  void stored(const playing_item& playing, std::int64_t offset) {
    item_ = playing.item.id;
    stored_ = shown_ = playing.started_at;
    offset_ = offset;
  }

 private:
  static constexpr std::int64_t tolerated = 1000;  // milliseconds, by which clocks differ anyway

  bool is_known(const playing_item& playing) const {
    return playing.item.id == item_ &&
           (playing.started_at == stored_ || playing.started_at == shown_);
  }

  std::string item_;
  std::int64_t stored_ = 0;
  std::int64_t shown_ = 0;
  std::int64_t offset_ = 0;  // of the wall clock, when `shown_` was true
};

}  // namespace rosey::playlist
