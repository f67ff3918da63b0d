// What sites are asked, what is read out of their answers, and through which proxy.
#include "playlist_plugin/metadata/site_answers.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "playlist_plugin/metadata/proxy.hpp"

namespace rosey::playlist {
namespace {

using ::testing::HasSubstr;

TEST(metadata_address, names_the_canonical_url) {
  const metadata_config config;
  EXPECT_EQ(metadata_address(config, {"vi", "123"}),
            "https://vimeo.com/api/oembed.json?format=json&url=https://vimeo.com/123");
  const auto youtube = metadata_address(config, {"yt", "dQw4w9WgXcQ"});
  ASSERT_TRUE(youtube);
  EXPECT_THAT(*youtube, ::testing::StartsWith("https://www.youtube.com/oembed?format=json&url="));
  EXPECT_THAT(*youtube, ::testing::Not(HasSubstr("watch?v=dQw4w9WgXcQ&")));
  EXPECT_FALSE(metadata_address(config, {"hl", "https://example.com/a.m3u8"}));
  metadata_config none;
  none.enabled = false;
  EXPECT_FALSE(metadata_address(none, {"vi", "123"}));
}

TEST(metadata_address, of_youtube_is_the_api_with_a_key) {
  metadata_config config;
  config.youtube_api_key = "a&b=c";
  const auto address = metadata_address(config, {"yt", "dQw4w9WgXcQ"});
  ASSERT_TRUE(address);
  EXPECT_THAT(*address, HasSubstr("/videos?part="));
  EXPECT_THAT(*address, HasSubstr("key=a%26b"));
}

TEST(iso_duration, is_read_in_seconds) {
  EXPECT_EQ(parse_iso_duration("PT3M45S"), 225);
  EXPECT_EQ(parse_iso_duration("PT1H2M3S"), 3723);
  EXPECT_EQ(parse_iso_duration("P1DT1S"), 86'401);
  EXPECT_EQ(parse_iso_duration("PT45S"), 45);
  for (const char* wrong : {"", "P", "P0D", "PT", "3M", "PT3", "PT3X", "PT-3S", "PTS",
                            "PT99999999999999999999S", "PT9999999999999H"}) {
    EXPECT_EQ(parse_iso_duration(wrong), 0) << wrong;
  }
}

TEST(oembed, durations_that_make_no_sense_are_unknown) {
  const metadata_config config;
  const media_link link{"vi", "1"};
  for (const char* duration : {"-5", "1e300", "\"60\"", "null", "true", "99999999999"}) {
    const std::string body = R"({"title":"x","duration":)" + std::string(duration) + "}";
    const auto read = read_metadata(config, link, body);
    ASSERT_TRUE(read) << duration;
    EXPECT_EQ(read->duration, 0) << duration;
  }
  EXPECT_EQ(read_metadata(config, link, R"({"title":"x","duration":61.7})")->duration, 61);
}

TEST(oembed, addresses_of_pictures_are_https_or_nothing) {
  const metadata_config config;
  for (const char* wrong : {"http://a/", "javascript:x", "https://a b", "7"}) {
    const std::string body = R"({"title":"x","thumbnail_url":")" + std::string(wrong) + "\"}";
    EXPECT_EQ(read_metadata(config, {"vi", "1"}, body)->thumbnail_url, "") << wrong;
  }
}

TEST(metadata_setting, is_a_word_or_an_object) {
  const auto read = [](const char* text) { return read_metadata_config(boost::json::parse(text)); };
  EXPECT_FALSE(read(R"("none")").enabled);
  EXPECT_TRUE(read(R"("oembed")").enabled);
  EXPECT_EQ(read(R"({"endpoints": {"vi": "https://x/"}})").oembed.at("vi"), "https://x/");
  for (const char* wrong :
       {R"("all")", "7", R"({"sauce": 1})", R"({"deadline_ms": -1})", R"({"endpoints": 7})",
        R"({"endpoints": {"tw": "https://x"}})", R"({"endpoints": {"vi": "http://x"}})"}) {
    EXPECT_THROW(read(wrong), std::runtime_error) << wrong;
  }
}

TEST(proxy, is_what_the_environment_says) {
  std::map<std::string, std::string> variables;
  const auto find = [&](const char* host) {
    const proxy_settings settings([&](const char* name) -> const char* {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    });
    const auto proxy = settings.find(host);
    if (!proxy) return std::string("bad");
    return *proxy ? (*proxy)->host + ":" + (*proxy)->port : std::string("none");
  };
  EXPECT_EQ(find("vimeo.com"), "none");
  variables["HTTPS_PROXY"] = "http://proxy.example:3128";
  EXPECT_EQ(find("vimeo.com"), "proxy.example:3128");
  variables["https_proxy"] = "http://proxy.example:68664";  // 65536 + 3128
  EXPECT_EQ(find("vimeo.com"), "bad");
  variables["https_proxy"] = "other.example";
  EXPECT_EQ(find("vimeo.com"), "other.example:80");
  variables["https_proxy"] = "http://[2001:db8::1]:3128";
  EXPECT_EQ(find("vimeo.com"), "2001:db8::1:3128") << "no brackets: it is looked up";
  variables["https_proxy"] = "other.example";
  variables["NO_PROXY"] = "example.org, .vimeo.com";
  EXPECT_EQ(find("vimeo.com"), "none");
  EXPECT_EQ(find("api.Vimeo.com"), "none");
  EXPECT_EQ(find("notvimeo.com"), "other.example:80");
  variables["NO_PROXY"] = "*";
  EXPECT_EQ(find("soundcloud.com"), "none");
  variables = {{"ALL_PROXY", "socks5://proxy.example"}};
  EXPECT_EQ(find("vimeo.com"), "bad");
}

}  // namespace
}  // namespace rosey::playlist
