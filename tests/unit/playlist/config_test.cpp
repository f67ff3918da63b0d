// The settings: what is taken, and how a wrong one is named.
#include "playlist_plugin/config.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <stdexcept>

namespace rosey::playlist {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

plugin_config read(std::string_view text) {
  return read_config(boost::json::parse(text).as_object());
}

std::string refusal(std::string_view text) {
  try {
    read(text);
  } catch (const std::runtime_error& refused) {
    return refused.what();
  }
  return "accepted";
}

TEST(config, has_the_defaults_of_the_specification) {
  const plugin_config config = read("{}");
  EXPECT_EQ(config.limits.quota.max_items_per_user, 5);
  EXPECT_EQ(config.limits.quota.max_duration_per_user, 1800);
  EXPECT_EQ(config.limits.quota.rate_limit_count, 3);
  EXPECT_EQ(config.limits.quota.rate_limit_seconds, 10);
  EXPECT_EQ(config.limits.max_queue_size, 100);
  EXPECT_EQ(config.votes.skip_threshold, 0.5);
  EXPECT_EQ(config.votes.min_skip_votes, 2);
  EXPECT_TRUE(config.limits.allowed_media_types.empty());
  EXPECT_FALSE(config.limits.require_duration);
}

TEST(config, takes_every_key) {
  const plugin_config config = read(R"({
    "max_items_per_user": 1, "max_duration_per_user": 2, "rate_limit_count": 3,
    "rate_limit_seconds": 4, "max_queue_size": 5, "skip_threshold": 1, "min_skip_votes": 6,
    "allowed_media_types": ["yt", "sc"], "require_duration": true})");
  EXPECT_EQ(config.limits.quota.max_items_per_user, 1);
  EXPECT_EQ(config.limits.quota.max_duration_per_user, 2);
  EXPECT_EQ(config.limits.quota.rate_limit_count, 3);
  EXPECT_EQ(config.limits.quota.rate_limit_seconds, 4);
  EXPECT_EQ(config.limits.max_queue_size, 5);
  EXPECT_EQ(config.votes.skip_threshold, 1.0);
  EXPECT_EQ(config.votes.min_skip_votes, 6);
  EXPECT_THAT(config.limits.allowed_media_types, ElementsAre("yt", "sc"));
  EXPECT_TRUE(config.limits.require_duration);
}

TEST(config, names_an_unknown_key_and_the_known_ones) {
  const std::string text = refusal(R"({"max_item_per_user": 1})");
  EXPECT_THAT(text, HasSubstr("unknown key 'max_item_per_user'"));
  EXPECT_THAT(text, HasSubstr("max_items_per_user, max_duration_per_user"));
}

TEST(config, names_the_key_of_a_wrong_value_and_what_is_right) {
  EXPECT_THAT(refusal(R"({"max_items_per_user": 0})"),
              HasSubstr("'max_items_per_user' must be a whole number from 1 to 900"));
  EXPECT_THAT(refusal(R"({"rate_limit_seconds": "10"})"), HasSubstr("'rate_limit_seconds'"));
  EXPECT_THAT(refusal(R"({"max_queue_size": 1.5})"), HasSubstr("'max_queue_size'"));
  EXPECT_THAT(refusal(R"({"skip_threshold": 2})"),
              HasSubstr("'skip_threshold' must be a number from 0 to 1"));
  EXPECT_THAT(refusal(R"({"require_duration": 1})"), HasSubstr("'require_duration' must be true"));
  EXPECT_THAT(refusal(R"({"allowed_media_types": "yt"})"),
              HasSubstr("'allowed_media_types' must be a list"));
  EXPECT_THAT(refusal(R"({"allowed_media_types": ["yt", "mp3"]})"), HasSubstr("\"mp3\""));
  EXPECT_THAT(refusal(R"({"allowed_media_types": [7]})"), HasSubstr("holds 7"));
}

TEST(config, takes_endpoints_that_can_be_asked) {
  const auto refused = [](const std::string& address) {
    return refusal(R"({"metadata": {"endpoints": {"vi": ")" + address + R"("}}})");
  };
  for (const char* good : {"https://vimeo.com/api/oembed.json", "https://localhost:8443",
                           "https://[2001:db8::1]:443/x?y=z", "HTTPS://192.0.2.1/"}) {
    EXPECT_EQ(refused(good), "accepted") << good;
  }
  for (const char* bad :
       {"https://", "https:///oembed", "https://:443/x", "https://a b/", "https://host:port/",
        "https://host:0/", "https://host:65536/", "https://host:99999/", "https://me@host/",
        "https://host/%zz", "https://host/\u00e9", "https:host", "http://host/", "host", ""}) {
    EXPECT_THAT(refused(bad), HasSubstr("'metadata.endpoints.vi' must be an https:// address"))
        << bad;
  }
}

TEST(config, takes_deadlines_that_a_host_waits_for) {
  EXPECT_EQ(refusal(R"({"metadata": {"deadline_ms": 8000}})"), "accepted");
  EXPECT_THAT(refusal(R"({"metadata": {"deadline_ms": 8001}})"),
              HasSubstr("'deadline_ms' must be a whole number from 0 to 8000"));
}

TEST(config, takes_name_servers_in_numbers) {
  const plugin_config config =
      read(R"({"metadata": {"name_servers": ["192.0.2.1", "[2001:db8::1]:5353"]}})");
  EXPECT_EQ(config.metadata.name_servers.size(), 2u);
  EXPECT_THAT(refusal(R"({"metadata": {"name_servers": "192.0.2.1"}})"),
              HasSubstr("'metadata.name_servers' must be a list"));
  EXPECT_THAT(refusal(R"({"metadata": {"name_servers": ["dns.example"]}})"),
              HasSubstr("holds \"dns.example\", which is no address"));
  EXPECT_THAT(refusal(R"({"metadata": {"name_servers": [53]}})"), HasSubstr("holds 53"));
}

}  // namespace
}  // namespace rosey::playlist
