// Limits hold however the adds come: one by one, all at once, or through several instances.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "playlist_plugin/storage/keys.hpp"
#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;

std::string add_payload(const std::string& user, int number,
                        const std::string& channel = "#lobby") {
  wire::command_request request;
  request.channel = channel;
  request.user = user;
  request.args = video(number);
  return wire::encode(request);
}

// All at once; the codes of the answers, "" for a success.
std::map<std::string, int> add_at_once(world& here, const std::vector<std::string>& payloads) {
  std::vector<std::shared_ptr<said>> commands;
  for (const std::string& payload : payloads) {
    commands.push_back(here.begin("rosey.command.playlist.add", payload));
  }
  std::map<std::string, int> codes;
  for (const auto& command : commands) {
    const auto reply = wire::decode_reply(std::string_view(here.finish(command)));
    ++codes[reply ? reply->code : "unreadable"];
  }
  return codes;
}

std::vector<std::string> ten_adds(const std::string& user) {
  std::vector<std::string> payloads;
  for (int number = 0; number < 10; ++number) payloads.push_back(add_payload(user, number));
  return payloads;
}

std::size_t stored_items(world& here) {
  std::size_t playing = 0;
  for (const json::value& row : here.rows("channel")) {
    if (!row.at("now_item_id").is_null()) ++playing;
  }
  return here.rows("queue").size() + playing;
}

TEST(quota, refuses_the_sixth_item) {
  world here;
  here.start({{"rate_limit_count", 100}});
  for (int number = 0; number < 5; ++number) {
    EXPECT_TRUE(here.say("ann", "add", video(number)).success);
  }
  const auto refused = here.say("ann", "add", video(6));
  EXPECT_EQ(refused.message, "❌ You can only have 5 items in queue; you have 5");
  EXPECT_EQ(refused.code, "quota_items");
  EXPECT_EQ(refused.data, (json::object{{"limit", 5}, {"used", 5}}));
  EXPECT_TRUE(here.say("bob", "add", video(6)).success);
  here.say("ann", "remove");
  EXPECT_TRUE(here.say("ann", "add", video(6)).success);
}

TEST(quota, refuses_the_fourth_add_in_ten_seconds_and_takes_it_later) {
  world here;
  here.start();
  for (int number = 0; number < 3; ++number) {
    EXPECT_TRUE(here.say("ann", "add", video(number)).success);
  }
  const auto refused = here.say("ann", "add", video(4));
  EXPECT_EQ(
      refused.message,
      "❌ Slow down! You're adding too fast. At most 3 adds in 10 seconds; try again in 10 seconds");
  EXPECT_EQ(refused.code, "rate_limited");
  EXPECT_EQ(refused.data, (json::object{{"limit", 3}, {"used", 3}, {"retry_after", 10}}));
  EXPECT_TRUE(here.say("bob", "add", video(4)).success);
  here.pass(9);
  EXPECT_FALSE(here.say("ann", "add", video(5)).success);
  here.pass(1);
  EXPECT_TRUE(here.say("ann", "add", video(5)).success);
}

TEST(quota, counts_adds_over_all_channels_and_after_a_restart) {
  world here;
  instance& first = here.start();
  EXPECT_EQ(add_at_once(here, {add_payload("ann", 1, "#a"), add_payload("ann", 2, "#b"),
                               add_payload("ann", 3, "#c"), add_payload("ann", 4, "#d")}),
            (std::map<std::string, int>{{"", 3}, {"rate_limited", 1}}));
  here.stop(first);
  here.start();
  EXPECT_EQ(here.say("ann", "add", video(4)).code, "rate_limited");
}

TEST(quota, refuses_when_the_queue_is_full) {
  world here;
  here.start({{"max_queue_size", 2}});
  for (const char* user : {"ann", "bob", "cid"}) {
    EXPECT_TRUE(here.say(user, "add", video(1)).success);
  }
  const auto refused = here.say("dan", "add", video(1));
  EXPECT_EQ(refused.message, "❌ Queue is full! It holds 2 items");
  EXPECT_EQ(refused.code, "queue_full");
  const json::object again = here.ask(
      "service.playlist.add_item", R"({"channel":"#lobby","user":"eve","url":"yt:video000001"})");
  EXPECT_EQ(again.at("data"), (json::object{{"limit", 2}, {"used", 2}}));
}

TEST(quota, refuses_types_and_durations_that_are_not_wanted) {
  world here;
  here.start({{"allowed_media_types", json::array{"sc"}}, {"require_duration", true}});
  EXPECT_EQ(here.say("ann", "add", video(1)).message,
            "❌ Media of type 'yt' is not allowed here, only sc");
  EXPECT_EQ(here.say("ann", "add", "https://soundcloud.com/artist/track").code, "quota_duration");
}

TEST(quota, counts_seconds_that_are_known) {
  world here;
  here.storage("row.playlist.insert",
               {{"table", "channel"},
                {"values", json::object{{"channel", "#lobby"}, {"version", 1}, {"next_item", 2}}}});
  here.storage("row.playlist.insert", {{"table", "queue"},
                                       {"values", json::object{{"channel", "#lobby"},
                                                               {"position", 0},
                                                               {"item_id", "q1"},
                                                               {"media_type", "yt"},
                                                               {"media_id", "video000001"},
                                                               {"title", "Long"},
                                                               {"duration", 1801},
                                                               {"added_by", "ann"}}}});
  here.start();
  const auto refused = here.say("ann", "add", video(2));
  EXPECT_EQ(refused.message, "❌ You can only have 30 minutes of content queued; you have 30:01");
  EXPECT_EQ(refused.code, "quota_duration");
  EXPECT_EQ(here.say("bob", "queue").message,
            "📺 **Playlist**\n▶️ Now: Long [30:01]\n   Added by: ann\n📊 1 items | 30m | 1 "
            "users");
}

TEST(quota, holds_when_ten_adds_come_at_once) {
  world here;
  here.start();
  EXPECT_EQ(add_at_once(here, ten_adds("ann")),
            (std::map<std::string, int>{{"", 3}, {"rate_limited", 7}}));
  EXPECT_EQ(stored_items(here), 3u);
}

TEST(quota, of_items_holds_when_ten_adds_come_at_once) {
  world here;
  here.start({{"rate_limit_count", 100}});
  EXPECT_EQ(add_at_once(here, ten_adds("ann")),
            (std::map<std::string, int>{{"", 5}, {"quota_items", 5}}));
  EXPECT_EQ(stored_items(here), 5u);
}

TEST(quota, holds_when_ten_adds_come_at_once_to_two_instances) {
  world here;
  here.start();
  here.start();
  EXPECT_EQ(add_at_once(here, ten_adds("ann")),
            (std::map<std::string, int>{{"", 3}, {"rate_limited", 7}}));
  EXPECT_EQ(stored_items(here), 3u);
}

TEST(quota, of_items_holds_with_two_instances) {
  world here;
  here.start({{"rate_limit_count", 100}});
  here.start({{"rate_limit_count", 100}});
  EXPECT_EQ(add_at_once(here, ten_adds("ann")),
            (std::map<std::string, int>{{"", 5}, {"quota_items", 5}}));
  EXPECT_EQ(stored_items(here), 5u);
  EXPECT_EQ(here.rows("user_stats").at(0).at("items_added"), 5);
}

TEST(quota, of_the_rate_holds_over_two_channels_at_once) {
  world here;
  here.start();
  std::vector<std::string> payloads;
  for (int number = 0; number < 10; ++number) {
    payloads.push_back(add_payload("ann", number, number % 2 == 0 ? "#a" : "#b"));
  }
  EXPECT_EQ(add_at_once(here, payloads),
            (std::map<std::string, int>{{"", 3}, {"rate_limited", 7}}));
}

TEST(quota, stays_sound_when_the_clock_of_storage_is_behind) {
  world here;
  here.start();
  for (int number = 0; number < 3; ++number) here.say("ann", "add", video(number));
  // For storage no time passes: the key is still there when its last add has left the window.
  here.pass(60);
  EXPECT_TRUE(here.say("ann", "add", video(4)).success);
  EXPECT_TRUE(here.say("ann", "add", video(5)).success);
  here.say("ann", "remove");
  EXPECT_TRUE(here.say("ann", "add", video(6)).success);
  here.say("ann", "remove");
  EXPECT_EQ(here.say("ann", "add", video(7)).code, "rate_limited");
}

TEST(quota, does_not_concern_exempt_roles) {
  world here;
  here.start({{"exempt_roles", json::array{"moderator"}}, {"max_items_per_user", 2}});
  for (int number = 0; number < 6; ++number) {
    EXPECT_TRUE(here.say("mod", "add", video(number), wire::role::moderator).success);
  }
  for (int number = 0; number < 2; ++number) here.say("ann", "add", video(number));
  EXPECT_EQ(here.say("ann", "add", video(3)).code, "quota_items");
  const std::string request = R"({"channel":"#lobby","user":"mod","role":"moderator","url":")";
  EXPECT_EQ(here.ask("service.playlist.add_item", request + video(9) + "\"}").at("success"), true);
}

TEST(duplicates, are_refused_while_they_play_and_for_some_minutes_after) {
  world here;
  here.start({{"refuse_duplicates", true}, {"repeat_after_minutes", 10}});
  here.say("ann", "add", video(1));
  EXPECT_EQ(here.say("bob", "add", video(1)).message, "❌ This is playing now");
  here.say("ann", "add", video(2));
  EXPECT_EQ(here.say("bob", "add", video(2)).message,
            "❌ This is in the queue already, as number 1");
  here.say("ann", "skip");
  here.pass(9 * 60 + 1);
  const auto refused = here.say("bob", "add", video(1));
  EXPECT_EQ(refused.code, "duplicate");
  EXPECT_EQ(refused.message, "❌ This was played 10 minutes ago; it can be added again in 1 minute");
  here.pass(59);
  EXPECT_TRUE(here.say("bob", "add", video(1)).success);
}

TEST(duplicates, are_welcome_by_default) {
  world here;
  here.start();
  here.say("ann", "add", video(1));
  EXPECT_TRUE(here.say("bob", "add", video(1)).success);
}

TEST(quota, works_for_the_longest_user_name) {
  world here;
  here.start();
  const std::string name(256, 'x');
  for (int number = 0; number < 3; ++number) {
    EXPECT_TRUE(here.say(name, "add", video(number)).success);
  }
  EXPECT_EQ(here.say(name, "add", video(4)).code, "rate_limited");
  EXPECT_EQ(bounded_key("ratelimit:", "ann"), "ratelimit:ann");
  EXPECT_LE(bounded_key("ratelimit:", name).size(), wire::max_name);
  EXPECT_NE(bounded_key("ratelimit:", name), bounded_key("ratelimit:", name + "y"));
}

}  // namespace
}  // namespace rosey::playlist::testing
