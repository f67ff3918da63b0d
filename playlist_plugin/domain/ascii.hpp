// Questions about ASCII text, answered alike under every locale: the building blocks of id checks.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
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

// 1 to 65535, zeros before it or not. (Boost.URL 1.81 takes "99999" for 34463.)
inline std::optional<std::uint16_t> port_number(std::string_view digits) {
  std::uint16_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped, failure] = std::from_chars(digits.data(), end, number);
  if (failure != std::errc() || stopped != end || number == 0) return std::nullopt;
  return number;
}

// Whether readers of URLs take the host for an IPv4 address that is written in another way: as
// "127.1", "2130706433", "0x7f.0.0.1" and "0177.0.0.1" are. Also what is too large for any, as
// "999.0.0.1" is. Not the four numbers that everybody reads alike.
inline bool is_odd_ipv4(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  std::size_t parts = 0;
  bool usual = true;
  std::string_view last;
  for (std::string_view rest = host;;) {
    const auto end = rest.find('.');
    last = rest.substr(0, end);
    std::uint8_t number = 0;
    const auto read = std::from_chars(last.data(), last.data() + last.size(), number);
    usual = usual && read.ec == std::errc() && read.ptr == last.data() + last.size() &&
            (last.size() == 1 || last.front() != '0');
    ++parts;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  const bool is_decimal = made_of(last, is_digit, 1, last.size());
  const bool is_hexadecimal =
      last.size() >= 2 && last.front() == '0' && (last[1] == 'x' || last[1] == 'X') &&
      std::all_of(last.begin() + 2, last.end(),
                  [](char c) { return is_hex(c) || (c >= 'A' && c <= 'F'); });
  return (is_decimal || is_hexadecimal) && !(usual && parts == 4);
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
