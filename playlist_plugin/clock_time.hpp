// What the two clocks say at one moment.
#pragma once

#include <cstdint>

namespace rosey::playlist {

// Milliseconds: since 1970, UTC, as the wall's clock is set; and by the steady clock, see clock.
struct clock_time {
  std::int64_t wall = 0;
  std::int64_t steady = 0;

  // What has to be added to the steady time for the wall's.
  std::int64_t wall_offset() const { return wall - steady; }
};

}  // namespace rosey::playlist
