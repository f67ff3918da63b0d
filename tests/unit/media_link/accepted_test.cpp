// Every form of a media link that is accepted, by kind, and the one URL that it stands for.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "playlist_plugin/domain/media_link.hpp"

namespace rosey::playlist {
namespace {

struct accepted {
  media_link link;
  std::string url;  // canonical
  std::vector<std::string> spellings;
};

const std::vector<accepted>& all_accepted() {
  static const std::vector<accepted> all{
      {{"yt", "dQw4w9WgXcQ"},
       "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
       {"https://youtu.be/dQw4w9WgXcQ",
        "https://youtu.be/dQw4w9WgXcQ?si=x&t=42",
        "http://youtu.be/dQw4w9WgXcQ",
        "https://youtu.be/dQw4w9WgXcQ/",
        "youtu.be/dQw4w9WgXcQ",
        "https://youtube.com/watch?v=dQw4w9WgXcQ",
        "youtube.com/watch?v=dQw4w9WgXcQ",
        "www.youtube.com/watch?v=dQw4w9WgXcQ",
        "WWW.YouTube.COM/watch?v=dQw4w9WgXcQ",
        "HTTPS://YOUTUBE.com/watch?v=dQw4w9WgXcQ",
        "https://m.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ",
        "https://music.youtube.com/watch?v=dQw4w9WgXcQ&list=RDAMVM",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=PLFgquLnL59alCl_2TQvOiD5Vgm1hCaGSI",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ#t=10",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&v=otherother1",
        "https://www.youtube.com/watch?v=dQw4w9Wg%58cQ",
        "https://www.youtube.com/watch/?v=dQw4w9WgXcQ",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ",
        "youtube.com/shorts/dQw4w9WgXcQ?feature=s",
        "https://www.youtube.com/live/dQw4w9WgXcQ",
        "https://www.youtube.com/embed/dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?rel=0",
        "https://www.youtube.com/v/dQw4w9WgXcQ",
        "https://www.youtube.com:443/watch?v=dQw4w9WgXcQ",
        "http://www.youtube.com:80/watch?v=dQw4w9WgXcQ",
        "youtube.com:443/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com:/watch?v=dQw4w9WgXcQ",
        "  https://youtu.be/dQw4w9WgXcQ \r\n",
        "YT:dQw4w9WgXcQ",
        "yt:https://youtu.be/dQw4w9WgXcQ"}},
      {{"yt", "-_AZaz09-_-"},
       "https://www.youtube.com/watch?v=-_AZaz09-_-",
       {"https://youtu.be/-_AZaz09-_-"}},
      {{"yp", "PLFgquLnL59alCl_2TQvOiD5Vgm1hCaGSI"},
       "https://www.youtube.com/playlist?list=PLFgquLnL59alCl_2TQvOiD5Vgm1hCaGSI",
       {"https://youtube.com/playlist?list=PLFgquLnL59alCl_2TQvOiD5Vgm1hCaGSI&si=x",
        "music.youtube.com/playlist?list=PLFgquLnL59alCl_2TQvOiD5Vgm1hCaGSI",
        "https://www.youtube.com/watch?list=PLFgquLnL59alCl_2TQvOiD5Vgm1hCaGSI",
        "https://www.youtube.com/embed/videoseries?list=PLFgquLnL59alCl_2TQvOiD5Vgm1hCaGSI"}},
      {{"yp", "PL0123456789ABCDEF"},
       "https://www.youtube.com/playlist?list=PL0123456789ABCDEF",
       {"https://youtube.com/playlist?list=PL0123456789ABCDEF"}},
      {{"yp", "OLAK5uy_kN7xqZ0y3b9t2m1c5d8e7f6g4h3i2j1k0"},
       "https://www.youtube.com/playlist?list=OLAK5uy_kN7xqZ0y3b9t2m1c5d8e7f6g4h3i2j1k0",
       {}},
      {{"vi", "76979871"},
       "https://vimeo.com/76979871",
       {"https://www.vimeo.com/76979871?share=copy", "vimeo.com/76979871",
        "http://vimeo.com/76979871", "https://player.vimeo.com/video/76979871",
        "https://vimeo.com/channels/staffpicks/76979871",
        "https://vimeo.com/groups/name/videos/76979871",
        "https://vimeo.com/album/123/video/76979871",
        "https://vimeo.com/showcase/123/video/76979871"}},
      {{"vi", "76979871/0a1b2c3d4e"},
       "https://vimeo.com/76979871/0a1b2c3d4e",
       {"https://player.vimeo.com/video/76979871?h=0a1b2c3d4e"}},
      {{"dm", "x2j1s2"},
       "https://www.dailymotion.com/video/x2j1s2",
       {"https://dailymotion.com/video/x2j1s2", "https://dai.ly/x2j1s2", "dai.ly/x2j1s2",
        "https://www.dailymotion.com/video/x2j1s2_a-title_of-it?start=3",
        "https://www.dailymotion.com/embed/video/x2j1s2",
        "https://geo.dailymotion.com/player.html?video=x2j1s2", "dm:x2j1s2_a-title"}},
      {{"sc", "https://soundcloud.com/artist/a-track"},
       "https://soundcloud.com/artist/a-track",
       {"https://www.soundcloud.com/artist/a-track?in=x", "m.soundcloud.com/artist/a-track",
        "http://soundcloud.com/artist/a-track", "sc:artist/a-track",
        "sc:http://soundcloud.com/artist/a-track"}},
      {{"sc", "https://soundcloud.com/artist/sets/album"},
       "https://soundcloud.com/artist/sets/album",
       {"soundcloud.com/artist/sets/album"}},
      {{"sc", "https://soundcloud.com/artist/track/s-Secret"},
       "https://soundcloud.com/artist/track/s-Secret",
       {}},
      {{"tc", "AwkwardHelplessSalamander-aB_9"},
       "https://clips.twitch.tv/AwkwardHelplessSalamander-aB_9",
       {"https://clips.twitch.tv/embed?clip=AwkwardHelplessSalamander-aB_9&parent=x",
        "https://www.twitch.tv/someone/clip/AwkwardHelplessSalamander-aB_9?filter=clips",
        "https://m.twitch.tv/clip/AwkwardHelplessSalamander-aB_9",
        "clips.twitch.tv/AwkwardHelplessSalamander-aB_9"}},
      {{"tv", "v123456789"},
       "https://www.twitch.tv/videos/123456789",
       {"https://twitch.tv/videos/123456789?t=1h", "https://m.twitch.tv/videos/123456789",
        "https://www.twitch.tv/someone/v/123456789", "https://go.twitch.tv/videos/123456789",
        "https://www.twitch.tv/someone/video/123456789", "tv:123456789"}},
      {{"tw", "some_body9"},
       "https://www.twitch.tv/some_body9",
       {"https://twitch.tv/some_body9", "twitch.tv/Some_Body9/", "https://m.twitch.tv/some_body9",
        "tw:SOME_BODY9"}},
      {{"li", "123;456"},
       "https://livestream.com/accounts/123/events/456",
       {"https://www.livestream.com/accounts/123/events/456",
        "https://livestream.com/accounts/123/events/456/videos/789", "li:accounts/123/events/456"}},
      {{"li", "spacex/events/42"}, "https://livestream.com/spacex/events/42", {}},
      {{"li", "spacex"}, "https://livestream.com/spacex", {"livestream.com/spacex"}},
      {{"sb", "abc123"},
       "https://streamable.com/abc123",
       {"https://www.streamable.com/abc123", "https://streamable.com/e/abc123",
        "https://streamable.com/o/abc123?x", "https://streamable.com/s/abc123/title"}},
      {{"gd", "0B_abcdefghijklmnopqrstuv"},
       "https://drive.google.com/file/d/0B_abcdefghijklmnopqrstuv/view",
       {"https://drive.google.com/file/d/0B_abcdefghijklmnopqrstuv/edit?usp=sharing",
        "https://drive.google.com/file/d/0B_abcdefghijklmnopqrstuv",
        "https://drive.google.com/open?id=0B_abcdefghijklmnopqrstuv",
        "https://drive.google.com/uc?export=download&id=0B_abcdefghijklmnopqrstuv",
        "https://docs.google.com/file/d/0B_abcdefghijklmnopqrstuv/preview"}},
      {{"im", "AbCd1"},
       "https://imgur.com/a/AbCd1",
       {"https://www.imgur.com/a/AbCd1", "https://m.imgur.com/a/AbCd1#3",
        "https://imgur.com/a/a-title-AbCd1", "imgur.com/a/AbCd1"}},
      {{"hl", "https://cdn.example.com/live/Master.M3U8?Token=a%2fB+c"},
       "https://cdn.example.com/live/Master.M3U8?Token=a%2fB+c",
       {"HTTPS://CDN.Example.com:443/live/Master.M3U8?Token=a%2fB+c#start"}},
      {{"rt", "rtmp://live.example.com/app/Stream?key=1"},
       "rtmp://live.example.com/app/Stream?key=1",
       {"RTMP://LIVE.example.com:1935/app/Stream?key=1"}},
      {{"rt", "rtmps://live.example.com:1443/app"}, "rtmps://live.example.com:1443/app", {}},
      {{"cm", "https://example.com/manifest.json"}, "https://example.com/manifest.json", {}},
      {{"fi", "https://example.com/a.mp4"},
       "https://example.com/a.mp4",
       {"https://Example.com:/a.mp4#t=3", "https://example.com:0443/a.mp4"}},
      {{"fi", "https://example.com:8443/b.flv"}, "https://example.com:8443/b.flv", {}},
      {{"fi", "https://example.com:65535/b.flv"}, "https://example.com:65535/b.flv", {}},
      {{"fi", "https://192.0.2.255/b.flv"}, "https://192.0.2.255/b.flv", {}},
      {{"fi", "https://1.example.com/b.flv"}, "https://1.example.com/b.flv", {}},
      {{"fi", "https://203.0.113.7/c.webm"}, "https://203.0.113.7/c.webm", {}},
      {{"fi", "https://[2001:db8::1]/d.ogg"}, "https://[2001:db8::1]/d.ogg", {}},
      {{"fi", "https://example.com/e.OGV?v=1"}, "https://example.com/e.OGV?v=1", {}},
      {{"fi", "https://example.com/f.mp3"}, "https://example.com/f.mp3", {}},
      {{"fi", "https://example.com/g.mov"}, "https://example.com/g.mov", {}},
      {{"fi", "https://example.com/a.b/h.m4a"}, "https://example.com/a.b/h.m4a", {}},
      {{"fi", "https://example.com/%D1%84%5B1%5D.mp4"},
       "https://example.com/%D1%84%5B1%5D.mp4",
       {"https://example.com/ф[1].mp4"}},
      // A file on a host of a known site is still a file.
      {{"fi", "https://player.vimeo.com/external/76979871.hd.mp4?s=1"},
       "https://player.vimeo.com/external/76979871.hd.mp4?s=1",
       {}},
      {{"fi", "https://i.imgur.com/AbCd123.mp4"}, "https://i.imgur.com/AbCd123.mp4", {}},
  };
  return all;
}

void expect_link(const std::string& text, const media_link& expected) {
  SCOPED_TRACE(text);
  const result<media_link> link = parse_media_link(text);
  ASSERT_TRUE(link.has_value()) << link.error().message;
  EXPECT_EQ(link->type, expected.type);
  EXPECT_EQ(link->id, expected.id);
}

TEST(accepted_media_link, each_spelling_gives_its_link) {
  for (const accepted& row : all_accepted()) {
    for (const std::string& spelling : row.spellings) expect_link(spelling, row.link);
  }
}

TEST(accepted_media_link, canonical_url_is_the_expected_one_and_gives_the_link_back) {
  for (const accepted& row : all_accepted()) {
    EXPECT_EQ(canonical_url(row.link), row.url);
    expect_link(row.url, row.link);
  }
}

TEST(accepted_media_link, short_form_gives_the_link_back) {
  for (const accepted& row : all_accepted())
    expect_link(row.link.type + ":" + row.link.id, row.link);
}

TEST(accepted_media_link, every_kind_is_in_the_table) {
  std::set<std::string> types;
  for (const accepted& row : all_accepted()) types.insert(row.link.type);
  EXPECT_EQ(types, (std::set<std::string>{"yt", "yp", "vi", "dm", "sc", "tc", "tv", "tw", "li",
                                          "sb", "gd", "im", "hl", "rt", "cm", "fi"}));
}

TEST(accepted_media_link, length_up_to_the_limit) {
  std::string url = "https://example.com/" + std::string(max_media_url, 'a');
  url.resize(max_media_url - 4);
  url += ".mp4";
  ASSERT_EQ(url.size(), max_media_url);
  expect_link(url, {"fi", url});
  expect_link("fi:" + url, {"fi", url});
  EXPECT_FALSE(parse_media_link(url.insert(20, "a")).has_value());
}

TEST(accepted_media_link, canonical_url_of_a_kind_that_is_unknown_is_its_id) {
  EXPECT_EQ(canonical_url({"zz", "something"}), "something");
}

TEST(accepted_media_link, placeholder_title) {
  EXPECT_EQ(placeholder_title({"yt", "dQw4w9WgXcQ"}), "[yt] dQw4w9WgXcQ");
  const std::string cut = placeholder_title({"fi", "https://example.com/" + std::string(500, 'a')});
  EXPECT_EQ(cut.size(), 99 + std::string_view("…").size());
  EXPECT_TRUE(cut.ends_with("…"));
}

TEST(canonical_url, of_what_is_no_link_is_harmless) {
  for (const char* type : {"tv", "li", "yt", "fi", "no such type"}) {
    EXPECT_NO_THROW(canonical_url({type, ""})) << type;
  }
}

}  // namespace
}  // namespace rosey::playlist
