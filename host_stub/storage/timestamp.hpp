// Points in time as texts: ISO 8601 outside, the form of CURRENT_TIMESTAMP in the database.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rosey::storage {

using timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

// "2024-05-01T12:00:00", with a blank instead of the T, a fraction (cut to milliseconds) and an
// offset or Z if wanted. UTC without one. Years 1 to 9999.
std::optional<timestamp> parse_timestamp(std::string_view text);

// Since 1970. Years 1 to 9999.
std::optional<timestamp> timestamp_from_seconds(std::int64_t seconds);

// "2024-05-01 12:00:00[.fff]" in UTC: texts of this form sort like the times that they mean.
std::string stored_form(timestamp time);

// "2024-05-01T12:00:00[.fff]Z"
std::string iso_form(timestamp time);

}  // namespace rosey::storage
