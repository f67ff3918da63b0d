// Questions about ASCII text, answered alike under every locale: the building blocks of id checks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace rosey::playlist::ascii {

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
inline bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
inline bool is_alnum(char c) {
  return is_digit(c) || is_lower(c) || is_upper(c);
}
inline bool is_word(char c) {
  return is_alnum(c) || c == '_';
}
inline bool is_slug(char c) {
  return is_word(c) || c == '-';
}
inline bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}
inline bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}
inline bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

inline std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

inline bool made_of(std::string_view text, bool (*allowed)(char), std::size_t least,
                    std::size_t most) {
  return text.size() >= least && text.size() <= most &&
         std::all_of(text.begin(), text.end(), allowed);
}

inline bool is_number(std::string_view text) {
  return made_of(text, is_digit, 1, 18) && text.front() != '0';
}

inline bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t\r\n";
  const auto begin = text.find_first_not_of(spaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(spaces) - begin + 1);
}

inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace rosey::playlist::ascii
