// The wall's clock is set by an hour while the playlist runs, and while it does not: what plays
// ends all the same, and nothing lasts for ever or begins anew.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t hour = 3600;  // seconds

class a_clock_that_is_set : public ::testing::TestWithParam<std::int64_t> {
 protected:
  // A minute each.
  void play_two() {
    here.start(a_minute);
    here.say("ann", "add", video(1));
    here.say("ann", "add", video(2));
    here.settle();
  }

  json::object current() {
    const json::object told = here.ask("service.playlist.get_current", R"({"channel":"#lobby"})");
    return told.at("item").as_object();
  }
  std::string playing() { return std::string(current().at("media_id").as_string()); }

  std::vector<std::string> history() {
    std::vector<std::string> media;
    const json::object told = here.ask("service.playlist.get_history", R"({"channel":"#lobby"})");
    for (const json::value& item : told.at("items").as_array()) {
      media.emplace_back(item.at("media_id").as_string());
    }
    return media;
  }

  void come(const std::string& user, const std::string& event = "join") {
    here.server().deliver(
        {"rosey.chat.users", "",
         R"({"channel":"#lobby","event":")" + event + R"(","user":")" + user + "\"}"});
    here.settle();
  }

  world here;
  const json::object a_minute{
      {"max_unknown_duration", 60}, {"rate_limit_count", 100}, {"max_items_per_user", 100}};
};

TEST_P(a_clock_that_is_set, does_not_move_the_end_of_what_plays) {
  play_two();
  here.pass(20);
  here.set_clock(GetParam());
  EXPECT_EQ(current().at("elapsed"), 20);
  here.pass(39);
  EXPECT_EQ(playing(), "video000001");
  EXPECT_EQ(current().at("elapsed"), 59) << "also when it was read again meanwhile";
  here.pass(1);
  EXPECT_EQ(playing(), "video000002");
  EXPECT_EQ(here.rows("history").at(0).at("play_duration"), 60);
  here.pass(60);
  EXPECT_EQ(here.rows("history").size(), 2u);
}

TEST_P(a_clock_that_is_set, while_a_start_is_stored_does_not_move_its_end) {
  here.start(a_minute);
  here.server().before_storage = [this, set = false](const auto& subject, const auto&) mutable {
    if (subject != "db.batch.playlist" || std::exchange(set, true)) return;
    here.set_clock(GetParam());
  };
  here.say("ann", "add", video(1));
  here.say("ann", "add", video(2));
  here.settle();
  here.pass(59);
  EXPECT_EQ(playing(), "video000001");
  here.pass(1);
  EXPECT_EQ(playing(), "video000002");
}

TEST_P(a_clock_that_is_set, is_followed_again_when_it_is_set_back) {
  play_two();
  here.pass(20);
  here.set_clock(GetParam());
  here.say("bob", "queue");
  here.pass(20);
  here.set_clock(-GetParam());
  here.pass(19);
  EXPECT_EQ(playing(), "video000001");
  here.pass(1);
  EXPECT_EQ(playing(), "video000002");
}

TEST_P(a_clock_that_is_set, keeps_the_order_of_the_history) {
  play_two();
  here.pass(30);
  here.set_clock(GetParam());
  here.pass(30);
  here.pass(60);
  here.say("ann", "add", video(3));
  here.pass(60);
  EXPECT_THAT(history(), ElementsAre("video000003", "video000002", "video000001"));
  here.kill_all();
  here.set_clock(GetParam());
  here.start(a_minute);
  here.say("ann", "add", video(4));
  here.pass(60);
  EXPECT_THAT(history(), ElementsAre("video000004", "video000003", "video000002", "video000001"));
}

TEST_P(a_clock_that_is_set, does_not_keep_what_is_known_from_being_read_again) {
  instance& first = here.start(generous);
  instance& second = here.start(generous);
  here.server().chosen = &second.bus;
  EXPECT_EQ(here.say("bob", "queue").message, "📺 Queue is empty");
  here.server().deaf = &second.bus;
  here.server().chosen = &first.bus;
  here.say("ann", "add", video(1));
  here.settle();
  here.server().chosen = &second.bus;
  here.set_clock(GetParam());
  EXPECT_EQ(here.say("bob", "queue").message, "📺 Queue is empty");
  here.pass(30);
  EXPECT_THAT(here.say("bob", "queue").message, HasSubstr("1 items"));
}

TEST_P(a_clock_that_is_set, lets_nobody_wait_longer) {
  here.start(generous);
  here.say("ann", "add", video(1));
  here.server().storage = fakes::storage_mode::stalled;
  const auto begin = [this](int number) {
    return here.begin("rosey.command.playlist.add",
                      R"({"channel":"#lobby","user":"ann","args":")" + video(number) + "\"}");
  };
  const auto first = begin(2), second = begin(3);
  here.settle();
  here.set_clock(GetParam());
  here.pass(0);
  EXPECT_FALSE(second->answered) << "nor is anybody sent away at once";
  here.pass(3);
  EXPECT_TRUE(second->answered);
  EXPECT_THAT(second->payload, HasSubstr("busy"));
  here.server().expire();
  here.finish(first);
}

TEST_P(a_clock_that_is_set, locks_nobody_out_who_adds) {
  here.start({{"rate_limit_count", 1}, {"rate_limit_seconds", 10}});
  EXPECT_TRUE(here.say("ann", "add", video(1)).success);
  here.set_clock(GetParam());
  here.pass(10);
  EXPECT_TRUE(here.say("ann", "add", video(2)).success);
  here.set_clock(-5);
  EXPECT_EQ(here.say("ann", "add", video(3)).code, "rate_limited");
  here.pass(15);
  EXPECT_TRUE(here.say("ann", "add", video(3)).success) << "at most the step longer";
}

TEST_P(a_clock_that_is_set, counts_the_same_people) {
  here.start(generous);
  here.say("ann", "add", video(1));
  for (int user = 1; user < 8; ++user) come("user" + std::to_string(user));
  here.pass(60);
  here.set_clock(GetParam());
  EXPECT_EQ(here.say("user1", "voteskip").data.at("needed"), 4) << "half of eight";
  here.pass(545);
  EXPECT_EQ(here.say("user2", "voteskip").data.at("needed"), 2) << "after ten minutes of silence";
}

TEST_P(a_clock_that_is_set, keeps_no_vote_of_who_has_left) {
  here.start(generous);
  here.say("ann", "add", video(1));
  here.say("bob", "voteskip");
  here.set_clock(GetParam());
  come("bob", "part");
  EXPECT_EQ(here.say("cid", "voteskip").data.at("votes"), 1);
}

TEST_P(a_clock_that_is_set, does_not_keep_a_vote_for_ever) {
  here.start(generous);
  here.say("ann", "add", video(1));
  here.say("bob", "voteskip");
  here.set_clock(GetParam());
  here.pass(301);
  EXPECT_EQ(here.say("cid", "voteskip").data.at("votes"), 1);
}

TEST_P(a_clock_that_is_set, while_nobody_runs_starts_or_ends_what_plays) {
  play_two();
  here.pass(20);
  here.kill_all();
  here.set_clock(GetParam());
  here.start(a_minute);
  if (GetParam() > 0) {
    EXPECT_EQ(playing(), "video000002") << "it has ended meanwhile, for all that is known";
    return;
  }
  EXPECT_EQ(playing(), "video000001");
  EXPECT_EQ(current().at("elapsed"), 0) << "a start that lies ahead means now";
  here.pass(59);
  EXPECT_EQ(playing(), "video000001");
  here.pass(1);
  EXPECT_EQ(playing(), "video000002");
}

INSTANTIATE_TEST_SUITE_P(by_an_hour, a_clock_that_is_set, ::testing::Values(-hour, hour),
                         [](const auto& info) { return info.param < 0 ? "back" : "forward"; });

TEST(a_clock_that_is_set_by_a_little, changes_no_vote) {
  world here;
  here.start(generous);
  here.say("ann", "add", video(1));
  here.say("bob", "voteskip");
  here.set_clock(-2);
  EXPECT_EQ(here.say("cid", "voteskip").data.at("passed"), true);
}

}  // namespace
}  // namespace rosey::playlist::testing
