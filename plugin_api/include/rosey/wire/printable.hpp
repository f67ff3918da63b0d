// What of a text from outside may be shown, and how the rest is written: one table for terminals,
// logs, chat and messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "rosey/wire/utf8.hpp"

namespace rosey::wire {

enum class showing {
  as_it_is,
  as_blank,    // it steers a terminal, breaks a line, or turns the direction of what follows
  not_at_all,  // an invisible mark of direction
};

inline showing showing_of(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c <= 0x9f);                        // C0, DEL, C1
  const bool separator = c == 0x2028 || c == 0x2029;                                // a new line
  const bool turns = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);  // to reorder
  if (control || separator || turns) return showing::as_blank;
  const bool mark = c == 0x200e || c == 0x200f || c == 0x061c;
  return mark ? showing::not_at_all : showing::as_it_is;
}

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";  // U+FFFD

// For people, of several lines where they are wanted: line ends stay, bytes that are no UTF-8
// become U+FFFD each.
inline std::string printable_lines(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text, 0);
    const std::string_view next = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(next.size());
    if (length == 0) {
      shown += replacement_character;
      continue;
    }
    const showing how = next == "\n" ? showing::as_it_is : showing_of(code_point(next));
    if (how == showing::as_it_is) shown += next;
    if (how == showing::as_blank) shown += ' ';
  }
  return shown;
}

// For logs and for names in error messages, where it matters what there was: "\n", "\x1b",
// "\u{202e}". Always one line.
inline std::string escaped(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text, 0);
    const std::string_view next = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(next.size());
    const char32_t c = length == 0 ? 0 : code_point(next);
    if (length == 0) {
      shown += replacement_character;
    } else if (showing_of(c) == showing::as_it_is) {
      shown += next;
    } else if (c == '\n' || c == '\r' || c == '\t') {
      shown += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (c < 0x100) {
      shown.append("\\x").append({digits[c >> 4], digits[c & 15]});
    } else {
      shown.append("\\u{");
      for (int shift = 12; shift >= 0; shift -= 4) shown += digits[(c >> shift) & 15];
      shown += '}';
    }
  }
  return shown;
}

}  // namespace rosey::wire
