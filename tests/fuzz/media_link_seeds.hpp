// One good link of each form, from which mutations start.
#pragma once

#include <array>
#include <string_view>

namespace rosey::playlist::testing {

inline constexpr std::array<std::string_view, 34> media_link_seeds{
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=PLabc&t=42#x",
    "youtu.be/dQw4w9WgXcQ?si=abc",
    "https://www.youtube.com/playlist?list=PLFgquLnL59alCl_2TQvOiD5Vgm1hCaGSI",
    "https://vimeo.com/76979871/0a1b2c3d4e",
    "https://player.vimeo.com/video/76979871?h=0a1b2c3d4e",
    "https://www.dailymotion.com/video/x2j1s2_a-title",
    "https://soundcloud.com/artist/sets/an-album",
    "https://clips.twitch.tv/AwkwardHelplessSalamanderSwiftRage",
    "https://www.twitch.tv/videos/123456789",
    "https://twitch.tv/Somebody",
    "https://livestream.com/accounts/123/events/456",
    "https://livestream.com/spacex/events/42",
    "https://streamable.com/abc123",
    "https://drive.google.com/file/d/0B_abcdefghijklmnopqrstuv/view?usp=sharing",
    "https://imgur.com/a/a-title-AbCd123",
    "https://cdn.example.com/live/master.m3u8?token=a%2Fb",
    "rtmp://live.example.com:1935/app/stream",
    "rtmps://LIVE.example.com/app/stream",
    "https://example.com/manifest.json",
    "https://[2001:db8::1]:8443/a [b].mp4",
    "https://example.com/фильм.webm",
    "http://example.com/a.mp4",
    "yt:dQw4w9WgXcQ",
    "tv:v123456789",
    "li:123;456",
    "sc:https://soundcloud.com/artist/track",
    "fi:https://example.com/a.mp4",
    "https://evil.example/?x=youtube.com/watch?v=dQw4w9WgXcQ",
    "https://youtube.com@evil.example/watch?v=dQw4w9WgXcQ",
    "https://youtube.com:8080/watch?v=dQw4w9WgXcQ",
    "https://youtube.com\\@evil.example/watch?v=dQw4w9WgXcQ",
    "\xE2\x80\xAEhttps://youtu.be/dQw4w9WgXcQ",
    "a\xC3\x28\xED\xA0\x80\xF4\x90\x80\x80\xF0\x9F\x94",
    "",
};

}  // namespace rosey::playlist::testing
