// Text of a plugin on its way into the host, which shows it to people and writes it into JSON: it
// becomes UTF-8 on one line here, whatever the plugin gave. What names something is checked instead
// (check.hpp, plugin_subscriptions.cpp).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "rosey/wire/printable.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::host {

inline constexpr std::size_t longest_label = 100;       // bytes of a version or a build
inline constexpr std::size_t longest_sentence = 1000;   // of a reason, a help text
inline constexpr std::size_t longest_log_line = 16384;  // of a line of the log

// At most `most` bytes of what was said, and a little more for what has to be escaped.
inline std::string plugin_text(std::string_view text, std::size_t most = longest_sentence) {
  const std::string_view shown = wire::cut_utf8(text, most);
  std::string clean = wire::escaped(shown);
  if (shown.size() < text.size()) clean += "…";
  return clean;
}

// Of an exception's what(), which may be null as well.
inline std::string plugin_text(const char* text, std::size_t most = longest_sentence) {
  return text ? plugin_text(std::string_view(text), most) : std::string();
}

}  // namespace rosey::host
