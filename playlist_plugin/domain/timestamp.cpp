// ISO 8601 text of a moment.
#include "playlist_plugin/domain/timestamp.hpp"

#include <array>
#include <chrono>
#include <cstdio>

namespace rosey::playlist {

std::string iso_timestamp(std::int64_t milliseconds) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::milliseconds> moment{chrono::milliseconds(milliseconds)};
  const auto midnight = chrono::floor<chrono::days>(moment);
  const chrono::year_month_day date(midnight);
  const chrono::hh_mm_ss time(moment - midnight);
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                                 int(date.year()), unsigned(date.month()), unsigned(date.day()),
                                 int(time.hours().count()), int(time.minutes().count()),
                                 int(time.seconds().count()), int(time.subseconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace rosey::playlist
