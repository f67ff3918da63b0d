// The rules behind media_link_invariants.hpp.
#include "fuzz/media_link_invariants.hpp"

#include <algorithm>
#include <cstddef>

#include "playlist_plugin/domain/media_link.hpp"
#include "playlist_plugin/domain/text.hpp"

namespace rosey::playlist::testing {
namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; }));
}

std::string broken_by_text(std::string_view input) {
  const std::string shown = printable(input);
  if (!is_valid_utf8(shown)) return "printable text is valid UTF-8";
  if (printable(shown) != shown) return "printable changes nothing the second time";
  if (shown.find_first_of("\r\n\t") != std::string::npos) return "printable text is one line";
  for (const std::size_t most : {0, 1, 2, 7, 100}) {
    const std::string cut = truncate_utf8(shown, most);
    if (!is_valid_utf8(cut)) return "truncated text is valid UTF-8";
    if (characters(cut) > most) return "truncated text is no longer than asked";
    if (characters(shown) <= most && cut != shown) return "text that fits is not cut";
  }
  // Its input is unchecked in practice: it must at least stay inside of it.
  if (truncate_utf8(input, 5).size() > input.size() + 3) return "truncated text does not grow";
  return {};
}

std::string broken_by_refusal(const error& failure) {
  if (failure.code != codes::unrecognized_media) return "a refusal has the one code";
  if (!failure.message.starts_with("Unrecognized media URL")) return "a refusal begins as agreed";
  if (printable(failure.message) != failure.message) return "a refusal is fit for chat";
  if (failure.message.size() > 500) return "a refusal is short";
  return {};
}

std::string broken_by_link(const media_link& link) {
  if (link.type.size() != 2) return "a type has two letters";
  if (link.id.empty()) return "an id is not empty";
  if (!std::all_of(link.id.begin(), link.id.end(), [](char c) { return c > ' ' && c < 0x7F; }))
    return "an id is visible ASCII";

  const std::string url = canonical_url(link);
  if (url.size() > max_media_url) return "a canonical URL is not too long to be read";
  if (!url.starts_with("https://") && !url.starts_with("rtmp://") && !url.starts_with("rtmps://"))
    return "a canonical URL has a safe scheme";
  if (const auto again = parse_media_link(url); !again.has_value() || *again != link)
    return "a canonical URL gives the link back";
  if (const auto again = parse_media_link(link.type + ":" + link.id);
      !again.has_value() || *again != link)
    return "a short form gives the link back";

  const std::string title = placeholder_title(link);
  if (printable(title) != title || characters(title) > 100) return "a placeholder is fit for chat";
  return {};
}

}  // namespace

std::string broken_invariant(std::string_view input) {
  if (std::string broken = broken_by_text(input); !broken.empty()) return broken;
  const result<media_link> link = parse_media_link(input);
  return link.has_value() ? broken_by_link(*link) : broken_by_refusal(link.error());
}

}  // namespace rosey::playlist::testing
