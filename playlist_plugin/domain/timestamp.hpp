// How moments are written into storage and events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rosey::playlist {

// "2024-05-01T12:34:56.789Z" for milliseconds since 1970, UTC. The text orders as the time does.
std::string iso_timestamp(std::int64_t milliseconds);

// Reads what iso_timestamp writes, with or without a fraction; nothing for any other text.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace rosey::playlist
