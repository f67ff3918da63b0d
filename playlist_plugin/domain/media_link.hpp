// What a person may ask the queue to play: a URL of a known site, or its short form, as type and
// id.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "playlist_plugin/domain/refusal.hpp"

namespace rosey::playlist {

// Longer input is refused before it is parsed. Bytes.
inline constexpr std::size_t max_media_url = 2048;

// CyTube's naming, so that its old playlists keep their meaning:
//   yt YouTube video        yp YouTube playlist     vi Vimeo             dm Dailymotion
//   sc SoundCloud           tc Twitch clip          tv Twitch video      tw Twitch channel
//   li Livestream.com       sb Streamable           gd Google Drive      im Imgur album
//   hl HLS stream (.m3u8)   rt RTMP stream          cm custom manifest (.json)
//   fi media file
// For sc, hl, rt, cm and fi the id is the whole URL. A tv id begins with "v", an li id is
// "ACCOUNT;EVENT" or the path below the site. Only ASCII in both members.
struct media_link {
  std::string type;
  std::string id;

  friend bool operator==(const media_link&, const media_link&) = default;
};

// Reads a URL (the scheme may be missing for a known site) or the short form "yt:dQw4w9WgXcQ".
// Surrounding spaces are ignored, a fragment is dropped, spellings of one address give one link.
// Any bytes may be passed: what is no link fails with codes::unrecognized_media and a sentence for
// chat that begins "Unrecognized media URL" and repeats nothing of the text.
result<media_link> parse_media_link(std::string_view text);

// The one URL that we show and store for a link; parse_media_link gives the link back.
// A link that does not come from it (a row that somebody else wrote) gives some text.
std::string canonical_url(const media_link& link);

// Shown until the real title is known: "[yt] dQw4w9WgXcQ". At most 100 characters, an id that is
// a long URL is cut.
std::string placeholder_title(const media_link& link);

}  // namespace rosey::playlist
