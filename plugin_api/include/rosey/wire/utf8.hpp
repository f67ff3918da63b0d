// Whether bytes are text, and where a text may be cut: UTF-8 as RFC 3629 has it, without overlong
// forms and surrogates.
#pragma once

#include <cstddef>
#include <string_view>

namespace rosey::wire {

// Length in bytes of the character that begins at `text[at]`; 0 if none does.
inline std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t offset) -> unsigned {
    return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0u;
  };
  const auto continues = [&](std::size_t offset, unsigned least = 0x80, unsigned most = 0xbf) {
    return byte(offset) >= least && byte(offset) <= most;
  };
  const unsigned first = byte(0);
  if (at >= text.size()) return 0;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned least = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned most = first == 0xed ? 0x9f : 0xbf;
    return continues(1, least, most) && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned least = first == 0xf0 ? 0x90 : 0x80;
    const unsigned most = first == 0xf4 ? 0x8f : 0xbf;
    return continues(1, least, most) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

inline bool is_valid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

// The longest beginning of `text` that has at most `most` bytes and does not end inside a
// character. Bytes that are no UTF-8 count as characters of their own.
inline std::string_view cut_utf8(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  // A character has at most 4 bytes: one that the cut would divide begins in the 3 before it.
  for (std::size_t back = 1; back <= 3 && back <= most; ++back) {
    const std::size_t length = utf8_length(text, most - back);
    if (length > back) return text.substr(0, most - back);
    if (length > 0) break;
  }
  return text.substr(0, most);
}

// The value of one character, which has to be valid UTF-8.
inline char32_t code_point(std::string_view character) {
  constexpr unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  char32_t value = static_cast<unsigned char>(character[0]) & lead_bits[character.size()];
  for (const char c : character.substr(1)) {
    value = (value << 6) | (static_cast<unsigned char>(c) & 0x3fU);
  }
  return value;
}

}  // namespace rosey::wire
