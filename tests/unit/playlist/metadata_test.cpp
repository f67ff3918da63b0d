// Titles and durations from sites that may be slow, wrong or hostile.
#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <functional>

#include "fakes/https_server.hpp"
#include "playlist_plugin/metadata/http_client.hpp"
#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using fakes::certificate_authority;
using fakes::https_server;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using answer = https_server::answer;

const char vimeo[] = "https://vimeo.com/123456789";

answer song(std::int64_t duration = 0, const std::string& title = "A song") {
  json::object body{{"title", title},
                    {"author_name", "The band"},
                    {"thumbnail_url", "https://img.example/1.jpg"}};
  if (duration > 0) body["duration"] = duration;
  return {.body = json::serialize(body)};
}

class metadata_test : public ::testing::Test {
 protected:
  metadata_test() { std::ofstream(folder.path() / "ca.pem") << authority.certificate(); }

  json::object settings(json::object more = {}) {
    json::object endpoints;
    for (const char* type : {"yt", "vi", "sc", "dm"}) {
      endpoints[type] = site.url("/" + std::string(type));
    }
    endpoints["youtube_api"] = site.url("/api");
    json::object metadata{{"ca_file", (folder.path() / "ca.pem").string()},
                          {"endpoints", endpoints},
                          {"timeout_ms", 20'000}};
    for (const auto& [key, value] : more) metadata[key] = value;
    return {{"metadata", metadata}, {"rate_limit_count", 100}, {"max_items_per_user", 20}};
  }

  std::shared_ptr<said> begin_add(const std::string& user, const std::string& url) {
    wire::command_request request;
    request.channel = "#lobby";
    request.user = user;
    request.args = url;
    return here.begin("rosey.command.playlist.add", wire::encode(request));
  }
  std::string message_of(const std::shared_ptr<said>& command) {
    return wire::decode_reply(std::string_view(here.finish(command)))->message;
  }
  // Adds while the site is silent, until the person is answered with what there is.
  std::string add_without_patience(const std::string& user, const std::string& url) {
    const std::size_t before = site.targets().size();
    const auto command = begin_add(user, url);
    here.until([&] { return site.targets().size() > before; });
    here.pass(2);
    return message_of(command);
  }
  bool has_event(const std::string& name) {
    const auto names = here.event_names();
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  std::function<answer(const std::string&)> tell = [](const std::string&) { return song(225); };
  rosey::tests::temporary_directory folder;
  certificate_authority authority;
  https_server site{authority.issue("localhost"),
                    [this](const std::string& target) { return tell(target); }};
  world here;
};

TEST_F(metadata_test, is_there_before_the_answer) {
  here.start(settings());
  const auto added = here.say("ann", "add", vimeo);
  EXPECT_EQ(added.message, "📺 Added to queue (#1): A song");
  const json::value& item = added.data.at("item");
  EXPECT_EQ(item.at("duration"), 225);
  EXPECT_EQ(item.at("formatted_duration"), "3:45");
  EXPECT_EQ(item.at("channel_name"), "The band");
  EXPECT_EQ(item.at("thumbnail_url"), "https://img.example/1.jpg");
  EXPECT_THAT(site.targets(), ElementsAre(AllOf(HasSubstr("/vi?"), HasSubstr("vimeo.com"))));
  EXPECT_EQ(here.rows("user_stats").at(0).at("total_duration_added"), 225);
}

TEST_F(metadata_test, survives_a_restart_in_every_column) {
  instance& before = here.start(settings());
  here.say("ann", "add", vimeo);
  here.say("ann", "add", "https://vimeo.com/222222222");
  here.stop(before);
  here.start(settings());
  const json::object queue = here.ask("service.playlist.get_queue", R"({"channel":"#lobby"})");
  for (const json::value* item : {&queue.at("current"), &queue.at("items").at(0)}) {
    EXPECT_EQ(item->at("title"), "A song");
    EXPECT_EQ(item->at("channel_name"), "The band");
    EXPECT_EQ(item->at("thumbnail_url"), "https://img.example/1.jpg");
  }
  EXPECT_THAT(site.targets(), SizeIs(2));
}

TEST_F(metadata_test, is_asked_for_once_however_many_add_the_same) {
  tell = [](const std::string&) {
    answer late = song(60);
    late.held = true;
    return late;
  };
  here.start(settings());
  std::vector<std::shared_ptr<said>> adds;
  for (int user = 0; user < 20; ++user) {
    adds.push_back(begin_add("user" + std::to_string(user), vimeo));
  }
  here.until([&] { return !site.targets().empty(); });
  site.release();
  for (const auto& add : adds) EXPECT_THAT(message_of(add), EndsWith(": A song"));
  EXPECT_THAT(site.targets(), SizeIs(1));
}

TEST_F(metadata_test, is_kept_in_storage_for_the_next_time) {
  instance& before = here.start(settings());
  here.say("ann", "add", vimeo);
  here.stop(before);
  here.start(settings());
  here.say("bob", "add", vimeo);
  EXPECT_THAT(site.targets(), SizeIs(1));
  EXPECT_EQ(here.storage("kv.playlist.get", {{"key", "meta:vi:123456789"}}).at("exists"), true);
}

TEST_F(metadata_test, that_is_damaged_in_storage_is_asked_for_again) {
  here.start(settings());
  for (const json::value& damaged : {json::value(7), json::value(json::object{{"title", 7}})}) {
    here.storage("kv.playlist.set", {{"key", "meta:vi:123456789"}, {"value", damaged}});
    EXPECT_THAT(here.say("ann", "add", vimeo).message, EndsWith(": A song"));
  }
  EXPECT_THAT(site.targets(), SizeIs(2));
}

TEST_F(metadata_test, that_is_late_completes_the_row) {
  tell = [](const std::string&) {
    answer late = song(60);
    late.held = true;
    return late;
  };
  here.start(settings());
  instance& second = here.start(settings());
  EXPECT_EQ(add_without_patience("ann", vimeo), "📺 Added to queue (#1): [vi] 123456789");
  site.release();
  here.until([&] { return has_event("playlist.metadata.fetched"); });
  here.settle();
  EXPECT_THAT(here.say("ann", "queue").message, HasSubstr("▶️ Now: A song [1:00]"));
  EXPECT_EQ(here.rows("channel").at(0).at("now_title"), "A song");
  EXPECT_EQ(here.rows("user_stats").at(0).at("total_duration_added"), 60);
  // Everybody knows the end now.
  here.stop(second);
  here.pass(60);
  EXPECT_EQ(here.say("ann", "queue").message, "📺 Queue is empty");
}

TEST_F(metadata_test, that_is_late_completes_what_waits_and_is_not_shown_as_unknown) {
  here.start(settings());
  here.say("ann", "add", video(1));
  tell = [](const std::string&) {
    answer late = song(60, "Late");
    late.held = true;
    return late;
  };
  add_without_patience("ann", vimeo);
  site.release();
  here.until([&] { return has_event("playlist.metadata.fetched"); });
  here.settle();
  EXPECT_THAT(here.say("ann", "queue").message, HasSubstr("1. Late [1:00] - ann"));
  EXPECT_EQ(here.rows("queue").at(0).at("duration"), 60);
}

TEST_F(metadata_test, that_is_late_and_too_long_removes_the_item_and_says_so) {
  tell = [](const std::string& target) {
    answer late = song(target.find("222") == std::string::npos ? 100 : 5000);
    late.held = true;
    return late;
  };
  json::object config = settings();
  config["max_item_duration"] = 600;
  here.start(config);
  add_without_patience("ann", vimeo);
  add_without_patience("ann", "https://vimeo.com/222222222");
  site.release();
  here.until([&] { return !here.announced().empty(); });
  EXPECT_THAT(
      here.announced(),
      ElementsAre("#lobby: 🗑️ ann: A song was removed. It is 1:23:20 long; at most 10:00 is "
                  "accepted"));
  here.until([&] { return here.rows("channel").at(0).at("now_title") == "A song"; });
  EXPECT_THAT(here.rows("queue"), IsEmpty());
}

TEST_F(metadata_test, that_is_late_and_breaks_the_quota_ends_even_what_plays) {
  tell = [](const std::string&) {
    answer late = song(1801);
    late.held = true;
    return late;
  };
  here.start(settings());
  add_without_patience("ann", vimeo);
  site.release();
  here.until([&] { return !here.announced().empty(); });
  EXPECT_THAT(here.announced().front(),
              HasSubstr("You can only have 30 minutes of content queued; with it you have 30:01"));
  EXPECT_EQ(here.say("ann", "queue").message, "📺 Queue is empty");
}

TEST_F(metadata_test, is_taken_up_again_after_a_kill) {
  tell = [](const std::string&) {
    answer late = song(60);
    late.held = true;
    return late;
  };
  here.start(settings());
  add_without_patience("ann", vimeo);
  here.kill_all();
  site.release();
  here.start(settings());
  here.until([&] { return has_event("playlist.metadata.fetched"); });
  EXPECT_EQ(here.rows("channel").at(0).at("now_title"), "A song");
}

TEST_F(metadata_test, counts_toward_the_limits_when_it_comes_in_time) {
  tell = [](const std::string&) { return song(1000); };
  json::object config = settings();
  config["require_duration"] = true;
  here.start(config);
  EXPECT_TRUE(here.say("ann", "add", vimeo).success);
  EXPECT_EQ(here.say("ann", "add", "https://vimeo.com/222222222").message,
            "❌ You can only have 30 minutes of content queued; you have 16:40, and this is 16:40");
  EXPECT_EQ(here.say("bob", "add", "https://streamable.com/abc12").code, "quota_duration")
      << "nobody tells its duration";
}

TEST_F(metadata_test, is_not_asked_for_what_is_refused_anyway) {
  json::object config = settings();
  config["max_items_per_user"] = 1;
  here.start(config);
  here.say("ann", "add", vimeo);
  EXPECT_EQ(here.say("ann", "add", "https://vimeo.com/222222222").code, "quota_items");
  EXPECT_THAT(site.targets(), SizeIs(1));
}

TEST_F(metadata_test, is_asked_for_a_few_at_once) {
  tell = [](const std::string&) {
    answer late = song(60);
    late.held = true;
    return late;
  };
  here.start(settings({{"max_fetches", 2}}));
  std::vector<std::shared_ptr<said>> adds;
  for (int number = 1; number <= 6; ++number) {
    adds.push_back(begin_add("user" + std::to_string(number),
                             "https://vimeo.com/" + std::to_string(1000 + number)));
  }
  here.until([&] { return site.targets().size() == 2; });
  here.settle();
  site.release();
  for (const auto& add : adds) EXPECT_THAT(message_of(add), EndsWith(": A song"));
  EXPECT_EQ(site.most_at_once(), 2u);
}

TEST_F(metadata_test, does_not_keep_the_plugin_from_ending) {
  tell = [](const std::string&) { return answer{.held = true}; };
  instance& playlist = here.start(settings());
  add_without_patience("ann", vimeo);
  EXPECT_GT(playlist.tasks.running(), 0u);
  here.stop(playlist);
}

TEST_F(metadata_test, follows_a_redirect) {
  tell = [](const std::string& target) {
    if (target.starts_with("/moved")) return song(60);
    return answer{.status = 302, .location = "/moved?x=1"};
  };
  here.start(settings());
  EXPECT_THAT(here.say("ann", "add", vimeo).message, EndsWith(": A song"));
}

TEST_F(metadata_test, has_titles_that_fit_into_a_line) {
  std::string long_title = "\x1b[31mTwo\n\nlines\t\xE2\x80\xAE and ";
  for (int each = 0; each < 200; ++each) long_title += "é";
  tell = [&](const std::string&) { return song(60, long_title); };
  here.start(settings());
  const auto added = here.say("ann", "add", vimeo);
  const std::string title(added.data.at("item").at("title").as_string());
  EXPECT_THAT(title, ::testing::StartsWith("[31mTwo lines and éé"));
  EXPECT_THAT(title, EndsWith("é…"));
  EXPECT_LE(title.size(), 2 * 120u);
  EXPECT_EQ(title.find_first_of("\x1b\n\t"), std::string::npos);
}

struct nonsense {
  const char* name;
  answer told;
  const char* logged;
};

class nonsense_test : public metadata_test, public ::testing::WithParamInterface<nonsense> {};

TEST_P(nonsense_test, leaves_the_placeholder_and_nothing_else) {
  tell = [this](const std::string&) { return GetParam().told; };
  here.start(settings());
  EXPECT_EQ(here.say("ann", "add", vimeo).message, "📺 Added to queue (#1): [vi] 123456789");
  EXPECT_THAT(here.log(), Contains(HasSubstr(GetParam().logged)));
  EXPECT_THAT(here.say("ann", "queue").message, HasSubstr("[vi] 123456789 [??:??]"));
}

INSTANTIATE_TEST_SUITE_P(
    sites, nonsense_test,
    ::testing::Values(
        nonsense{"too_much", {.body = std::string(2 * 1024 * 1024, ' ')}, "body limit exceeded"},
        nonsense{"circles", {.status = 302, .location = "/again"}, "too many redirects"},
        nonsense{"elsewhere", {.status = 302, .location = "http://localhost/"}, "not an https"},
        nonsense{"missing", {.status = 404}, "the site answers 404"},
        nonsense{"html", {.body = "<html>", .type = "text/html"}, "the answer is not JSON"},
        nonsense{"no_json", {.body = "{\"title\":"}, "the answer is not JSON"},
        nonsense{"a_list", {.body = "[1]"}, "not a JSON object"},
        nonsense{"no_title", {.body = R"({"title": 7, "duration": "x"})"}, "has no title"},
        nonsense{"only_controls", {.body = R"({"title": "\n\t\u0000 "})"}, "has no title"}),
    [](const auto& info) { return info.param.name; });

TEST_F(metadata_test, is_not_believed_from_somebody_else) {
  const certificate_authority stranger;
  https_server other_host(authority.issue("example.com"),
                          [](const std::string&) { return song(60); });
  https_server other_authority(stranger.issue("localhost"),
                               [](const std::string&) { return song(60); });
  for (const https_server* impostor : {&other_host, &other_authority}) {
    here.log().clear();
    const json::object endpoints{{"vi", impostor->url("/vi")}};
    instance& playlist = here.start(settings({{"endpoints", endpoints}}));
    EXPECT_THAT(here.say("ann", "add", vimeo).message, EndsWith("[vi] 123456789"));
    EXPECT_THAT(here.log(), Contains(HasSubstr("certificate")));
    here.stop(playlist);
    EXPECT_THAT(impostor->targets(), IsEmpty()) << "nothing is told to an impostor";
  }
}

TEST_F(metadata_test, of_sites_that_are_not_there_is_missed_and_no_more) {
  const json::object endpoints{{"vi", "https://localhost:1/vi"}};
  here.start(settings({{"endpoints", endpoints}}));
  EXPECT_THAT(here.say("ann", "add", vimeo).message, EndsWith("[vi] 123456789"));
}

TEST_F(metadata_test, of_youtube_has_durations_with_a_key) {
  tell = [](const std::string& target) {
    EXPECT_THAT(target, AllOf(HasSubstr("/api/videos?"), HasSubstr("key=secret"),
                              HasSubstr("id=video000001")));
    return answer{.body = R"({"items": [{"id": "video000001",
        "snippet": {"title": "From the API", "channelTitle": "A channel",
                    "thumbnails": {"default": {"url": "https://img.example/2.jpg"}}},
        "contentDetails": {"duration": "PT1H2M3S"}}]})"};
  };
  json::object config = settings({{"youtube_api_key", "secret"}});
  config["max_duration_per_user"] = 10'000;
  here.start(config);
  const auto added = here.say("ann", "add", video(1));
  EXPECT_EQ(added.message, "📺 Added to queue (#1): From the API");
  EXPECT_EQ(added.data.at("item").at("duration"), 3723);
}

// Pages of two lists' worth of videos, the odd ones private.
answer youtube(const std::string& target) {
  json::array items;
  if (target.find("/playlistItems") != std::string::npos) {
    const bool second = target.find("pageToken=p2") != std::string::npos;
    for (int number = 0; number < 50; ++number) {
      const std::string id = video((second ? 50 : 0) + number).substr(17);
      items.push_back(json::object{{"contentDetails", json::object{{"videoId", id}}}});
    }
    json::object page{{"items", items}};
    if (!second) page["nextPageToken"] = "p2";
    return {.body = json::serialize(page)};
  }
  for (int number = 0; number < 100; number += 2) {
    const std::string id = video(number).substr(17);
    if (target.find(id) == std::string::npos) continue;
    items.push_back(
        json::object{{"id", id},
                     {"snippet", json::object{{"title", "Video " + std::to_string(number)}}},
                     {"contentDetails", json::object{{"duration", "PT1M"}}}});
  }
  return {.body = json::serialize(json::object{{"items", items}})};
}

TEST_F(metadata_test, lets_a_whole_playlist_be_added_up_to_the_quota) {
  tell = youtube;
  json::object config = settings({{"youtube_api_key", "secret"}});
  config["max_items_per_user"] = 8;
  config["max_duration_per_user"] = 300;
  here.start(config);
  const auto added = here.say("ann", "add", "yp:PLabcdefghijklmnop");
  EXPECT_EQ(added.message,
            "📺 Added to queue (#1): Video 0 and 4 more (3 left out: You can only have 5 minutes of "
            "content queued; you have 5:00, and this is 1:00)");
  EXPECT_EQ(added.data.at("count"), 5);
  EXPECT_EQ(here.stored_version(), 1) << "in one batch";
  EXPECT_EQ(here.rows("queue").size(), 4u);
  EXPECT_EQ(here.rows("user_stats").at(0).at("items_added"), 5);
  EXPECT_THAT(here.say("ann", "add", "yp:PLabcdefghijklmnop").code, "quota_duration");
}

TEST_F(metadata_test, reads_as_many_pages_of_a_playlist_as_fit) {
  tell = youtube;
  json::object config = settings({{"youtube_api_key", "secret"}});
  config["max_items_per_user"] = 40;
  config["max_duration_per_user"] = 10'000;
  here.start(config);
  EXPECT_EQ(here.say("ann", "add", "yp:PLabcdefghijklmnop").data.at("count"), 40);
  EXPECT_THAT(site.targets(), Contains(HasSubstr("pageToken=p2")));
}

TEST_F(metadata_test, of_a_playlist_that_cannot_be_read_is_said) {
  tell = [](const std::string&) { return answer{.status = 403}; };
  here.start(settings({{"youtube_api_key", "secret"}}));
  const auto refused = here.say("ann", "add", "yp:PLabcdefghijklmnop");
  EXPECT_EQ(refused.code, "busy");
  tell = [](const std::string&) { return answer{.body = R"({"items": []})"}; };
  EXPECT_EQ(here.say("ann", "add", "yp:PLabcdefghijklmnop").code, "unrecognized_media");
}

TEST_F(metadata_test, goes_through_the_proxy_of_the_environment) {
  boost::asio::io_context io;
  const std::string proxy = "http://me:secret@127.0.0.1:" + std::to_string(site.port());
  http_client::settings options;
  options.ca_file = (folder.path() / "ca.pem").string();
  const auto get = [&](const char* exceptions) {
    options.proxies = proxy_settings([&](const char* name) -> const char* {
      if (std::string_view(name) == "HTTPS_PROXY") return proxy.c_str();
      return std::string_view(name) == "NO_PROXY" ? exceptions : nullptr;
    });
    http_client client(io.get_executor(), options);
    std::optional<result<std::string>> outcome;
    boost::asio::co_spawn(io, client.get_json(site.url("/x")),
                          [&outcome](std::exception_ptr failure, result<std::string> got) {
                            EXPECT_FALSE(failure);
                            outcome = std::move(got);
                          });
    io.restart();
    io.run();
    return outcome && outcome->has_value();
  };
  EXPECT_TRUE(get(nullptr));
  EXPECT_THAT(site.tunnels(),
              ElementsAre("localhost:" + std::to_string(site.port()) + " Basic bWU6c2VjcmV0"));
  EXPECT_TRUE(get("localhost"));
  EXPECT_THAT(site.tunnels(), SizeIs(1)) << "localhost is an exception now";
}

TEST_F(metadata_test, gives_a_hanging_site_up) {
  tell = [](const std::string&) { return answer{.held = true}; };
  boost::asio::io_context io;
  http_client::settings options;
  options.ca_file = (folder.path() / "ca.pem").string();
  options.timeout = std::chrono::milliseconds(100);
  http_client client(io.get_executor(), options);
  std::string failure;
  boost::asio::co_spawn(io, client.get_json(site.url("/x")),
                        [&failure](std::exception_ptr, const result<std::string>& got) {
                          failure = got ? "none" : got.error().message;
                        });
  io.run();
  EXPECT_THAT(failure, ::testing::AnyOf(HasSubstr("timed out"), HasSubstr("timeout")));
}

TEST_F(metadata_test, is_not_asked_for_where_that_is_not_wanted) {
  json::object config = settings();
  config["metadata"] = "none";
  here.start(config);
  here.say("ann", "add", vimeo);
  EXPECT_THAT(site.targets(), IsEmpty());
}

}  // namespace
}  // namespace rosey::playlist::testing
