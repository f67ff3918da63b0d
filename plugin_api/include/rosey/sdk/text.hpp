// Text that leaves the plugin: always UTF-8, and cut between characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "rosey/wire/printable.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::sdk {

// Writes as much of `text` as there is room for, without a terminator; returns how many bytes. A
// byte that is no UTF-8 becomes U+FFFD.
inline std::size_t copy_text(std::string_view text, char* to, std::size_t room) noexcept {
  std::size_t size = 0;
  while (!text.empty()) {
    const std::size_t length = wire::utf8_length(text, 0);
    const std::string_view next =
        length == 0 ? wire::replacement_character : text.substr(0, length);
    if (next.size() > room - size) break;
    size += next.copy(to + size, next.size());
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return size;
}

// The same without a limit.
inline std::string valid_text(std::string_view text) {
  constexpr std::size_t most = wire::replacement_character.size();  // bytes for a byte
  std::string valid(text.size() * most, '\0');
  valid.resize(copy_text(text, valid.data(), valid.size()));
  return valid;
}

}  // namespace rosey::sdk
