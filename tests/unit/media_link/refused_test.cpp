// What is no media link, lookalikes above all, and the sentence that says why.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "playlist_plugin/domain/media_link.hpp"

namespace rosey::playlist {
namespace {

struct refused {
  std::string text;
  std::string_view reason;  // part of the message
};

constexpr std::string_view general = "accepted are links of YouTube";

void expect_refused(const std::vector<refused>& rows) {
  for (const refused& row : rows) {
    SCOPED_TRACE(row.text.substr(0, 100));
    const result<media_link> link = parse_media_link(row.text);
    if (link.has_value()) {
      ADD_FAILURE() << "taken for " << link->type << ":" << link->id;
      continue;
    }
    EXPECT_EQ(link.error().code, "unrecognized_media");
    EXPECT_TRUE(link.error().message.starts_with("Unrecognized media URL")) << link.error().message;
    EXPECT_NE(link.error().message.find(row.reason), std::string::npos) << link.error().message;
  }
}

TEST(refused_media_link, lookalikes_of_known_hosts) {
  expect_refused({
      {"https://evil.example/?x=youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"https://evil.example/youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"https://evil.example/#https://youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"https://evil.example/https://youtu.be/dQw4w9WgXcQ", general},
      {"https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ", general},
      {"https://notyoutube.com/watch?v=dQw4w9WgXcQ", general},
      {"https://evil.youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"https://youtube.com./watch?v=dQw4w9WgXcQ", general},
      {"https://youtube%2Ecom/watch?v=dQw4w9WgXcQ", general},
      {"https://youtube.co/watch?v=dQw4w9WgXcQ", general},
      {"https://www.youtu.be.example/dQw4w9WgXcQ", general},
      {"https://youtube.com@evil.example/watch?v=dQw4w9WgXcQ", "user name"},
      {"https://youtube.com:443@evil.example/watch?v=dQw4w9WgXcQ", "user name"},
      {"https://someone@youtube.com/watch?v=dQw4w9WgXcQ", "user name"},
      {"https://someone:secret@youtube.com/watch?v=dQw4w9WgXcQ", "user name"},
      {"https://@youtube.com/watch?v=dQw4w9WgXcQ", "user name"},
      {"youtube.com@evil.example/watch?v=dQw4w9WgXcQ", "user name"},
      {"https://youtube.com\\@evil.example/watch?v=dQw4w9WgXcQ", general},
      {"https://evil.example\\@youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"https:\\\\youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"https:youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"https:///youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"//youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"https://yоutube.com/watch?v=dQw4w9WgXcQ", "xn--"},  // a Cyrillic o
      {"https://youtube。com/watch?v=dQw4w9WgXcQ", "xn--"},
      {"https://youtube.com:8080/watch?v=dQw4w9WgXcQ", "port"},
      {"http://youtube.com:443/watch?v=dQw4w9WgXcQ", "port"},
      {"youtube.com:80/watch?v=dQw4w9WgXcQ", "port"},
      {"https://youtube.com:99999/watch?v=dQw4w9WgXcQ", "between 1 and 65535"},
      {"https://youtube.com:65979/watch?v=dQw4w9WgXcQ", "between 1 and 65535"},  // 65536 + 443
      {"https://youtube.com:0/watch?v=dQw4w9WgXcQ", "port"},
      {"ftp://youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"javascript:https://youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"javascript://youtube.com/watch?v=dQw4w9WgXcQ", general},
      {"file:///etc/passwd", general},
      {"file://host/a.mp4", general},
      {"data:video/mp4;base64,AAAA", general},
  });
}

TEST(refused_media_link, pages_of_known_sites_that_are_no_media) {
  expect_refused({
      {"https://www.youtube.com/", "a YouTube video or playlist"},
      {"https://www.youtube.com", "a YouTube video or playlist"},
      {"https://www.youtube.com/watch", "a YouTube video or playlist"},
      {"https://www.youtube.com/watch?v=", "a YouTube video or playlist"},
      {"https://www.youtube.com/watch?v=tooshort", "a YouTube video or playlist"},
      {"https://www.youtube.com/watch?v=dQw4w9WgXcQx", "a YouTube video or playlist"},
      {"https://www.youtube.com/watch?v=dQw4w9Wg%0AcQ", "a YouTube video or playlist"},
      {"https://www.youtube.com/watch?V=dQw4w9WgXcQ", "a YouTube video or playlist"},
      {"https://www.youtube.com/results?v=dQw4w9WgXcQ", "a YouTube video or playlist"},
      {"https://www.youtube.com/@someone", "a YouTube video or playlist"},
      {"https://www.youtube.com/playlist?list=RDdQw4w9WgXcQdQw4w9", "a YouTube video or playlist"},
      {"https://www.youtube.com/playlist?list=WL", "a YouTube video or playlist"},
      {"https://www.youtube.com/shorts/a/dQw4w9WgXcQ", "a YouTube video or playlist"},
      {"https://youtu.be/", "a YouTube video or playlist"},
      {"https://youtu.be/a/dQw4w9WgXcQ", "a YouTube video or playlist"},
      {"https://vimeo.com/", "a Vimeo video"},
      {"https://vimeo.com/someone", "a Vimeo video"},
      {"https://vimeo.com/0123", "a Vimeo video"},
      {"https://vimeo.com/123/settings", "a Vimeo video"},
      {"https://player.vimeo.com/123", "a Vimeo video"},
      {"https://www.dailymotion.com/someone", "a Dailymotion video"},
      {"https://www.dailymotion.com/embed/x/x2j1s2", "a Dailymotion video"},
      {"https://dai.ly/", "a Dailymotion video"},
      {"https://soundcloud.com/artist", "a SoundCloud track or set"},
      {"https://soundcloud.com/you/likes", "a SoundCloud track or set"},
      {"https://soundcloud.com/a/b/c/d/e", "a SoundCloud track or set"},
      {"https://www.twitch.tv/", "a Twitch channel, video or clip"},
      {"https://www.twitch.tv/directory", "a Twitch channel, video or clip"},
      {"https://www.twitch.tv/some-body", "a Twitch channel, video or clip"},
      {"https://www.twitch.tv/videos/abc", "a Twitch channel, video or clip"},
      {"https://www.twitch.tv/someone/about", "a Twitch channel, video or clip"},
      {"https://clips.twitch.tv/a/b", "a Twitch channel, video or clip"},
      {"https://clips.twitch.tv/embed", "a Twitch channel, video or clip"},
      {"https://livestream.com/", "a Livestream event"},
      {"https://livestream.com/accounts/123", "a Livestream event"},
      {"https://livestream.com/accounts/abc/events/1", "a Livestream event"},
      {"https://livestream.com/spacex/about", "a Livestream event"},
      {"https://streamable.com/login", "a Streamable video"},
      {"https://streamable.com/x/abc123", "a Streamable video"},
      {"https://drive.google.com/drive/my-drive", "a Google Drive file"},
      {"https://drive.google.com/open", "a Google Drive file"},
      {"https://drive.google.com/file/d/short", "a Google Drive file"},
      {"https://imgur.com/gallery/AbCd123", "an Imgur album"},
      {"https://imgur.com/a/", "an Imgur album"},
      {"https://imgur.com/a/a-title-abc", "an Imgur album"},
  });
}

TEST(refused_media_link, files) {
  expect_refused({
      {"http://example.com/a.mp4", "https"},
      {"http://example.com/live.m3u8", "https"},
      {"http://example.com/manifest.json", "https"},
      {"http://example.com:443/a.mp4", "https"},
      {"fi:http://example.com/a.mp4", "https"},
      {"example.com/a.mp4", "begin with https://"},
      {"https://user:secret@example.com/a.mp4", "user name"},
      {"https://example.com/a.avi", general},
      {"https://example.com/a.mp4.exe", general},
      {"https://example.com/a.mp4/", general},
      {"https://example.com/a?file=b.mp4", general},
      {"https://example.com/a#b.mp4", general},
      {"https://example.com/.mp4", general},
      {"https://example.com/mp4", general},
      {"https://example.mp4", general},
      {"https://example.com/", general},
      {"https://example.com", general},
      {"https:///a.mp4", general},
      {"https://exa%6Dple.com/a.mp4", general},
      {"https://exam ple.com/a.mp4", "without spaces"},
      {"https://example.com:0/a.mp4", "port"},
      {"https://example.com:65536/a.mp4", "between 1 and 65535"},
      {"https://example.com:99999/a.mp4", "between 1 and 65535"},
      {"https://example.com:65979/a.mp4", "between 1 and 65535"},  // 65536 + 443
      {"https://example.com:18446744073709551617/a.mp4", "between 1 and 65535"},
      {"rtmp://example.com:67471/app/stream", "between 1 and 65535"},  // 65536 + 1935
      {"https://example.com:x/a.mp4", general},
      {"https://999.0.0.1/a.mp4", "four numbers from 0 to 255"},
      {"https://192.0.2.256/a.mp4", "four numbers from 0 to 255"},
      {"https://192.0.2/a.mp4", "four numbers from 0 to 255"},
      {"https://192.0.2.1.5/a.mp4", general},
      {"https://2130706433/a.mp4", "four numbers from 0 to 255"},
      {"https://0177.0.0.1/a.mp4", "four numbers from 0 to 255"},
      {"https://127.0.0.0x1/a.mp4", general},
      {"https://0X7F000001/a.mp4", "four numbers from 0 to 255"},
      {"rtmp://192.0.2.1000/app/stream", "four numbers from 0 to 255"},
      {"https://example.com/%zz.mp4", general},
      {"https://[::1/a.mp4", general},
      {"https://exämple.com/a.mp4", "xn--"},
      {"ftp://example.com/a.mp4", general},
      {"rtmp://example.com", "name a stream"},
      {"rtmp://example.com/", "name a stream"},
      {"rtmp:///app/stream", general},
      {"rtmp://user@example.com/app/stream", "user name"},
      {"rtmpt://example.com/app/stream", general},
  });
}

TEST(refused_media_link, short_forms) {
  expect_refused({
      {"xx:dQw4w9WgXcQ", "yt, yp, vi, dm, sc, tc, tv, tw, li, sb, gd, im, hl, rt, cm, fi"},
      {"yt:", "what follows yt:"},
      {"yt:tooshort", "what follows yt:"},
      {"yt:dQw4w9WgXcQ?x", "what follows yt:"},
      {"yt:https://vimeo.com/76979871", "not of the kind yt"},
      {"fi:https://youtu.be/dQw4w9WgXcQ", "not of the kind fi"},
      {"hl:https://example.com/a.mp4", "not of the kind hl"},
      {"fi:https://example.com/a.exe", general},
      {"fi:example.com/a.mp4", "the whole address"},
      {"rt:app/stream", "the whole address"},
      {"cm:", "the whole address"},
      {"hl:" + std::string(max_media_url, 'a'), "the whole address"},
      {"yp:RDdQw4w9WgXcQdQw4w9", "what follows yp:"},
      {"vi:", "what follows vi:"},
      {"vi:1/2/3", "what follows vi:"},
      {"dm:_", "what follows dm:"},
      {"sc:artist", "what follows sc:"},
      {"sc:/artist/track", "what follows sc:"},
      {"tc:", "what follows tc:"},
      {"tv:v", "what follows tv:"},
      {"tv:c123", "what follows tv:"},
      {"tw:a-b", "what follows tw:"},
      {"li:1;2;3", "what follows li:"},
      {"li:1;", "what follows li:"},
      {"li:accounts", "what follows li:"},
      {"li:spacex/events/x", "what follows li:"},
      {"sb:a/b", "what follows sb:"},
      {"gd:short", "what follows gd:"},
      {"im:", "what follows im:"},
  });
}

TEST(refused_media_link, what_is_no_text_for_a_link) {
  using namespace std::string_literals;
  const std::string letters(100'000, 'a');
  expect_refused({
      {"", general},
      {"   ", general},
      {"hello", general},
      {":", general},
      {"://", general},
      {"?#", general},
      {"never gonna give you up", "without spaces"},
      {"https://youtu.be/dQw4w9WgXcQ https://youtu.be/dQw4w9WgXcQ", "without spaces"},
      {"https://youtu.be/" + letters, "longer than 2048 bytes"},
      {"yt:" + letters, "longer than 2048 bytes"},
      {"https://example.com/" + letters + ".mp4", "longer than 2048 bytes"},
      // Short enough as it is written, too long with its characters escaped.
      {"https://example.com/" + std::string(1500, '[') + ".mp4", "longer than 2048 bytes"},
      {"https://youtu.be/dQw4w9WgXcQ\x01", "control characters"},
      {"https://youtu.be/\0dQw4w9WgXcQ"s, "control characters"},
      {"https://you\ttu.be/dQw4w9WgXcQ", "control characters"},
      {"https://example.com/a\n.mp4", "control characters"},
      {"https://youtu.be/dQw4w9WgXcQ\x7F", "control characters"},
      {"https://youtu.be/dQw4w9WgXc\xFF", "UTF-8"},
      {"https://example.com/\xED\xA0\x80.mp4", "UTF-8"},
      {"https://example.com/a.mp4?\xC3", "UTF-8"},
  });
}

}  // namespace
}  // namespace rosey::playlist
