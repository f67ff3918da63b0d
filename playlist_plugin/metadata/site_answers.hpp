// What sites are asked, and how their answers are read: addresses and JSON, no network.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "playlist_plugin/domain/media_link.hpp"
#include "playlist_plugin/domain/media_metadata.hpp"
#include "playlist_plugin/domain/refusal.hpp"
#include "playlist_plugin/metadata/metadata_config.hpp"

namespace rosey::playlist {

// The address that tells about this media; nothing when no site is asked about its type.
std::optional<std::string> metadata_address(const metadata_config& config, const media_link& link);

// Who is asked about it: "oembed" or "youtube_api". They do not tell the same.
std::string_view metadata_source(const metadata_config& config, const media_link& link);

// The address that was set for whoever is asked, about entries of a list as well.
std::string metadata_endpoint(const metadata_config& config, const media_link& link);

// Reads what metadata_address gives. Titles are made fit to be shown and cut to a sensible length.
// Fails with fetch_codes::unknown when the site has nothing to tell.
result<media_metadata> read_metadata(const metadata_config& config, const media_link& link,
                                     std::string_view body);

// "PT1H2M3S" in seconds; 0 for what is no such duration, as that of a live stream.
std::int64_t parse_iso_duration(std::string_view text);

// YouTube's lists, which need a key. At most 50 entries a page.
std::string playlist_address(const metadata_config& config, std::string_view playlist,
                             std::string_view page);
struct playlist_page {
  std::vector<std::string> videos;  // ids
  std::string next;                 // "" on the last page
};
result<playlist_page> read_playlist_page(std::string_view body);

// At most 50 ids.
std::string videos_address(const metadata_config& config, const std::vector<std::string>& ids);
// By id; videos that are private or gone are not among them.
using videos = std::map<std::string, media_metadata>;
result<videos> read_videos(std::string_view body);

}  // namespace rosey::playlist
