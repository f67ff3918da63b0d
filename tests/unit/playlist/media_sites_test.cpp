// What each site tells, and what is done about one that fails or does not know.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "unit/playlist/metadata_site.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using media_sites_test = metadata_test;

TEST_F(media_sites_test, of_a_link_that_fails_is_asked_for_again) {
  tell = [](const std::string&) { return answer{.status = 503}; };
  here.start(settings());
  EXPECT_THAT(here.say("ann", "add", vimeo).message, EndsWith("[vi] 123456789"));
  here.until([&] { return site.targets().size() == 1; });
  here.settle();
  EXPECT_THAT(here.say("bob", "add", vimeo).message, EndsWith("[vi] 123456789"));
  EXPECT_THAT(site.targets(), SizeIs(1)) << "it is given a pause";
  tell = [](const std::string&) { return song(60); };
  here.pass(5);
  here.until([&] { return here.rows("queue").at(0).at("title") == "A song"; });
  here.until([&] { return here.rows("channel").at(0).at("now_title") == "A song"; });
}

TEST_F(media_sites_test, of_a_site_that_always_fails_is_not_asked_for_ever) {
  tell = [](const std::string&) { return answer{.status = 503}; };
  instance& playlist = here.start(settings());
  const auto failures = [this] {
    return std::count_if(here.log().begin(), here.log().end(), [](const std::string& line) {
      return line.find("the site answers 503") != std::string::npos;
    });
  };
  here.say("ann", "add", vimeo);
  for (int failed = 1; failed <= 13; ++failed) {  // the first is the add's own
    here.until([&] { return failures() == failed; });
    here.settle();
    here.pass(600);
  }
  EXPECT_EQ(playlist.tasks.running(), 0u);
  EXPECT_THAT(site.targets(), SizeIs(13));
}

TEST_F(media_sites_test, of_a_site_that_is_away_is_asked_as_long_as_the_item_is_there) {
  json::object config = settings({{"endpoints", json::object{{"vi", "https://localhost:1/vi"}}}});
  instance& playlist = here.start(config);
  here.say("ann", "add", vimeo);
  for (int minute = 0; minute < 40; ++minute) {
    here.settle();
    here.pass(60);
  }
  EXPECT_EQ(playlist.tasks.running(), 1u);
  here.say("ann", "skip");
  here.pass(60);
  here.settle();
  EXPECT_EQ(playlist.tasks.running(), 0u);
}

// Anybody may call a video so.
TEST_F(media_sites_test, that_is_the_placeholder_changes_nothing) {
  tell = [](const std::string&) { return answer{.body = R"({"title": "[vi] 123456789"})"}; };
  here.start(settings());
  here.start(settings());
  here.say("ann", "add", vimeo);
  for (int round = 0; round < 10; ++round) {
    here.settle();
    here.pass(60);
  }
  EXPECT_EQ(here.stored_version(), 1);
}

// More items than storage takes operations in a batch.
TEST_F(media_sites_test, completes_however_many_wait_for_it) {
  constexpr int count = 1100;
  here.storage(
      "row.playlist.insert",
      {{"table", "channel"},
       {"values", json::object{{"channel", "#lobby"}, {"version", 1}, {"next_item", 9999}}}});
  for (int begin = 0; begin < count; begin += 550) {
    json::array rows;
    for (int index = begin; index < begin + 550; ++index) {
      rows.push_back(json::object{{"channel", "#lobby"},
                                  {"position", index},
                                  {"item_id", "q" + std::to_string(index + 1)},
                                  {"media_type", "vi"},
                                  {"media_id", "123456789"},
                                  {"title", "[vi] 123456789"},
                                  {"added_by", "ann"}});
    }
    here.storage("row.playlist.insert", {{"table", "queue"}, {"values", std::move(rows)}});
  }
  tell = [](const std::string&) { return song(60); };
  json::object config = settings();
  config["max_duration_per_user"] = 24 * 3600;
  config["exempt_roles"] = json::array{"user"};
  here.start(config);
  const json::object asked{{"table", "queue"},
                           {"filter", json::object{{"title", "[vi] 123456789"}}},
                           {"aggregates", json::object{{"n", json::object{{"$count", "*"}}}}}};
  here.until(
      [&] { return here.storage("row.playlist.select", asked).at("rows").at(0).at("n") == 0; });
  here.settle();
  EXPECT_EQ(here.say("ann", "remove", "all").data.at("count"), count - 1);
  EXPECT_THAT(here.rows("queue"), ::testing::IsEmpty());
}

TEST_F(media_sites_test, that_a_site_does_not_have_is_not_asked_for_again) {
  tell = [](const std::string&) { return answer{.status = 404}; };
  here.start(settings());
  here.say("ann", "add", vimeo);
  here.say("bob", "add", vimeo);
  here.pass(60);
  here.settle();
  EXPECT_THAT(site.targets(), SizeIs(1));
}

TEST_F(media_sites_test, is_taken_over_from_an_instance_that_has_gone) {
  tell_late(song(60));
  instance& first = here.start(settings({{"timeout_ms", 10'000}}));
  instance& second = here.start(settings({{"timeout_ms", 10'000}}));
  here.server().chosen = &first.bus;
  here.say("eve", "add", "https://streamable.com/abc12");
  add_without_patience("ann", vimeo);
  here.stop(first);
  here.server().chosen = &second.bus;
  site.release();
  here.pass(14);
  EXPECT_THAT(site.targets(), SizeIs(1)) << "whoever added it has the time to ask";
  here.pass(2);
  here.until([&] { return has_event("playlist.metadata.fetched"); });
  here.settle();
  EXPECT_EQ(here.rows("queue").at(0).at("title"), "A song");
}
TEST_F(media_sites_test, of_youtube_is_asked_for_anew_when_there_is_a_key) {
  tell = [](const std::string& target) {
    if (target.find("/api/") == std::string::npos) return song();
    return answer{.body = R"({"items": [{"id": "video000001", "snippet": {"title": "From the API"},
        "contentDetails": {"duration": "PT1M"}}]})"};
  };
  instance& before = here.start(settings());
  EXPECT_THAT(here.say("ann", "add", video(1)).message, EndsWith(": A song"));
  here.stop(before);
  here.start(settings({{"youtube_api_key", "secret"}}));
  EXPECT_THAT(here.say("ann", "add", video(1)).message, EndsWith(": From the API"));
}

TEST_F(media_sites_test, is_asked_for_anew_when_another_endpoint_is_set) {
  tell = [](const std::string& target) {
    if (target.starts_with("/new?")) return song(60, "From the new one");
    if (target.find("222") != std::string::npos) return answer{.status = 404};
    return song(0, "From the old one");
  };
  const std::string unknown = "https://vimeo.com/222222222";
  instance& before = here.start(settings());
  EXPECT_THAT(here.say("ann", "add", vimeo).message, EndsWith(": From the old one"));
  EXPECT_THAT(here.say("ann", "add", unknown).message, EndsWith("[vi] 222222222"));
  here.stop(before);
  const json::object endpoints{{"vi", site.url("/new")}};
  here.start(settings({{"endpoints", endpoints}}));
  EXPECT_THAT(here.say("bob", "add", vimeo).message, EndsWith(": From the new one"));
  EXPECT_THAT(here.say("bob", "add", unknown).message, EndsWith(": From the new one"));
}

TEST_F(media_sites_test, of_youtube_has_durations_with_a_key) {
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

struct site_answer {
  const char* name;
  const char* link;
  const char* asked;
  const char* body;
  const char* title;
  const char* author;
  const char* thumbnail;
};

class sites_test : public metadata_test, public ::testing::WithParamInterface<site_answer> {};

TEST_P(sites_test, are_asked_by_oembed_and_understood) {
  const site_answer& one = GetParam();
  tell = [&one](const std::string&) { return answer{.body = one.body}; };
  here.start(settings());
  const auto added = here.say("ann", "add", one.link);
  ASSERT_TRUE(added.success) << added.message;
  const json::value& item = added.data.at("item");
  EXPECT_EQ(item.at("title"), json::value(one.title));
  EXPECT_EQ(item.at("channel_name"), json::value(one.author));
  EXPECT_EQ(item.at("thumbnail_url"), json::value(one.thumbnail));
  EXPECT_EQ(item.at("duration"), 0);
  EXPECT_THAT(site.targets(), ElementsAre(HasSubstr(one.asked)));
}

INSTANTIATE_TEST_SUITE_P(
    all, sites_test,
    ::testing::Values(site_answer{"youtube", "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
                                  "/yt?format=json&url=",
                                  R"({"title":"Never Gonna Give You Up","author_name":"Rick Astley",
                        "author_url":"https://www.youtube.com/@RickAstleyYT","type":"video",
                        "height":150,"width":200,"version":"1.0","provider_name":"YouTube",
                        "provider_url":"https://www.youtube.com/","thumbnail_height":360,
                        "thumbnail_width":480,
                        "thumbnail_url":"https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg",
                        "html":"<iframe></iframe>"})",
                                  "Never Gonna Give You Up", "Rick Astley",
                                  "https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg"},
                      site_answer{"soundcloud", "https://soundcloud.com/forss/flickermood",
                                  "/sc?format=json&url=",
                                  R"({"version":1.0,"type":"rich","provider_name":"SoundCloud",
                        "provider_url":"https://soundcloud.com","height":400,"width":"100%",
                        "title":"Flickermood by Forss","description":"From the Soulhack album",
                        "thumbnail_url":"https://i1.sndcdn.com/artworks-1-t500x500.jpg",
                        "html":"<iframe></iframe>","author_name":"Forss",
                        "author_url":"https://soundcloud.com/forss"})",
                                  "Flickermood by Forss", "Forss",
                                  "https://i1.sndcdn.com/artworks-1-t500x500.jpg"},
                      site_answer{"dailymotion", "https://www.dailymotion.com/video/x5e9eog",
                                  "/dm?format=json&url=",
                                  R"({"type":"video","version":"1.0","provider_name":"Dailymotion",
                        "provider_url":"https://www.dailymotion.com","title":"Sunset over Paris",
                        "description":"","author_name":"Earth","width":480,"height":269,
                        "author_url":"https://www.dailymotion.com/earth",
                        "html":"<iframe></iframe>",
                        "thumbnail_url":"https://s2.dmcdn.net/v/K1-k1/x240",
                        "thumbnail_width":427,"thumbnail_height":240})",
                                  "Sunset over Paris", "Earth",
                                  "https://s2.dmcdn.net/v/K1-k1/x240"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace rosey::playlist::testing
