// The kinds of media: what an id of each looks like, and which URL stands for it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rosey::playlist {

using checked_id = std::optional<std::string>;

struct media_kind {
  std::string_view type;

  // Turns a spelling of an id into the one that is stored, or into nothing when it is none.
  checked_id (*check)(std::string_view id);

  // The canonical URL around the id.
  std::string_view url_before;
  std::string_view url_behind = {};

  // The id is a whole URL: no other text can be checked, so check finds nothing in any.
  bool only_a_url() const;
};

std::span<const media_kind> media_kinds();

// Null when there is no such kind. Lives as long as the program.
const media_kind* find_media_kind(std::string_view type);

}  // namespace rosey::playlist
