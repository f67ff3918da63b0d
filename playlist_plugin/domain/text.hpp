// How durations, progress and titles are written in chat, and what text is fit to be shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rosey::playlist {

// One item's length: "3:45", "1:02:03", "0:07"; "??:??" for 0 or less, which means unknown.
std::string format_duration(std::int64_t seconds);

// A limit on the length of many items: "30 minutes", or "1:30" where it is not whole minutes.
std::string format_limit(std::int64_t seconds);

// The length of many items, in whole minutes: "1h 25m", "25m"; "0m" for 0 or less.
std::string format_total(std::int64_t seconds);

// "▬▬▬🔘▬▬▬▬▬▬": width characters, of which the knob is one. It stands at the start when the total
// is unknown (0 or less), and never leaves the bar. Empty for a width below 1.
std::string progress_bar(std::int64_t elapsed, std::int64_t total, int width);

// Characters of a title, so that a list of some stays readable in a chat.
inline constexpr std::size_t longest_title = 120;

// At most max_characters code points of text, the last of them "…" when something was cut.
// The text must be valid UTF-8; what is not ends the kept part no later than where it begins.
std::string truncate_utf8(std::string_view text, std::size_t max_characters);

// Text from outside, made fit for one line of chat: control characters, line breaks and the marks
// that reorder text (bidirectional embeddings, overrides, isolates) become spaces, invisible marks
// of direction nothing, runs of spaces one, none at either end; bytes that are no UTF-8 become
// U+FFFD, one for a run of them. Nothing of a text in which nothing would be seen. Applying it
// twice changes nothing more.
std::string printable(std::string_view text);

// Strict: no overlong forms, no surrogates, nothing above U+10FFFF, no truncated sequence.
bool is_valid_utf8(std::string_view text);

}  // namespace rosey::playlist
