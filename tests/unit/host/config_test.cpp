// The configuration file: defaults, every key, and a sentence for each mistake.
#include "host_stub/config.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace rosey::host {
namespace {

using testing::HasSubstr;

std::string problem(std::string_view text) {
  const auto parsed = parse_config(text);
  return parsed ? "" : parsed.error().message;
}

TEST(Config, HasADefaultForEverything) {
  const auto parsed = parse_config("{}");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->nats_url, "");
  EXPECT_TRUE(parsed->serves_storage());
  EXPECT_EQ(parsed->database, "sqlite:data/rosey.db");
  EXPECT_EQ(parsed->plugin_directory, "build/plugins");
  EXPECT_EQ(parsed->prefix, "!");
  ASSERT_EQ(parsed->consoles.size(), 1u);
  EXPECT_EQ(parsed->consoles[0].channel, "#lobby");
  EXPECT_EQ(parsed->consoles[0].role, wire::role::admin);
}

TEST(Config, ReadsEveryKey) {
  const auto parsed = parse_config(R"({
    // where messages go
    "nats": {"url": "nats://127.0.0.1:4222"},
    "storage": {"enabled": false, "database": "sqlite:x.db", "migrations": "m", "auto_migrate": false, "request_age_seconds": 3600},
    "plugins": {"directory": "p", "config": {"playlist": {"max_queue_size": 7}}},
    "chat": {"prefix": ".", "connectors": [
      {"type": "console", "channel": "#tea", "user": "ann", "role": "moderator"}]},
  })");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->nats_url, "nats://127.0.0.1:4222");
  EXPECT_FALSE(parsed->serves_storage());
  EXPECT_EQ(parsed->database, "sqlite:x.db");
  EXPECT_EQ(parsed->migrations, "m");
  EXPECT_FALSE(parsed->auto_migrate);
  EXPECT_EQ(parsed->request_age, std::chrono::hours(1));
  EXPECT_EQ(parsed->plugin_directory, "p");
  EXPECT_EQ(parsed->plugin_config.at("playlist").at("max_queue_size"), 7);
  EXPECT_EQ(parsed->prefix, ".");
  ASSERT_EQ(parsed->consoles.size(), 1u);
  EXPECT_EQ(parsed->consoles[0].channel, "#tea");
  EXPECT_EQ(parsed->consoles[0].user, "ann");
  EXPECT_EQ(parsed->consoles[0].role, wire::role::moderator);
}

TEST(Config, SaysHowToReachNats) {
  const auto parsed = parse_config(R"({"nats": {"urls": ["nats://a", "tls://b:1"],
    "ca_file": "ca", "certificate_file": "cert", "key_file": "key", "credentials_file": "creds",
    "nkey": "U", "nkey_seed_file": "seed", "ping_interval_seconds": 9}})");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->nats_url, "nats://a,tls://b:1");
  EXPECT_EQ(parsed->nats_login.ca_file, "ca");
  EXPECT_EQ(parsed->nats_login.certificate_file, "cert");
  EXPECT_EQ(parsed->nats_login.key_file, "key");
  EXPECT_EQ(parsed->nats_login.credentials_file, "creds");
  EXPECT_EQ(parsed->nats_login.nkey, "U");
  EXPECT_EQ(parsed->nats_login.nkey_seed_file, "seed");
  EXPECT_EQ(parsed->nats_ping_interval, std::chrono::seconds(9));
  for (const char* urls : {"[]", R"("nats://a")", "[1]"}) {
    EXPECT_EQ(problem(R"({"nats": {"urls": )" + std::string(urls) + "}}"),
              "'nats.urls' must be a list of at least one URL");
  }
  EXPECT_EQ(problem(R"({"nats": {"url": "nats://a", "urls": ["nats://b"]}})"),
            "'nats.urls' must be left out where there is 'nats.url'");
}

TEST(Config, NamesThePluginsThatMustRun) {
  const auto parsed = parse_config(R"({"plugins": {"required": ["playlist", "hello"]}})");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_THAT(parsed->required_plugins, testing::ElementsAre("playlist", "hello"));
  for (const char* wrong : {R"("playlist")", "[1]", R"([""])"}) {
    EXPECT_THAT(problem(fmt::format(R"({{"plugins": {{"required": {}}}}})", wrong)),
                HasSubstr("'plugins.required' must be a list of names"));
  }
}

TEST(Config, HasALogLevelForEachPlugin) {
  const auto parsed = parse_config(R"({"plugins": {"log_levels": {"playlist": "debug"}}})");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->plugin_log_levels.at("playlist"), "debug");
  for (const char* wrong : {R"("loud")", "1", "null"}) {
    EXPECT_EQ(problem(fmt::format(R"({{"plugins": {{"log_levels": {{"x": {}}}}}}})", wrong)),
              "'plugins.log_levels.x' must be one of debug, info, warn, error, off");
  }
  EXPECT_THAT(problem(R"({"plugins": {"log_levels": "debug"}})"),
              HasSubstr("'plugins.log_levels' must be an object of levels, such as"));
}

TEST(Config, MayHaveNoConsole) {
  const auto parsed = parse_config(R"({"chat": {"connectors": []}})");
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->consoles.empty());
}

TEST(Config, MayNameFilesThatHoldTheUrls) {
  const auto parsed = parse_config(
      R"({"nats": {"url_file": "/run/n"}, "storage": {"database_url_file": "/run/d"}})");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->nats_url_file, "/run/n");
  EXPECT_EQ(parsed->database_url_file, "/run/d");
  EXPECT_THAT(problem(R"({"nats": {"url": "nats://h", "url_file": "n"}})"),
              HasSubstr("'nats.url_file' must be left out where 'nats.url' is"));
  EXPECT_THAT(
      problem(R"({"storage": {"database": "sqlite:x", "database_url_file": "n"}})"),
      HasSubstr("'storage.database_url_file' must be left out where 'storage.database' is"));
}

TEST(Config, KnowsWhetherItHoldsASecret) {
  const auto secret_of = [](std::string_view text) { return parse_config(text)->secret_key; };
  EXPECT_EQ(secret_of("{}"), "");
  EXPECT_EQ(secret_of(R"({"nats": {"url": "nats://127.0.0.1"}})"), "");
  EXPECT_EQ(secret_of(R"({"nats": {"url": "nats://token@127.0.0.1"}})"), "nats.url");
  EXPECT_EQ(secret_of(R"({"storage": {"database": "sqlite:/home/a@b/x.db"}})"), "");
  EXPECT_EQ(secret_of(R"({"storage": {"database": "postgresql://ann@h/x"}})"), "");
  EXPECT_EQ(secret_of(R"({"storage": {"database": "postgresql://ann:x@h/x"}})"),
            "storage.database");
  EXPECT_EQ(secret_of(R"({"plugins": {"config": {"p": {"metadata": {"youtube_api_key": ""}}}}})"),
            "");
  EXPECT_EQ(secret_of(R"({"plugins": {"config": {"p": {"metadata": {"youtube_api_key": "k"}}}}})"),
            "plugins.config.p.metadata.youtube_api_key");
  EXPECT_EQ(secret_of(R"({"nats": {"nkey": "UPUBLIC", "nkey_seed_file": "seed"}})"), "");
  EXPECT_EQ(secret_of(R"({"nats": {"urls": ["nats://a", "nats://t@b"]}})"), "nats.urls");
}

TEST(Config, NamesTheKeyThatIsWrong) {
  EXPECT_THAT(problem("[]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(problem("{,}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(problem(R"({"nat": {}})"),
              HasSubstr("unknown key 'nat'; known here: nats, storage, plugins, chat"));
  EXPECT_THAT(problem(R"({"nats": {"uri": ""}})"), HasSubstr("unknown key 'nats.uri'"));
  EXPECT_THAT(problem(R"({"nats": 4})"), HasSubstr("'nats' must be an object"));
  EXPECT_THAT(problem(R"({"nats": {"url": 4}})"), HasSubstr("'nats.url' must be a string"));
  EXPECT_THAT(problem(R"({"storage": {"enabled": 1}})"),
              HasSubstr("'storage.enabled' must be true or false"));
  EXPECT_THAT(problem(R"({"storage": {"request_age_seconds": 0}})"),
              HasSubstr("'storage.request_age_seconds' must be a whole number of seconds from 1"));
  EXPECT_THAT(problem(R"({"plugins": {"config": []}})"), HasSubstr("'plugins.config' must be"));
  EXPECT_THAT(problem(R"({"plugins": {"config": {"playlist": 3}}})"),
              HasSubstr("'plugins.config.playlist' must be an object"));
  EXPECT_THAT(problem(R"({"chat": {"prefix": ""}})"), HasSubstr("'chat.prefix' must be"));
  EXPECT_THAT(problem(R"({"chat": {"connectors": {}}})"), HasSubstr("'chat.connectors' must be"));
  EXPECT_THAT(problem(R"({"chat": {"connectors": [{}]}})"),
              HasSubstr("'chat.connectors[0].type' must be \"console\""));
  EXPECT_THAT(problem(R"({"chat": {"connectors": [{"type": "console", "role": "king"}]}})"),
              HasSubstr("'chat.connectors[0].role' must be"));
  EXPECT_THAT(problem(R"({"chat": {"connectors": [{"type": "console", "user": ""}]}})"),
              HasSubstr("'chat.connectors[0].user' must be"));
  EXPECT_THAT(problem(R"({"chat": {"connectors": [{"type": "console"}, {"type": "console"}]}})"),
              HasSubstr("one console"));
}

}  // namespace
}  // namespace rosey::host
