// Parsing and writing of timestamps.
#include "host_stub/storage/timestamp.hpp"

#include <fmt/format.h>

namespace rosey::storage {

namespace {

namespace chrono = std::chrono;

// Reads a text from its beginning; the first thing that is not as expected fails all that follows.
class scanner {
 public:
  explicit scanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    if (rest_.size() < count) return fail();
    int number = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return fail();
      number = number * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return number;
  }

  bool accept(std::string_view any_of) {
    if (failed_ || rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  void expect(std::string_view any_of) {
    if (!accept(any_of)) fail();
  }

  // The digits behind a point, cut to milliseconds.
  int fraction() {
    int milliseconds = 0;
    int weight = 100;
    std::size_t count = 0;
    for (; count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9'; ++count) {
      milliseconds += (rest_[count] - '0') * weight;
      weight /= 10;
    }
    if (count == 0) return fail();
    rest_.remove_prefix(count);
    return milliseconds;
  }

  bool at_end() const { return rest_.empty(); }
  bool failed() const { return failed_; }
  int fail() {
    failed_ = true;
    return 0;
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

// Minutes to subtract to come to UTC. RFC 3339 knows offsets of less than a day.
int offset_minutes(scanner& in) {
  if (in.at_end() || in.accept("Zz")) return 0;
  const bool ahead = in.accept("+");
  if (!ahead) in.expect("-");
  const int hours = in.digits(2);
  in.accept(":");
  const int minutes = in.at_end() ? 0 : in.digits(2);
  if (hours > 23 || minutes > 59) return in.fail();
  return (ahead ? 1 : -1) * (hours * 60 + minutes);
}

bool representable(timestamp time) {
  const chrono::year_month_day date(chrono::floor<chrono::days>(time));
  return date.year() >= chrono::year(1) && date.year() <= chrono::year(9999);
}

std::string written(timestamp time, char separator) {
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(time - day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), separator,
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  const auto milliseconds = clock.subseconds().count();
  if (milliseconds != 0) text += fmt::format(".{:03}", milliseconds);
  return text;
}

}  // namespace

std::optional<timestamp> parse_timestamp(std::string_view text) {
  scanner in(text);
  const chrono::year year(in.digits(4));
  in.expect("-");
  const chrono::month month(static_cast<unsigned>(in.digits(2)));
  in.expect("-");
  const chrono::day day(static_cast<unsigned>(in.digits(2)));
  in.expect("Tt ");
  const int hour = in.digits(2);
  in.expect(":");
  const int minute = in.digits(2);
  in.expect(":");
  const int second = in.digits(2);
  const int millisecond = in.accept(".") ? in.fraction() : 0;
  const int offset = offset_minutes(in);

  const chrono::year_month_day date(year, month, day);
  if (in.failed() || !in.at_end() || !date.ok()) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const timestamp time = chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) +
                         chrono::seconds(second) + chrono::milliseconds(millisecond) -
                         chrono::minutes(offset);
  if (!representable(time)) return std::nullopt;
  return time;
}

std::optional<timestamp> timestamp_from_seconds(std::int64_t seconds) {
  constexpr std::int64_t far = 1'000'000'000'000;  // keeps the calendar from overflowing
  if (seconds < -far || seconds > far) return std::nullopt;
  const timestamp time{chrono::seconds(seconds)};
  if (!representable(time)) return std::nullopt;
  return time;
}

std::string stored_form(timestamp time) {
  return written(time, ' ');
}

std::string iso_form(timestamp time) {
  return written(time, 'T') + "Z";
}

}  // namespace rosey::storage
