// Titles and durations of media: in time, late, shared, kept, and what they mean for limits.
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
  EXPECT_EQ(here.storage("kv.playlist.get", {{"key", "meta:oembed:vi:123456789"}}).at("exists"),
            true);
}

TEST_F(metadata_test, that_is_damaged_in_storage_is_asked_for_again) {
  here.start(settings());
  for (const json::value& damaged : {json::value(7), json::value(json::object{{"title", 7}})}) {
    here.storage("kv.playlist.set", {{"key", "meta:oembed:vi:123456789"}, {"value", damaged}});
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

TEST_F(metadata_test, that_is_late_ends_each_play_that_may_not_stay) {
  tell = [](const std::string&) {
    answer late = song(5000);
    late.held = true;
    return late;
  };
  json::object config = settings();
  config["max_item_duration"] = 600;
  here.start(config);
  const auto first = begin_add("ann", vimeo);
  const auto second = begin_add("bob", vimeo);
  here.until([&] { return !site.targets().empty(); });
  here.pass(2);
  message_of(first);
  message_of(second);
  site.release();
  here.until([&] { return here.announced().size() == 2; });
  EXPECT_EQ(here.rows("history").size(), 2u);
  EXPECT_EQ(here.say("ann", "queue").message, "📺 Queue is empty");
}

TEST_F(metadata_test, that_is_late_concerns_nobody_who_is_exempt_even_after_a_restart) {
  tell = [](const std::string&) {
    answer late = song(5000);
    late.held = true;
    return late;
  };
  json::object config = settings();
  config["max_item_duration"] = 600;
  config["exempt_roles"] = json::array{"moderator"};
  here.start(config);
  here.say("eve", "add", "https://streamable.com/abc12");
  const auto plain = begin_add("ann", vimeo);
  wire::command_request request;
  request.channel = "#lobby";
  request.user = "mod";
  request.args = vimeo;
  request.sender_role = wire::role::moderator;
  const auto exempt = here.begin("rosey.command.playlist.add", wire::encode(request));
  here.until([&] { return !site.targets().empty(); });
  here.pass(2);
  message_of(plain);
  message_of(exempt);
  here.kill_all();
  site.release();
  here.start(config);
  here.until([&] { return !here.announced().empty(); });
  here.settle();
  EXPECT_THAT(here.announced(), ElementsAre(HasSubstr("ann: A song was removed")));
  EXPECT_THAT(here.say("bob", "queue").message, HasSubstr("1. A song [1:23:20] - mod"));
}

TEST_F(metadata_test, of_a_site_that_fails_is_asked_for_again) {
  tell = [](const std::string&) { return answer{.status = 503}; };
  here.start(settings());
  EXPECT_THAT(here.say("ann", "add", vimeo).message, EndsWith("[vi] 123456789"));
  here.until([&] { return site.targets().size() == 1; });
  here.settle();
  EXPECT_THAT(here.say("bob", "add", "https://vimeo.com/222222222").message,
              EndsWith("[vi] 222222222"));
  EXPECT_THAT(site.targets(), SizeIs(1)) << "it is given a pause";
  tell = [](const std::string&) { return song(60); };
  here.pass(5);
  here.until([&] { return here.rows("queue").at(0).at("title") == "A song"; });
  here.until([&] { return here.rows("channel").at(0).at("now_title") == "A song"; });
}

TEST_F(metadata_test, of_a_site_that_always_fails_is_not_asked_for_ever) {
  tell = [](const std::string&) { return answer{.status = 503}; };
  instance& playlist = here.start(settings());
  const auto failures = [this] {
    return std::count_if(here.log().begin(), here.log().end(), [](const std::string& line) {
      return line.find("the site answers 503") != std::string::npos;
    });
  };
  here.say("ann", "add", vimeo);
  for (int failed = 1; failed <= 12; ++failed) {
    here.until([&] { return failures() == failed; });
    here.settle();
    here.pass(600);
  }
  EXPECT_EQ(playlist.tasks.running(), 0u);
  EXPECT_THAT(site.targets(), SizeIs(12));
}

TEST_F(metadata_test, that_a_site_does_not_have_is_not_asked_for_again) {
  tell = [](const std::string&) { return answer{.status = 404}; };
  here.start(settings());
  here.say("ann", "add", vimeo);
  here.say("bob", "add", vimeo);
  here.pass(60);
  here.settle();
  EXPECT_THAT(site.targets(), SizeIs(1));
}

TEST_F(metadata_test, is_taken_over_from_an_instance_that_has_gone) {
  tell = [](const std::string&) {
    answer late = song(60);
    late.held = true;
    return late;
  };
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

TEST_F(metadata_test, of_youtube_is_asked_for_anew_when_there_is_a_key) {
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

TEST_F(metadata_test, of_a_playlist_goes_on_behind_what_is_there_already) {
  tell = youtube;
  json::object config = settings({{"youtube_api_key", "secret"}});
  config["max_items_per_user"] = 30;
  config["max_duration_per_user"] = 10'000;
  config["refuse_duplicates"] = true;
  here.start(config);
  EXPECT_EQ(here.say("ann", "add", "yp:PLabcdefghijklmnop").data.at("count"), 30);
  const auto next = here.say("bob", "add", "yp:PLabcdefghijklmnop");
  EXPECT_EQ(next.data.at("count"), 20) << "those that are left";
  EXPECT_THAT(next.message, HasSubstr("Video 60 and 19 more (30 left out: This is "));
}

TEST_F(metadata_test, of_a_playlist_is_not_asked_for_when_there_is_no_room) {
  tell = youtube;
  json::object config = settings({{"youtube_api_key", "secret"}});
  config["max_items_per_user"] = 1;
  here.start(config);
  here.say("ann", "add", "https://streamable.com/abc12");
  EXPECT_EQ(here.say("ann", "add", "yp:PLabcdefghijklmnop").code, "quota_items");
  EXPECT_THAT(site.targets(), IsEmpty());
}

TEST_F(metadata_test, of_a_playlist_is_not_needed_to_repeat_an_answer) {
  tell = youtube;
  instance& before = here.start(settings({{"youtube_api_key", "secret"}}));
  wire::command_request request;
  request.channel = "#lobby";
  request.user = "ann";
  request.args = "yp:PLabcdefghijklmnop";
  request.id = "id-1";
  const auto first = here.say("add", request);
  EXPECT_TRUE(first.success) << first.message;
  here.stop(before);
  here.storage("kv.playlist.delete", {{"key", "list50:yp:PLabcdefghijklmnop"}});
  tell = [](const std::string&) { return answer{.status = 503}; };
  here.start(settings({{"youtube_api_key", "secret"}}));
  request.attempt = 2;
  EXPECT_EQ(here.say("add", request).message, first.message);
}

TEST_F(metadata_test, of_a_playlist_looks_up_what_was_played_in_one_request) {
  tell = youtube;
  json::object config = settings({{"youtube_api_key", "secret"}});
  config["max_duration_per_user"] = 10'000;
  config["repeat_after_minutes"] = 60;
  here.start(config);
  here.say("ann", "add", video(4));
  here.say("ann", "skip");
  here.server().storage_subjects.clear();
  const auto added = here.say("bob", "add", "yp:PLabcdefghijklmnop");
  EXPECT_EQ(added.data.at("count"), 20);
  EXPECT_THAT(added.message, HasSubstr("(1 left out: This was played"));
  const auto& asked = here.server().storage_subjects;
  EXPECT_EQ(std::count(asked.begin(), asked.end(), "db.row.playlist.select"), 2)
      << "once to see how much of the list is needed, once to decide";
}

TEST_F(metadata_test, of_a_playlist_that_cannot_be_read_is_said) {
  tell = [](const std::string&) { return answer{.status = 403}; };
  here.start(settings({{"youtube_api_key", "secret"}}));
  const auto refused = here.say("ann", "add", "yp:PLabcdefghijklmnop");
  EXPECT_EQ(refused.code, "busy");
  tell = [](const std::string&) { return answer{.body = R"({"items": []})"}; };
  EXPECT_EQ(here.say("ann", "add", "yp:PLabcdefghijklmnop").code, "unrecognized_media");
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
