// One check for each kind of media, and the table of them.
#include "playlist_plugin/domain/media_kinds.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "playlist_plugin/domain/ascii.hpp"

namespace rosey::playlist {
namespace {

using std::string_view;
using namespace ascii;

checked_id kept_if(bool good, string_view id) {
  return good ? checked_id(std::in_place, id) : std::nullopt;
}

checked_id youtube_video(string_view id) {
  return kept_if(made_of(id, is_slug, 11, 11), id);
}

// PL and OLA are the playlists that people and labels made. A mix (RD) has no end, and watch-later
// (WL) or likes (LL) are another list for everyone who opens them.
checked_id youtube_playlist(string_view id) {
  return kept_if(
      made_of(id, is_slug, 18, 64) && (id.substr(0, 2) == "PL" || id.substr(0, 3) == "OLA"), id);
}

// An unlisted video is reached only with its hash: "123456789/0a1b2c3d4e".
checked_id vimeo_video(string_view id) {
  const auto parts = split(id, '/');
  return kept_if(is_number(parts[0]) &&
                     (parts.size() == 1 || (parts.size() == 2 && made_of(parts[1], is_hex, 6, 20))),
                 id);
}

// Old links carry the title behind the id: "x2j1s2_a-title".
checked_id dailymotion_video(string_view id) {
  const string_view head = id.substr(0, id.find('_'));
  return kept_if(made_of(head, is_alnum, 3, 20), head);
}

checked_id soundcloud_path(string_view path) {
  const auto parts = split(path, '/');
  const bool good = parts.size() >= 2 && parts.size() <= 4 &&
                    std::all_of(parts.begin(), parts.end(),
                                [](string_view part) { return made_of(part, is_slug, 1, 250); }) &&
                    !one_of(parts[0], {"charts", "discover", "pages", "search", "stream", "tags",
                                       "upload", "you"});
  if (!good) return std::nullopt;
  return std::string("https://soundcloud.com/").append(path);
}

checked_id twitch_clip(string_view id) {
  return kept_if(made_of(id, is_slug, 2, 200), id);
}

checked_id twitch_video(string_view id) {
  if (!id.empty() && id.front() == 'v') id.remove_prefix(1);
  if (!is_number(id)) return std::nullopt;
  return std::string("v").append(id);
}

checked_id twitch_channel(string_view name) {
  const std::string channel = lower(name);
  return kept_if(
      made_of(channel, is_word, 2, 25) &&
          !one_of(channel, {"clip", "directory", "downloads", "drops", "friends", "inventory",
                            "jobs", "login", "prime", "search", "settings", "signup", "store",
                            "subscriptions", "turbo", "videos", "wallet"}),
      channel);
}

// "ACCOUNT;EVENT" in numbers, or a named account with or without an event: "spacex/events/42".
// What follows the event (a recording, a post) does not change what is played.
checked_id livestream_event(string_view id) {
  const auto numbers = split(id, ';');
  if (numbers.size() == 2) return kept_if(is_number(numbers[0]) && is_number(numbers[1]), id);

  const auto parts = split(id, '/');
  const bool has_event =
      parts.size() >= 3 && one_of(parts[parts[0] == "accounts" ? 2 : 1], {"events"});
  if (parts[0] == "accounts") {
    if (!has_event || parts.size() < 4 || !is_number(parts[1]) || !is_number(parts[3]))
      return std::nullopt;
    return std::string(parts[1]) + ";" + std::string(parts[3]);
  }
  if (!made_of(parts[0], is_slug, 2, 100)) return std::nullopt;
  if (parts.size() == 1) return std::string(id);
  if (!has_event || !is_number(parts[2])) return std::nullopt;
  return std::string(parts[0]) + "/events/" + std::string(parts[2]);
}

checked_id streamable_video(string_view id) {
  return kept_if(made_of(id, is_alnum, 3, 20) &&
                     !one_of(id, {"about", "contact", "documentation", "login", "privacy",
                                  "recover", "settings", "signup", "support", "terms", "upload"}),
                 id);
}

checked_id drive_file(string_view id) {
  return kept_if(made_of(id, is_slug, 10, 128), id);
}

// New links carry the title before the id: "a-title-AbCd123".
checked_id imgur_album(string_view id) {
  const auto dash = id.rfind('-');
  if (dash != string_view::npos) id.remove_prefix(dash + 1);
  return kept_if(made_of(id, is_alnum, 5, 12), id);
}

checked_id no_id(string_view) {
  return std::nullopt;
}

constexpr std::array kind_table{
    media_kind{"yt", youtube_video, "https://www.youtube.com/watch?v="},
    media_kind{"yp", youtube_playlist, "https://www.youtube.com/playlist?list="},
    media_kind{"vi", vimeo_video, "https://vimeo.com/"},
    media_kind{"dm", dailymotion_video, "https://www.dailymotion.com/video/"},
    media_kind{"sc", soundcloud_path, ""},
    media_kind{"tc", twitch_clip, "https://clips.twitch.tv/"},
    media_kind{"tv", twitch_video, "https://www.twitch.tv/videos/"},
    media_kind{"tw", twitch_channel, "https://www.twitch.tv/"},
    media_kind{"li", livestream_event, "https://livestream.com/"},
    media_kind{"sb", streamable_video, "https://streamable.com/"},
    media_kind{"gd", drive_file, "https://drive.google.com/file/d/", "/view"},
    media_kind{"im", imgur_album, "https://imgur.com/a/"},
    media_kind{"hl", no_id, ""},
    media_kind{"rt", no_id, ""},
    media_kind{"cm", no_id, ""},
    media_kind{"fi", no_id, ""},
};

}  // namespace

bool media_kind::only_a_url() const {
  return check == no_id;
}

std::span<const media_kind> media_kinds() {
  return kind_table;
}

const media_kind* find_media_kind(string_view type) {
  const auto found = std::find_if(kind_table.begin(), kind_table.end(),
                                  [type](const media_kind& known) { return known.type == type; });
  return found == kind_table.end() ? nullptr : &*found;
}

}  // namespace rosey::playlist
