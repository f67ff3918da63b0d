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
  tell_late(song(60));
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
  const json::object nameless{{"title", 7}, {"endpoint", site.url("/vi")}};
  for (const json::value& damaged : {json::value(7), json::value(nameless)}) {
    here.storage("kv.playlist.set", {{"key", "meta:oembed:vi:123456789"}, {"value", damaged}});
    EXPECT_THAT(here.say("ann", "add", vimeo).message, EndsWith(": A song"));
  }
  EXPECT_THAT(site.targets(), SizeIs(2));
}

TEST_F(metadata_test, that_is_late_completes_the_row) {
  tell_late(song(60));
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

TEST_F(metadata_test, that_is_late_keeps_a_repeated_command_no_longer_than_a_host_waits) {
  tell = [](const std::string&) { return answer{.held = true}; };
  here.start(settings({{"deadline_ms", 8000}}));
  wire::command_request request;
  request.channel = "#lobby";
  request.user = "ann";
  request.args = vimeo;
  request.id = "id-1";
  here.begin("rosey.command.playlist.add", wire::encode(request));
  here.until([&] { return !site.targets().empty(); });
  here.pass(5);
  request.attempt = 2;
  const auto again = here.begin("rosey.command.playlist.add", wire::encode(request));
  here.settle();
  here.pass(4);
  here.settle();
  ASSERT_TRUE(again->answered);
  EXPECT_EQ(message_of(again), "📺 Added to queue (#1): [vi] 123456789");
  EXPECT_THAT(here.rows("queue"), IsEmpty());
}

TEST_F(metadata_test, that_is_late_completes_what_waits_and_is_not_shown_as_unknown) {
  here.start(settings());
  here.say("ann", "add", video(1));
  tell_late(song(60, "Late"));
  add_without_patience("ann", vimeo);
  site.release();
  here.until([&] { return has_event("playlist.metadata.fetched"); });
  here.settle();
  EXPECT_THAT(here.say("ann", "queue").message, HasSubstr("1. Late [1:00] - ann"));
  EXPECT_EQ(here.rows("queue").at(0).at("duration"), 60);
}

TEST_F(metadata_test, that_is_late_and_too_long_removes_the_item_and_says_so) {
  tell = [](const std::string& target) {
    return late(song(target.find("222") == std::string::npos ? 100 : 5000));
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
  tell_late(song(1801));
  json::object config = settings();
  config["max_duration_per_user"] = 1799;
  here.start(config);
  add_without_patience("ann", vimeo);
  site.release();
  here.until([&] { return !here.announced().empty(); });
  EXPECT_THAT(here.announced().front(),
              HasSubstr("You can only have 29:59 of content queued; with it you have 30:01"));
  EXPECT_EQ(here.say("ann", "queue").message, "📺 Queue is empty");
}

TEST_F(metadata_test, that_is_late_ends_each_play_that_may_not_stay) {
  tell_late(song(5000));
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
  tell_late(song(5000));
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

TEST_F(metadata_test, is_taken_up_again_after_a_kill) {
  tell_late(song(60));
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
  tell_late(song(60));
  here.start(settings({{"max_fetches", 4}}));
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

TEST_F(metadata_test, is_not_asked_for_where_that_is_not_wanted) {
  json::object config = settings();
  config["metadata"] = "none";
  here.start(config);
  here.say("ann", "add", vimeo);
  EXPECT_THAT(site.targets(), IsEmpty());
}

}  // namespace
}  // namespace rosey::playlist::testing
