// How durations, progress and titles are written in chat, and what text is fit to be shown.
#include "playlist_plugin/domain/text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "rosey/wire/printable.hpp"

namespace rosey::playlist {
namespace {

constexpr std::string_view ellipsis = "…";
constexpr std::string_view bar = "▬";
constexpr std::string_view knob = "🔘";

// Blanks, joiners, marks of direction and fillers: of these alone a text would look empty.
bool is_invisible(char32_t c) {
  constexpr std::pair<char32_t, char32_t> ranges[] = {
      {0x20, 0x20},     {0xA0, 0xA0},     {0xAD, 0xAD},     {0x34F, 0x34F},    {0x61C, 0x61C},
      {0x115F, 0x1160}, {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x2000, 0x200F},  {0x2028, 0x202F},
      {0x205F, 0x206F}, {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164},  {0xFE00, 0xFE0F},
      {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [c](const auto& range) { return c >= range.first && c <= range.second; });
}

std::string two_digits(std::int64_t value) {
  std::string digits = value < 10 ? "0" : "";
  return digits += std::to_string(value);
}

}  // namespace

std::string format_duration(std::int64_t seconds) {
  if (seconds <= 0) return "??:??";
  const std::int64_t hours = seconds / 3600;
  const std::int64_t minutes = seconds / 60 % 60;
  std::string shown;
  if (hours > 0) shown += std::to_string(hours) + ":";
  shown += hours > 0 ? two_digits(minutes) : std::to_string(minutes);
  shown += ":";
  return shown += two_digits(seconds % 60);
}

std::string format_limit(std::int64_t seconds) {
  if (seconds % 60 != 0) return format_duration(seconds);
  return std::to_string(seconds / 60) + (seconds == 60 ? " minute" : " minutes");
}

std::string format_total(std::int64_t seconds) {
  if (seconds <= 0) return "0m";
  const std::int64_t hours = seconds / 3600;
  std::string shown;
  if (hours > 0) shown += std::to_string(hours) + "h ";
  return shown += std::to_string(seconds / 60 % 60) + "m";
}

std::string progress_bar(std::int64_t elapsed, std::int64_t total, int width) {
  int position = 0;
  if (total > 0) {
    // Floating point, because elapsed * width could overflow.
    const double share = static_cast<double>(std::clamp<std::int64_t>(elapsed, 0, total)) /
                         static_cast<double>(total);
    position = std::min(static_cast<int>(share * width), width - 1);
  }
  std::string line;
  for (int at = 0; at < width; ++at) line += at == position ? knob : bar;
  return line;
}

std::string truncate_utf8(std::string_view text, std::size_t max_characters) {
  if (max_characters == 0) return {};
  std::size_t characters = 0;
  std::size_t end = 0;
  std::size_t end_when_full = 0;  // the ellipsis takes the last place
  while (end < text.size() && characters < max_characters) {
    const std::size_t length = wire::utf8_length(text, end);
    if (length == 0) break;
    if (++characters == max_characters) end_when_full = end;
    end += length;
  }
  if (end == text.size()) return std::string(text);
  if (characters == max_characters) end = end_when_full;
  return std::string(text.substr(0, end)) += ellipsis;
}

std::string printable(std::string_view text) {
  std::string shown;
  bool space_pending = false;
  bool replaced = false;
  bool visible = false;
  while (!text.empty()) {
    const std::size_t length = wire::utf8_length(text, 0);
    const std::string_view next =
        length == 0 ? wire::replacement_character : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);

    const bool repeats = replaced && length == 0;
    replaced = length == 0;
    if (repeats) continue;
    const char32_t c = wire::code_point(next);
    if (wire::showing_of(c) == wire::showing::not_at_all) continue;
    if (c == ' ' || wire::showing_of(c) == wire::showing::as_blank) {
      space_pending = !shown.empty();
      continue;
    }
    visible = visible || !is_invisible(c);
    if (space_pending) shown += ' ';
    space_pending = false;
    shown += next;
  }
  return visible ? shown : std::string();
}

bool is_valid_utf8(std::string_view text) {
  return wire::is_valid_utf8(text);
}

}  // namespace rosey::playlist
