// Every verb, word for word.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto moderator = wire::role::moderator;

class commands_test : public ::testing::Test {
 protected:
  commands_test() {
    json::object config{{"max_items_per_user", 20}, {"rate_limit_count", 50}};
    here.start(config);
  }

  std::string says(const std::string& user, const std::string& verb, const std::string& args = "",
                   wire::role role = wire::role::user) {
    return here.say(user, verb, args, role).message;
  }
  // The code of the refusal, and what chat shows.
  std::pair<std::string, std::string> refused(const std::string& user, const std::string& verb,
                                              const std::string& args = "") {
    const auto reply = here.say(user, verb, args);
    EXPECT_FALSE(reply.success) << reply.message;
    EXPECT_EQ(reply.message, "❌ " + reply.error);
    return {reply.code, reply.message};
  }
  using refusal = std::pair<std::string, std::string>;

  // "ann" adds this many.
  void add(int count, const std::string& user = "ann") {
    for (int number = 1; number <= count; ++number) {
      const auto reply = here.say(user, "add", video(number));
      ASSERT_TRUE(reply.success) << reply.message;
    }
  }

  world here;
};

TEST_F(commands_test, add_answers_with_the_number_and_the_title) {
  const auto first = here.say("ann", "add", "https://www.youtube.com/watch?v=dQw4w9WgXcQ");
  EXPECT_TRUE(first.success);
  EXPECT_EQ(first.message, "📺 Added to queue (#1): [yt] dQw4w9WgXcQ");
  EXPECT_EQ(first.data.at("item").at("id"), "q1");
  EXPECT_EQ(first.data.at("playing"), true);
  EXPECT_EQ(says("bob", "add", "  yt:dQw4w9WgXcQ "), "📺 Added to queue (#1): [yt] dQw4w9WgXcQ");
  EXPECT_EQ(says("bob", "add", video(3)), "📺 Added to queue (#2): [yt] video000003");
}

TEST_F(commands_test, add_stores_row_channel_statistics_and_rate_in_one_request) {
  add(1);
  here.server().storage_subjects.clear();
  add(1, "bob");
  EXPECT_THAT(here.server().storage_subjects, ElementsAre("db.batch.playlist"));
  const json::array queue = here.rows("queue");
  ASSERT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue[0].at("item_id"), "q2");
  EXPECT_EQ(queue[0].at("added_by"), "bob");
  EXPECT_EQ(here.stored_version(), 2);
  EXPECT_EQ(here.rows("user_stats").size(), 2u);
  const auto limit = here.storage("kv.playlist.get", {{"key", "ratelimit:bob"}});
  EXPECT_EQ(limit.at("value").as_array().size(), 1u);
}

TEST_F(commands_test, add_without_a_url_explains_itself) {
  EXPECT_EQ(refused("ann", "add"), refusal("usage", "❌ Usage: !add <url>"));
  EXPECT_EQ(refused("ann", "add", "  "), refusal("usage", "❌ Usage: !add <url>"));
}

TEST_F(commands_test, add_refuses_what_is_no_media) {
  const auto [code, message] = refused("ann", "add", "https://example.com/page");
  EXPECT_EQ(code, "unrecognized_media");
  EXPECT_TRUE(message.starts_with("❌ Unrecognized media URL")) << message;
}

TEST_F(commands_test, queue_shows_five_and_the_totals) {
  EXPECT_EQ(says("ann", "queue"), "📺 Queue is empty");
  add(1);
  EXPECT_EQ(says("ann", "queue"),
            "📺 **Playlist**\n"
            "▶️ Now: [yt] video000001 [??:??]\n"
            "   Added by: ann\n"
            "📊 1 items | 0m | 1 users");
  add(7, "bob");
  EXPECT_EQ(says("ann", "queue"),
            "📺 **Playlist**\n"
            "▶️ Now: [yt] video000001 [??:??]\n"
            "   Added by: ann\n"
            "**Up Next:**\n"
            "1. [yt] video000001 [??:??] - bob\n"
            "2. [yt] video000002 [??:??] - bob\n"
            "3. [yt] video000003 [??:??] - bob\n"
            "4. [yt] video000004 [??:??] - bob\n"
            "5. [yt] video000005 [??:??] - bob\n"
            "... and 2 more\n"
            "📊 8 items | 0m | 2 users");
}

TEST_F(commands_test, reading_a_known_channel_asks_storage_nothing) {
  add(2);
  here.server().storage_subjects.clear();
  says("ann", "queue");
  says("ann", "nowplaying");
  EXPECT_THAT(here.server().storage_subjects, IsEmpty());
}

TEST_F(commands_test, nowplaying_shows_title_time_and_who) {
  EXPECT_EQ(refused("ann", "nowplaying"), refusal("nothing_playing", "❌ Nothing is playing!"));
  add(1);
  here.pass(83);
  EXPECT_EQ(says("bob", "nowplaying"),
            "▶️ Now: [yt] video000001\n1:23 / ??:??\n   Added by: ann");
}

TEST_F(commands_test, skip_tells_what_comes_next) {
  EXPECT_EQ(refused("ann", "skip"), refusal("nothing_playing", "❌ Nothing is playing!"));
  add(2);
  const auto [code, message] = refused("bob", "skip");
  EXPECT_EQ(code, "forbidden");
  EXPECT_EQ(message, "❌ You can only skip your own items; !voteskip asks the others");
  EXPECT_EQ(says("ann", "skip"), "⏭️ Skipped. Now playing: [yt] video000002");
  EXPECT_EQ(says("mod", "skip", "", moderator), "⏭️ Skipped. Queue is now empty.");
}

TEST_F(commands_test, voteskip_counts_and_passes) {
  EXPECT_EQ(refused("ann", "voteskip"), refusal("nothing_playing", "❌ Nothing is playing!"));
  add(2);
  for (const char* user : {"bob", "cid", "dan", "eve", "fay"}) says(user, "queue");
  EXPECT_EQ(says("bob", "voteskip"), "⏭️ Vote recorded (1/3 needed)");
  EXPECT_EQ(refused("bob", "voteskip"), refusal("duplicate", "❌ You already voted to skip!"));
  EXPECT_EQ(says("cid", "voteskip"), "⏭️ Vote recorded (2/3 needed)");
  EXPECT_EQ(here.rows("vote").size(), 2u);
  EXPECT_EQ(says("dan", "voteskip"), "⏭️ Skip vote passed! (3 votes)");
  EXPECT_THAT(here.rows("vote"), IsEmpty());
  EXPECT_EQ(says("bob", "voteskip"), "⏭️ Vote recorded (1/3 needed)") << "of the next item";
}

TEST_F(commands_test, remove_takes_nothing_a_number_or_an_id) {
  EXPECT_EQ(refused("ann", "remove"), refusal("not_found", "❌ You have nothing in the queue"));
  EXPECT_EQ(refused("ann", "remove", "999"), refusal("not_found", "❌ Item '999' not found"));
  add(4);
  EXPECT_EQ(says("ann", "remove"), "🗑️ Removed: [yt] video000004");
  EXPECT_EQ(says("ann", "remove", "1"), "🗑️ Removed: [yt] video000002");
  EXPECT_EQ(refused("bob", "remove", "q3"),
            refusal("forbidden", "❌ You can only remove your own items"));
  EXPECT_EQ(says("mod", "remove", "q3", moderator), "🗑️ Removed: [yt] video000003");
  EXPECT_THAT(here.rows("queue"), IsEmpty());
  EXPECT_EQ(refused("ann", "remove", "1 2"),
            refusal("usage", "❌ Usage: !remove [id, number, range or all]"));
}

TEST_F(commands_test, remove_and_move_take_ranges_and_all) {
  add(8);
  EXPECT_EQ(says("ann", "move", "1-2 4"), "↕️ Moved 2 items");
  const json::array rows = here.rows("queue", {{"position", 1}});
  EXPECT_EQ(rows[0].at("item_id"), "q4");
  EXPECT_EQ(rows[2].at("item_id"), "q2");
  EXPECT_EQ(says("ann", "remove", "2-3"), "🗑️ Removed 2 items");
  add(1, "bob");
  EXPECT_EQ(says("ann", "remove", "all"), "🗑️ Removed 5 items");
  EXPECT_EQ(here.rows("queue").size(), 1u);
  EXPECT_EQ(refused("ann", "remove", "all"),
            refusal("not_found", "❌ You have nothing in the queue"));
}

TEST_F(commands_test, when_tells_the_own_items_and_their_time) {
  EXPECT_EQ(refused("ann", "when"), refusal("not_found", "❌ You have nothing in the queue"));
  add(1, "bob");
  add(1);
  EXPECT_EQ(says("ann", "when"),
            "⏱️ **Your items**\n1. [yt] video000001 - after an item of unknown length");
  EXPECT_EQ(says("bob", "when"), "⏱️ **Your items**\n▶️ [yt] video000001 - now");
  add(7, "bob");
  EXPECT_THAT(says("bob", "when"), ::testing::EndsWith("\n... and 3 more"));
}

TEST_F(commands_test, clear_and_shuffle_are_for_moderators_and_admins) {
  EXPECT_EQ(refused("ann", "clear"), refusal("forbidden", "❌ Admin only command"));
  EXPECT_EQ(refused("ann", "shuffle"), refusal("forbidden", "❌ Admin only command"));
  EXPECT_EQ(says("mod", "shuffle", "", moderator), "❌ Need at least 2 items to shuffle");
  add(6);
  EXPECT_EQ(says("mod", "shuffle", "", moderator), "🔀 Shuffled 5 items");
  EXPECT_EQ(says("root", "clear", "", wire::role::admin), "🗑️ Cleared 5 items from queue");
  EXPECT_EQ(says("root", "clear", "", wire::role::admin), "🗑️ Cleared 0 items from queue");
  EXPECT_THAT(here.rows("queue"), IsEmpty());
  EXPECT_THAT(says("ann", "queue"), ::testing::HasSubstr("1 items")) << "what plays is not cleared";
}

TEST_F(commands_test, shuffle_keeps_every_item_and_stores_the_order) {
  add(20);
  for (int round = 0; round < 3; ++round) says("mod", "shuffle", "", moderator);
  const json::array rows = here.rows("queue", {{"position", 1}});
  const json::object shown = here.ask("service.playlist.get_queue", R"({"channel":"#lobby"})");
  const json::array& items = shown.at("items").as_array();
  ASSERT_EQ(items.size(), 19u);
  ASSERT_EQ(rows.size(), 19u);
  std::set<std::string> ids;
  for (std::size_t index = 0; index < items.size(); ++index) {
    EXPECT_EQ(items[index].at("id"), rows[index].at("item_id"));
    ids.emplace(items[index].at("id").as_string());
  }
  EXPECT_EQ(ids.size(), 19u);
}

TEST_F(commands_test, move_takes_an_item_and_a_place) {
  add(4);
  EXPECT_EQ(refused("ann", "move", "q2"),
            refusal("usage", "❌ Usage: !move <id, number or range> <after, or start>"));
  EXPECT_EQ(says("ann", "move", "q4 start"), "↕️ Moved: [yt] video000004");
  EXPECT_EQ(says("ann", "move", "1 3"), "↕️ Moved: [yt] video000004");
  EXPECT_EQ(refused("bob", "move", "1 start"),
            refusal("forbidden", "❌ You can only move your own items"));
  EXPECT_EQ(refused("ann", "move", "1 q77"), refusal("not_found", "❌ Item 'q77' not found"));
  const json::array rows = here.rows("queue", {{"position", 1}});
  EXPECT_EQ(rows[0].at("item_id"), "q2");
  EXPECT_EQ(rows[2].at("item_id"), "q4");
}

TEST_F(commands_test, history_has_the_layout_of_the_specification) {
  EXPECT_EQ(says("ann", "history"), "📜 No play history yet");
  add(3);
  says("ann", "skip");
  here.pass(1);
  says("ann", "skip");
  EXPECT_EQ(says("bob", "history"),
            "📜 **Recent Plays**\n"
            "\n"
            "⏭️ [yt] video000002 - ann\n"
            "⏭️ [yt] video000001 - ann");
  EXPECT_EQ(says("bob", "history", "1"), "📜 **Recent Plays**\n\n⏭️ [yt] video000002 - ann");
  for (const char* wrong : {"0", "51", "-1", "many", "1 2", "2x"}) {
    EXPECT_EQ(refused("bob", "history", wrong), refusal("usage", "❌ Usage: !history [1-50]"));
  }
}

TEST_F(commands_test, mystats_has_the_layout_of_the_specification) {
  EXPECT_EQ(says("ann", "mystats"), "📊 No playlist stats yet");
  add(2);
  here.pass(2 * 3600 + 45 * 60);
  says("ann", "skip");
  EXPECT_EQ(says("ann", "mystats"),
            "📊 **Playlist Stats for ann**\n"
            "\n"
            "• Items Added: 2\n"
            "• Items Played: 1\n"
            "• Skip Rate: 100%\n"
            "• Total Time: 2h 45m");
}

TEST_F(commands_test, each_change_is_an_event_with_the_version_of_the_channel) {
  add(3);
  says("ann", "remove");
  says("ann", "skip");
  here.settle();
  EXPECT_THAT(here.event_names(),
              ElementsAre("playlist.item.added", "playlist.item.playing", "playlist.item.added",
                          "playlist.item.added", "playlist.item.removed", "playlist.item.finished",
                          "playlist.item.playing"));
  std::vector<std::int64_t> versions;
  for (const json::object& event : here.events()) {
    versions.push_back(event.at("version").as_int64());
    EXPECT_EQ(event.at("channel"), "#lobby");
    EXPECT_EQ(event.at("timestamp"), "2023-11-14T22:13:20.000Z");
  }
  EXPECT_THAT(versions, ElementsAre(1, 1, 2, 3, 4, 5, 5));
  EXPECT_EQ(here.events()[0].at("item").at("url"), "https://www.youtube.com/watch?v=video000001");
}

TEST_F(commands_test, every_other_event_carries_what_a_listener_needs) {
  add(4);
  here.events().clear();
  says("mod", "shuffle", "", moderator);
  says("mod", "move", "1 start", moderator);
  says("bob", "voteskip");
  says("cid", "voteskip");
  says("mod", "clear", "", moderator);
  here.settle();
  const auto& events = here.events();
  EXPECT_THAT(here.event_names(),
              ElementsAre("playlist.shuffled", "playlist.moved", "playlist.skip.vote",
                          "playlist.skip.vote", "playlist.skip.passed", "playlist.item.finished",
                          "playlist.item.playing", "playlist.cleared"));
  EXPECT_EQ(events[0].at("order").as_array().size(), 3u);
  EXPECT_EQ(events[1].at("after"), nullptr);
  EXPECT_EQ(events[2].at("needed"), 2);
  EXPECT_EQ(events[5].at("skipped"), true);
  EXPECT_EQ(events[7].at("count"), 2);
}

TEST_F(commands_test, channels_do_not_touch_each_other) {
  add(2);
  wire::command_request elsewhere;
  elsewhere.channel = "#other";
  elsewhere.user = "ann";
  EXPECT_EQ(here.say("queue", elsewhere).message, "📺 Queue is empty");
  elsewhere.args = video(9);
  EXPECT_EQ(here.say("add", elsewhere).data.at("item").at("id"), "q1");
  EXPECT_EQ(here.stored_version("#other"), 1);
}

TEST_F(commands_test, a_command_without_a_reply_subject_is_still_done) {
  wire::command_request quiet;
  quiet.channel = "#lobby";
  quiet.user = "ann";
  quiet.args = video(1);
  here.server().deliver({"rosey.command.playlist.add", "", wire::encode(quiet)});
  here.settle();
  EXPECT_EQ(here.stored_version(), 1);
}

}  // namespace
}  // namespace rosey::playlist::testing
