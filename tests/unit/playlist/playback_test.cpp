// Time passes: items end once, at their second, and the next ones start.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using fakes::storage_mode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Items of known duration wait in storage; the first starts when the plugin does.
void store_items(world& here, const std::vector<std::int64_t>& durations) {
  json::object channel{{"channel", "#lobby"}, {"version", 1}};
  channel["next_item"] = durations.size() + 1;
  here.storage("row.playlist.insert", {{"table", "channel"}, {"values", channel}});
  for (std::size_t index = 0; index < durations.size(); ++index) {
    const std::string number = std::to_string(index + 1);
    here.storage("row.playlist.insert",
                 {{"table", "queue"},
                  {"values", json::object{{"channel", "#lobby"},
                                          {"position", index},
                                          {"item_id", "q" + number},
                                          {"media_type", "yt"},
                                          {"media_id", "video00000" + number},
                                          {"title", "Song " + number},
                                          {"duration", durations[index]},
                                          {"added_by", "ann"}}}});
  }
}

std::string playing(world& here) {
  const json::object reply = here.ask("service.playlist.get_current", R"({"channel":"#lobby"})");
  const json::value& item = reply.at("item");
  return item.is_null() ? "" : std::string(item.at("title").as_string());
}

TEST(playback, ends_items_after_their_duration) {
  world here;
  store_items(here, {100, 50, 0});
  here.start();
  EXPECT_EQ(playing(here), "Song 1");
  here.pass(99);
  EXPECT_EQ(playing(here), "Song 1");
  EXPECT_EQ(here.say("bob", "nowplaying").message,
            "▶️ Now: Song 1\n▬▬▬▬▬▬▬▬▬🔘 1:39 / 1:40\n   Added by: ann");
  here.pass(1);
  EXPECT_EQ(playing(here), "Song 2");
  here.pass(50);
  EXPECT_EQ(playing(here), "Song 3");
  here.pass(100'000);
  EXPECT_EQ(playing(here), "Song 3") << "of unknown duration";
  const json::array history = here.rows("history", {{"id", 1}});
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].at("title"), "Song 1");
  EXPECT_EQ(history[0].at("play_duration"), 100);
  EXPECT_EQ(history[0].at("skipped"), false);
  EXPECT_THAT(here.say("ann", "history").message, HasSubstr("\n✅ Song 2 - ann\n✅ Song 1 - ann"));
  EXPECT_THAT(here.say("ann", "mystats").message, HasSubstr("• Skip Rate: 0%"));
}

TEST(playback, leaves_an_empty_channel_when_the_last_item_ends) {
  world here;
  store_items(here, {10});
  here.start();
  here.pass(10);
  EXPECT_EQ(playing(here), "");
  EXPECT_EQ(here.say("ann", "queue").message, "📺 Queue is empty");
  EXPECT_TRUE(here.say("ann", "add", video(1)).success);
  EXPECT_EQ(playing(here), "[yt] video000001");
}

TEST(playback, follows_a_skip_to_the_end_of_the_next_item) {
  world here;
  store_items(here, {1000, 30, 0});
  here.start();
  here.pass(5);
  here.say("ann", "skip");
  here.pass(29);
  EXPECT_EQ(playing(here), "Song 2");
  here.pass(1);
  EXPECT_EQ(playing(here), "Song 3");
  const json::array history = here.rows("history", {{"id", 1}});
  EXPECT_EQ(history[0].at("play_duration"), 5);
  EXPECT_EQ(history[0].at("skipped"), true);
}

TEST(playback, finishes_once_what_ended_while_nobody_was_running) {
  world here;
  store_items(here, {100, 100});
  here.stop(here.start());
  here.pass(1000);
  here.start();
  EXPECT_EQ(playing(here), "Song 2");
  const json::array history = here.rows("history");
  ASSERT_EQ(history.size(), 1u);
  EXPECT_EQ(history[0].at("play_duration"), 100);
  EXPECT_EQ(history[0].at("played_at"), "2023-11-14T22:15:00Z") << "when it ended, not now";
  EXPECT_THAT(here.say("bob", "nowplaying").message, HasSubstr("0:00 / 1:40"));
}

TEST(playback, ends_each_item_once_with_several_instances) {
  world here;
  store_items(here, {100, 100, 100});
  here.start();
  here.start();
  here.start();
  here.pass(100);
  here.pass(100);
  EXPECT_EQ(playing(here), "Song 3");
  EXPECT_EQ(here.rows("history").size(), 2u);
}

TEST(playback, is_taken_over_when_the_instance_that_started_it_goes) {
  world here;
  here.start();
  instance& second = here.start();
  store_items(here, {50, 0});
  // One of the two reads the channel now and starts its first item.
  here.say("ann", "queue");
  here.settle();
  EXPECT_EQ(playing(here), "Song 1");
  here.stop(second);
  here.pass(50);
  EXPECT_EQ(playing(here), "Song 2");
}

TEST(playback, waits_for_storage_and_then_goes_on) {
  world here;
  store_items(here, {100, 0});
  here.start();
  here.server().storage = storage_mode::refusing;
  here.pass(100);
  here.pass(2);
  here.pass(2);
  EXPECT_LT(here.server().storage_subjects.size(), 20u) << "it does not hammer";
  here.server().storage = storage_mode::serving;
  here.pass(2);
  EXPECT_EQ(playing(here), "Song 2");
  EXPECT_EQ(here.rows("history").at(0).at("play_duration"), 100);
}

TEST(playback, ends_when_the_plugin_is_stopped) {
  world here;
  store_items(here, {100});
  instance& playlist = here.start();
  EXPECT_GT(playlist.tasks.running(), 0u);
  here.stop(playlist);
  here.pass(1000);
  EXPECT_THAT(here.rows("history"), IsEmpty());
}

TEST(playback, of_limited_unknown_lengths_begins_at_a_time_at_the_latest) {
  world here;
  here.start({{"max_unknown_duration", 600}});
  for (const int number : {1, 2}) here.say("ann", "add", video(number));
  here.say("bob", "add", video(3));
  here.pass(60);
  const auto when = here.say("bob", "when");
  EXPECT_EQ(when.message, "⏱️ **Your items**\n2. [yt] video000003 - in at most 19:00");
  EXPECT_EQ(when.data.at("items").at(0).at("at_most"), 1140);
}

TEST(playback, of_unknown_durations_ends_at_the_limit_if_there_is_one) {
  world here;
  store_items(here, {0, 50});
  here.start({{"max_unknown_duration", 600}});
  here.pass(599);
  EXPECT_EQ(playing(here), "Song 1");
  here.pass(1);
  EXPECT_EQ(playing(here), "Song 2");
  EXPECT_EQ(here.rows("history").at(0).at("play_duration"), 600);
}

TEST(playback, is_right_to_the_second_after_a_kill) {
  world here;
  store_items(here, {100, 50});
  here.start();
  here.pass(30);
  here.kill_all();
  here.pass(40);
  here.start();
  EXPECT_THAT(here.say("bob", "nowplaying").message, HasSubstr("1:10 / 1:40"));
  here.pass(29);
  EXPECT_EQ(playing(here), "Song 1");
  here.pass(1);
  EXPECT_EQ(playing(here), "Song 2");
  EXPECT_EQ(here.rows("history").size(), 1u);
}

TEST(playback, that_ended_after_a_kill_is_recorded_once_by_whoever_comes_back) {
  world here;
  store_items(here, {100, 50});
  here.start();
  here.pass(30);
  here.kill_all();
  here.pass(1000);
  here.start();
  here.start();
  here.start();
  here.settle();
  EXPECT_EQ(playing(here), "Song 2");
  const json::array history = here.rows("history");
  ASSERT_EQ(history.size(), 1u);
  EXPECT_EQ(history[0].at("play_duration"), 100);
}

constexpr char finished_1[] = R"({"channel":"#lobby","item_id":"q1","position":61.7})";

TEST(player, says_when_an_item_has_ended) {
  world here;
  store_items(here, {100, 50});
  here.start();
  here.pass(70);
  const json::object answer = here.ask("playlist.player.finished", finished_1);
  EXPECT_EQ(answer.at("playing").at("id"), "q2");
  const json::array history = here.rows("history");
  ASSERT_EQ(history.size(), 1u);
  EXPECT_EQ(history[0].at("play_duration"), 61);
  EXPECT_EQ(history[0].at("skipped"), false);
  EXPECT_EQ(here.ask("playlist.player.finished", finished_1).at("code"), "not_found");
  EXPECT_EQ(here.rows("history").size(), 1u);
}

TEST(player, ends_an_item_once_however_many_say_so) {
  world here;
  store_items(here, {100, 100, 100});
  here.start();
  here.start();
  here.start();
  here.pass(99);
  std::vector<std::shared_ptr<said>> reports;
  for (int each = 0; each < 6; ++each) {
    reports.push_back(here.begin("playlist.player.finished", finished_1));
  }
  here.pass(1);
  for (const auto& report : reports) here.finish(report);
  here.settle();
  EXPECT_EQ(here.rows("history").size(), 1u);
  EXPECT_EQ(playing(here), "Song 2");
}

TEST(player, says_how_far_it_is_and_every_instance_moves_the_end) {
  world here;
  store_items(here, {100, 50});
  instance& first = here.start();
  here.start();
  here.pass(40);
  // It had stopped for half a minute.
  here.server().deliver(
      {"playlist.player.position", "", R"({"channel":"#lobby","item_id":"q1","position":10})"});
  here.settle();
  EXPECT_THAT(here.say("bob", "nowplaying").message, HasSubstr("0:10 / 1:40"));
  EXPECT_THAT(here.event_names(), ::testing::Contains("playlist.item.position"));
  here.stop(first);
  here.pass(89);
  EXPECT_EQ(playing(here), "Song 1");
  here.pass(1);
  EXPECT_EQ(playing(here), "Song 2");
}

TEST(player, that_talks_nonsense_is_told_so) {
  world here;
  store_items(here, {100});
  here.start();
  const auto refusal = [&here](const char* subject, const char* payload) {
    return std::string(here.ask(subject, payload).at("error").as_string());
  };
  EXPECT_EQ(refusal("playlist.player.finished", R"({"channel":"#lobby"})"), "'item_id' is missing");
  EXPECT_THAT(
      refusal("playlist.player.finished", R"({"channel":"#lobby","item_id":"q1","position":-1})"),
      HasSubstr("'position' must be a number"));
  EXPECT_EQ(refusal("playlist.player.position", R"({"channel":"#lobby","item_id":"q1"})"),
            "'position' is missing");
  EXPECT_EQ(playing(here), "Song 1");
}

TEST(when, counts_down) {
  world here;
  store_items(here, {100, 50, 30, 0, 20});
  here.start();
  here.pass(40);
  EXPECT_EQ(here.say("ann", "when").message,
            "⏱️ **Your items**\n"
            "▶️ Song 1 - now\n"
            "1. Song 2 - in 1:00\n"
            "2. Song 3 - in 1:50\n"
            "3. Song 4 - in 2:20\n"
            "4. Song 5 - in 2:20 and an item of unknown length");
}

TEST(announcements, tell_once_what_starts_however_many_instances_there_are) {
  world here;
  store_items(here, {100, 50, 30, 20});
  here.start({{"announce", true}});
  here.start({{"announce", true}});
  here.pass(100);
  here.say("ann", "skip");
  here.settle();
  EXPECT_THAT(here.announced(),
              ::testing::ElementsAre("#lobby: ▶️ Now playing: Song 1 [1:40] - ann",
                                     "#lobby: ▶️ Now playing: Song 2 [0:50] - ann"))
      << "the answer to !skip names the next item itself";
  here.ask("service.playlist.skip", R"({"channel":"#lobby"})");
  here.settle();
  EXPECT_EQ(here.announced().back(), "#lobby: ▶️ Now playing: Song 4 [0:20] - ann");
}

TEST(announcements, are_off_unless_wanted) {
  world here;
  here.start();
  here.say("ann", "add", video(1));
  here.settle();
  EXPECT_THAT(here.announced(), IsEmpty());
}

TEST(machine_clock, tells_the_time_and_wakes_who_waits) {
  boost::asio::io_context io;
  const auto timer = std::make_shared<boost::asio::steady_timer>(io);
  machine_clock time;
  const std::int64_t before = time.now();
  EXPECT_GT(before, 1'700'000'000'000);
  const std::int64_t begun = time.steady();
  EXPECT_NEAR(static_cast<double>(begun), static_cast<double>(before), 1000);
  time.arm(timer, begun + 20);
  timer->async_wait([](boost::system::error_code failure) { EXPECT_FALSE(failure); });
  io.run();
  EXPECT_GE(time.steady(), begun + 19);
  // A far end is looked at again long before: timers stand still while the machine sleeps.
  time.arm(timer, begun + 86'400'000);
  EXPECT_LE(timer->expiry() - std::chrono::steady_clock::now(), std::chrono::seconds(31));
}

}  // namespace
}  // namespace rosey::playlist::testing
