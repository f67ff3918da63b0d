// One reader for each site, and the table of them.
#include "playlist_plugin/domain/media_sites.hpp"

#include <algorithm>
#include <utility>

#include "playlist_plugin/domain/ascii.hpp"

namespace rosey::playlist {
namespace {

using ascii::one_of;
using std::string_view;

named_media media(const char* type, std::string id) {
  return media_link{type, std::move(id)};
}

named_media read_youtube(const media_page& at) {
  if (at.host == "youtu.be" || at.host == "www.youtu.be")
    return at.path.size() == 1 ? media("yt", at.path[0]) : std::nullopt;
  if (at.path.size() == 2 && at.begins({"embed"}) && at.path[1] == "videoseries")
    return media("yp", at.param("list"));
  if (at.path.size() == 2 && at.begins({"embed", "live", "shorts", "v", "e", "watch"}))
    return media("yt", at.path[1]);
  if (at.path.size() != 1) return std::nullopt;
  const std::string video = at.begins({"watch"}) ? at.param("v") : std::string();
  if (!video.empty()) return media("yt", video);
  if (at.begins({"playlist", "watch"})) return media("yp", at.param("list"));
  return std::nullopt;
}

// vimeo.com/ID, vimeo.com/ID/HASH, and the many pages that show a video inside a collection.
named_media read_vimeo(const media_page& at) {
  if (at.path.empty()) return std::nullopt;
  if (at.host == "player.vimeo.com") {
    if (at.path.size() != 2 || at.path[0] != "video") return std::nullopt;
    const std::string hash = at.param("h");
    return media("vi", hash.empty() ? at.path[1] : at.path[1] + "/" + hash);
  }
  if (at.path.size() >= 3 && at.begins({"album", "channels", "groups", "showcase"}))
    return media("vi", at.path.back());
  return media("vi", at.joined_path());
}

named_media read_dailymotion(const media_page& at) {
  if (at.host == "dai.ly") return at.path.size() == 1 ? media("dm", at.path[0]) : std::nullopt;
  if (at.host == "geo.dailymotion.com") return media("dm", at.param("video"));
  if (at.path.size() == 2 && at.path[0] == "video") return media("dm", at.path[1]);
  if (at.path.size() == 3 && at.path[0] == "embed" && at.path[1] == "video")
    return media("dm", at.path[2]);
  return std::nullopt;
}

named_media read_soundcloud(const media_page& at) {
  return media("sc", at.joined_path());
}

named_media read_twitch(const media_page& at) {
  const std::size_t depth = at.path.size();
  if (at.host == "clips.twitch.tv") {
    if (depth != 1) return std::nullopt;
    return media("tc", at.path[0] == "embed" ? at.param("clip") : at.path[0]);
  }
  if (depth == 1) return media("tw", at.path[0]);
  if (depth == 2 && at.path[0] == "clip") return media("tc", at.path[1]);
  if (depth == 2 && at.path[0] == "videos") return media("tv", at.path[1]);
  if (depth == 3 && at.path[1] == "clip") return media("tc", at.path[2]);
  if (depth == 3 && one_of(at.path[1], {"v", "video"})) return media("tv", at.path[2]);
  return std::nullopt;
}

named_media read_livestream(const media_page& at) {
  return media("li", at.joined_path());
}

named_media read_streamable(const media_page& at) {
  if (at.path.size() == 1) return media("sb", at.path[0]);
  if (at.path.size() >= 2 && at.begins({"e", "o", "s"})) return media("sb", at.path[1]);
  return std::nullopt;
}

named_media read_drive(const media_page& at) {
  if (at.path.size() >= 3 && at.path[0] == "file" && at.path[1] == "d")
    return media("gd", at.path[2]);
  if (at.path.size() == 1 && at.begins({"open", "uc"})) return media("gd", at.param("id"));
  return std::nullopt;
}

named_media read_imgur(const media_page& at) {
  return at.path.size() == 2 && at.path[0] == "a" ? media("im", at.path[1]) : std::nullopt;
}

constexpr std::array site_table{
    media_site{{"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be",
                "www.youtu.be", "youtube-nocookie.com", "www.youtube-nocookie.com"},
               read_youtube,
               "a YouTube video or playlist"},
    media_site{{"vimeo.com", "www.vimeo.com", "player.vimeo.com"}, read_vimeo, "a Vimeo video"},
    media_site{{"dailymotion.com", "www.dailymotion.com", "geo.dailymotion.com", "dai.ly"},
               read_dailymotion,
               "a Dailymotion video"},
    media_site{{"soundcloud.com", "www.soundcloud.com", "m.soundcloud.com"},
               read_soundcloud,
               "a SoundCloud track or set"},
    media_site{{"twitch.tv", "www.twitch.tv", "m.twitch.tv", "go.twitch.tv", "clips.twitch.tv"},
               read_twitch,
               "a Twitch channel, video or clip"},
    media_site{{"livestream.com", "www.livestream.com"}, read_livestream, "a Livestream event"},
    media_site{{"streamable.com", "www.streamable.com"}, read_streamable, "a Streamable video"},
    media_site{{"drive.google.com", "docs.google.com"}, read_drive, "a Google Drive file"},
    media_site{{"imgur.com", "www.imgur.com", "m.imgur.com"}, read_imgur, "an Imgur album"},
};

}  // namespace

bool media_page::begins(std::initializer_list<string_view> words) const {
  return !path.empty() && one_of(path[0], words);
}

std::string media_page::param(string_view name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : std::string((*found).value);
}

std::string media_page::joined_path() const {
  std::string joined;
  for (const std::string& segment : path) joined += (joined.empty() ? "" : "/") + segment;
  return joined;
}

const media_site* find_media_site(string_view host) {
  for (const media_site& known : site_table) {
    if (std::find(known.hosts.begin(), known.hosts.end(), host) != known.hosts.end()) return &known;
  }
  return nullptr;
}

}  // namespace rosey::playlist
