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

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  namespace chrono = std::chrono;
  int year = 0;
  unsigned month = 0, day = 0;
  int hours = 0, minutes = 0, seconds = 0, fraction = 0, read = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d%n", &year, &month, &day, &hours, &minutes,
                  &seconds, &read) != 6) {
    return std::nullopt;
  }
  const std::string_view rest = text.substr(static_cast<std::size_t>(read));
  int fraction_size = 0;
  if (std::sscanf(std::string(rest).c_str(), ".%3d%n", &fraction, &fraction_size) == 1) {
    for (int digits = fraction_size - 1; digits < 3; ++digits) fraction *= 10;
  } else if (rest != "Z") {
    return std::nullopt;
  }
  const chrono::year_month_day date{chrono::year(year), chrono::month(month), chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  const auto moment = chrono::sys_days(date) + chrono::hours(hours) + chrono::minutes(minutes) +
                      chrono::seconds(seconds) + chrono::milliseconds(fraction);
  return chrono::duration_cast<chrono::milliseconds>(moment.time_since_epoch()).count();
}

}  // namespace rosey::playlist
