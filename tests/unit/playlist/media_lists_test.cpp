// Links of whole playlists: how much of them is read, and what becomes of it.
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

using media_lists_test = metadata_test;

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

TEST_F(media_lists_test, lets_a_whole_playlist_be_added_up_to_the_quota) {
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

TEST_F(media_lists_test, tells_that_there_are_several_reasons_to_leave_videos_out) {
  tell = youtube;
  json::object config = settings({{"youtube_api_key", "secret"}});
  config["max_items_per_user"] = 8;
  config["max_duration_per_user"] = 300;
  config["refuse_duplicates"] = true;
  here.start(config);
  here.say("bob", "add", video(0));
  EXPECT_EQ(here.say("ann", "add", "yp:PLabcdefghijklmnop").message,
            "📺 Added to queue (#1): Video 2 and 4 more (4 left out: This is playing now; 3 of them "
            "for other reasons)");
}

TEST_F(media_lists_test, reads_as_many_pages_of_a_playlist_as_fit) {
  tell = youtube;
  json::object config = settings({{"youtube_api_key", "secret"}});
  config["max_items_per_user"] = 40;
  config["max_duration_per_user"] = 10'000;
  here.start(config);
  EXPECT_EQ(here.say("ann", "add", "yp:PLabcdefghijklmnop").data.at("count"), 40);
  EXPECT_THAT(site.targets(), Contains(HasSubstr("pageToken=p2")));
}

// As many as YouTube's pages hold, in one batch whatever the order.
TEST_F(media_lists_test, reads_hundreds_of_entries_where_the_quota_is_as_large) {
  tell = [](const std::string& target) {
    const bool details = target.find("/playlistItems") == std::string::npos;
    const std::size_t token = target.find("pageToken=p");
    const int page = token == std::string::npos ? 0 : std::stoi(target.substr(token + 11));
    json::array items;
    for (int number = 0; number < 900; ++number) {
      const std::string id = video(number).substr(17);
      if (details && target.find(id) != std::string::npos) {
        items.push_back(json::object{{"id", id},
                                     {"snippet", json::object{{"title", id}}},
                                     {"contentDetails", json::object{{"duration", "PT1M"}}}});
      } else if (!details && number / 50 == page) {
        items.push_back(json::object{{"contentDetails", json::object{{"videoId", id}}}});
      }
    }
    json::object told{{"items", std::move(items)}};
    if (!details && page < 17) told["nextPageToken"] = "p" + std::to_string(page + 1);
    return answer{.body = json::serialize(told)};
  };
  for (const char* order : {"added", "fair"}) {
    json::object config =
        settings({{"youtube_api_key", "secret"}, {"deadline_ms", 8000}, {"timeout_ms", 120'000}});
    config["max_items_per_user"] = 870;
    config["max_duration_per_user"] = 100'000;
    config["max_queue_size"] = 900;
    config["order"] = order;
    instance& playlist = here.start(config);
    here.say("bob", "add", "https://streamable.com/abc12");
    here.say("bob", "add", "https://streamable.com/abc13");
    const auto added = here.say("ann", "add", "yp:PLabcdefghijklmnop");
    EXPECT_EQ(added.data.at("count"), 870) << order << ": " << added.message;
    here.say("mod", "clear", "", wire::role::moderator);
    here.say("mod", "skip", "", wire::role::moderator);
    here.stop(playlist);
  }
}

TEST_F(media_lists_test, of_a_playlist_goes_on_behind_what_is_there_already) {
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

TEST_F(media_lists_test, of_a_playlist_is_not_asked_for_when_there_is_no_room) {
  tell = youtube;
  json::object config = settings({{"youtube_api_key", "secret"}});
  config["max_items_per_user"] = 1;
  here.start(config);
  here.say("ann", "add", "https://streamable.com/abc12");
  EXPECT_EQ(here.say("ann", "add", "yp:PLabcdefghijklmnop").code, "quota_items");
  EXPECT_THAT(site.targets(), IsEmpty());
}

TEST_F(media_lists_test, of_a_playlist_is_not_needed_to_repeat_an_answer) {
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

TEST_F(media_lists_test, of_a_playlist_is_asked_for_anew_when_another_endpoint_is_set) {
  tell = youtube;
  instance& before = here.start(settings({{"youtube_api_key", "secret"}}));
  EXPECT_TRUE(here.say("ann", "add", "yp:PLabcdefghijklmnop").success);
  here.stop(before);
  const json::object endpoints{{"youtube_api", site.url("/new")}};
  here.start(settings({{"youtube_api_key", "secret"}, {"endpoints", endpoints}}));
  EXPECT_TRUE(here.say("bob", "add", "yp:PLabcdefghijklmnop").success);
  EXPECT_THAT(site.targets(), Contains(HasSubstr("/new/playlistItems?")));
}

TEST_F(media_lists_test, of_a_playlist_looks_up_what_was_played_in_one_request) {
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

TEST_F(media_lists_test, of_a_playlist_that_cannot_be_read_is_said) {
  tell = [](const std::string&) { return answer{.status = 403}; };
  here.start(settings({{"youtube_api_key", "secret"}}));
  const auto refused = here.say("ann", "add", "yp:PLabcdefghijklmnop");
  EXPECT_EQ(refused.code, "busy");
  tell = [](const std::string&) { return answer{.body = R"({"items": []})"}; };
  EXPECT_EQ(here.say("ann", "add", "yp:PLabcdefghijklmnop").code, "busy");
  EXPECT_EQ(site.targets().size(), 1u) << "it is given a pause";
  here.pass(5);
  EXPECT_EQ(here.say("ann", "add", "yp:PLabcdefghijklmnop").code, "unrecognized_media");
}

// Pages without an end, without a video, and with what was not asked for.
TEST_F(media_lists_test, of_a_playlist_believes_no_nonsense) {
  tell = [](const std::string& target) {
    if (target.find("/playlistItems") == std::string::npos) {
      return answer{.body = R"({"items": [
          {"id": "forged\nvideo", "snippet": {"title": "Forged"}, "contentDetails": {"duration": "PT1M"}},
          {"id": "video000002", "snippet": {"title": "Second"}, "contentDetails": {"duration": "PT1M"}},
          {"id": "video000001", "snippet": {"title": "First"}, "contentDetails": {"duration": "PT1M"}}]})"};
    }
    if (target.find("pageToken=again") == std::string::npos) {
      return answer{.body = R"({"items": [], "nextPageToken": "again"})"};
    }
    return answer{.body = R"({"nextPageToken": "again", "items": [
        {"contentDetails": {"videoId": "video000001"}}, {"contentDetails": {"videoId": "video000002"}}]})"};
  };
  here.start(settings({{"youtube_api_key", "secret"}}));
  EXPECT_EQ(here.say("ann", "add", "yp:PLabcdefghijklmnop").message,
            "📺 Added to queue (#1): First and 1 more");
  EXPECT_THAT(here.say("ann", "queue").message, HasSubstr("1. Second [1:00]"));
  EXPECT_EQ(site.targets().size(), 3u);
}

}  // namespace
}  // namespace rosey::playlist::testing
