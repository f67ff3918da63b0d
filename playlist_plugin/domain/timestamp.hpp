// How moments are written into storage and events.
#pragma once

#include <cstdint>
#include <string>

namespace rosey::playlist {

// "2024-05-01T12:34:56.789Z" for milliseconds since 1970, UTC. The text orders as the time does.
std::string iso_timestamp(std::int64_t milliseconds);

}  // namespace rosey::playlist
