// Votes are counted against those who are there, and go with those who go.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "rosey/wire/presence.hpp"
#include "rosey/wire/subjects.hpp"
#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using ::testing::Contains;
using ::testing::IsEmpty;
using wire::presence_event;

class votes_test : public ::testing::Test {
 protected:
  void tell(const std::string& user, presence_event event) {
    const wire::user_presence told{"#lobby", user, event};
    here.server().deliver({wire::subjects::chat_users, "", wire::encode(told)});
    here.settle();
  }
  void join(std::initializer_list<const char*> users) {
    for (const char* user : users) tell(user, presence_event::join);
  }
  std::string votes(const std::string& user) { return here.say(user, "voteskip").message; }

  world here;
};

TEST_F(votes_test, need_half_of_those_whom_connectors_report) {
  here.start();
  here.start();
  here.say("ann", "add", video(1));
  join({"ann", "a", "b", "c", "d", "e"});
  tell("f", presence_event::talk);
  // Seven with ann; commands go to the instances in turn, and both know.
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/4 needed)");
  EXPECT_EQ(votes("b"), "⏭️ Vote recorded (2/4 needed)");
  EXPECT_EQ(votes("c"), "⏭️ Vote recorded (3/4 needed)");
  EXPECT_EQ(votes("d"), "⏭️ Skip vote passed! (4 votes)");
}

TEST_F(votes_test, of_those_who_leave_are_withdrawn) {
  here.start();
  here.start();
  here.say("ann", "add", video(1));
  join({"ann", "a", "b", "c", "d", "e"});
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/3 needed)");
  EXPECT_EQ(votes("b"), "⏭️ Vote recorded (2/3 needed)");
  tell("a", presence_event::part);
  EXPECT_THAT(here.event_names(), Contains("playlist.skip.withdrawn"));
  EXPECT_EQ(here.rows("vote").size(), 1u);
  EXPECT_EQ(votes("c"), "⏭️ Vote recorded (2/3 needed)");
  join({"a"});
  EXPECT_EQ(votes("a"), "⏭️ Skip vote passed! (3 votes)") << "who is back may vote again";
}

TEST_F(votes_test, of_those_who_leave_while_storage_is_away_do_not_count) {
  here.start();
  here.say("ann", "add", video(1));
  join({"ann", "a", "b", "c", "d", "e"});
  votes("a");
  EXPECT_EQ(votes("b"), "⏭️ Vote recorded (2/3 needed)");
  here.server().storage = fakes::storage_mode::silent;
  tell("a", presence_event::part);
  here.server().storage = fakes::storage_mode::serving;
  EXPECT_EQ(here.rows("vote").size(), 2u);
  here.pass(1);
  EXPECT_EQ(votes("c"), "⏭️ Vote recorded (2/3 needed)");
  EXPECT_THAT(here.event_names(), Contains("playlist.skip.withdrawn"));
  EXPECT_EQ(here.rows("vote").size(), 2u);
  EXPECT_EQ(votes("a"), "⏭️ Skip vote passed! (3 votes)") << "who is back may vote again";
}

TEST_F(votes_test, of_those_who_left_do_not_pass_when_others_leave) {
  here.start();
  here.say("ann", "add", video(1));
  join({"ann", "a", "b", "c", "d", "e"});
  votes("a");
  votes("b");
  here.server().storage = fakes::storage_mode::silent;
  tell("a", presence_event::part);
  here.server().storage = fakes::storage_mode::serving;
  tell("c", presence_event::part);  // four are there: two votes would do
  EXPECT_THAT(here.rows("history"), IsEmpty());
  EXPECT_EQ(here.rows("vote").size(), 1u);
}

TEST_F(votes_test, that_another_instance_has_taken_after_a_part_count) {
  instance& first = here.start();
  instance& second = here.start();
  here.server().chosen = &first.bus;
  here.say("ann", "add", video(1));
  join({"a"});
  tell("a", presence_event::part);
  here.pass(1);
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/2 needed)");
  here.server().chosen = &second.bus;
  EXPECT_EQ(votes("b"), "⏭️ Skip vote passed! (2 votes)");
}

TEST_F(votes_test, may_suffice_when_others_leave) {
  here.start();
  here.say("ann", "add", video(1));
  join({"ann", "a", "b", "c", "d", "e"});
  votes("a");
  votes("b");
  tell("d", presence_event::part);
  EXPECT_THAT(here.event_names(), ::testing::Not(Contains("playlist.skip.passed")));
  tell("e", presence_event::part);
  here.settle();
  EXPECT_THAT(here.event_names(), Contains("playlist.skip.passed"));
  EXPECT_EQ(here.rows("history").at(0).at("skipped"), true);
}

TEST_F(votes_test, that_nobody_gave_never_pass) {
  here.start({{"skip_threshold", 0}, {"min_skip_votes", 1}});
  here.say("ann", "add", video(1));
  tell("ann", presence_event::part);
  tell("ghost", presence_event::part);
  EXPECT_THAT(here.rows("history"), IsEmpty());
  EXPECT_EQ(votes("a"), "⏭️ Skip vote passed! (1 votes)");
}

TEST_F(votes_test, expire) {
  here.start({{"vote_expiry_seconds", 60}, {"min_skip_votes", 2}});
  here.say("ann", "add", video(1));
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/2 needed)");
  here.pass(61);
  EXPECT_EQ(votes("b"), "⏭️ Vote recorded (1/2 needed)");
  EXPECT_EQ(here.rows("vote").size(), 1u);
  EXPECT_EQ(votes("a"), "⏭️ Skip vote passed! (2 votes)")
      << "an expired vote may be given again";
}

// More than storage takes operations in a batch.
TEST_F(votes_test, expire_however_many_there_are) {
  here.start({{"vote_expiry_seconds", 60}, {"min_skip_votes", 1000}});
  here.say("ann", "add", video(1));
  for (int begin = 0; begin < 1100; begin += 550) {
    json::array given;
    for (int number = begin; number < begin + 550; ++number) {
      given.push_back(json::object{{"channel", "#lobby"},
                                   {"item_id", "q1"},
                                   {"user_id", "user" + std::to_string(number)},
                                   {"voted_at", "2023-11-14T22:13:20Z"}});
    }
    here.storage("row.playlist.insert", {{"table", "vote"}, {"values", std::move(given)}});
  }
  here.kill_all();
  here.start({{"vote_expiry_seconds", 60}, {"min_skip_votes", 2}});
  EXPECT_EQ(here.say("user7", "voteskip").code, "duplicate") << "they count";
  here.pass(61);
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/2 needed)");
  EXPECT_EQ(here.rows("vote").size(), 1u);
}

TEST_F(votes_test, are_remembered_over_a_restart_with_their_age) {
  instance& before = here.start({{"vote_expiry_seconds", 60}});
  here.say("ann", "add", video(1));
  votes("a");
  here.stop(before);
  here.pass(30);
  here.start({{"vote_expiry_seconds", 60}});
  EXPECT_EQ(here.say("a", "voteskip").code, "duplicate");
  here.pass(31);
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/2 needed)");
}

TEST_F(votes_test, are_counted_against_those_whom_an_earlier_instance_has_seen) {
  instance& before = here.start();
  here.say("ann", "add", video(1));
  join({"a", "b", "c", "d", "e", "f"});
  tell("f", presence_event::part);
  here.pass(30);
  here.stop(before);
  here.start();
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/3 needed)") << "six are there: ann, and a to e";
  here.pass(600);
  EXPECT_EQ(votes("b"), "⏭️ Vote recorded (1/2 needed)") << "nobody else was heard of since";
}

TEST_F(votes_test, are_counted_against_those_who_were_seen_a_moment_before_a_restart) {
  instance& before = here.start();
  here.say("ann", "add", video(1));
  join({"a", "b", "c", "d", "e"});
  here.stop(before);
  here.start();
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/3 needed)");
}

TEST_F(votes_test, are_counted_against_those_who_were_seen_a_moment_before_a_swap) {
  instance& old = here.start();
  here.say("ann", "add", video(1));
  join({"a", "b", "c", "d", "e"});
  here.start();  // reads the channel before the old one has written
  here.stop(old);
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/3 needed)");
}

TEST_F(votes_test, are_not_enough_because_of_a_swap_when_somebody_leaves) {
  instance& old = here.start();
  here.say("ann", "add", video(1));
  join({"a", "b", "c", "d", "e"});
  votes("a");
  EXPECT_EQ(votes("b"), "⏭️ Vote recorded (2/3 needed)");
  here.start();
  here.stop(old);
  tell("c", presence_event::part);
  EXPECT_THAT(here.event_names(), ::testing::Not(Contains("playlist.skip.passed")));
  EXPECT_EQ(votes("d"), "⏭️ Skip vote passed! (3 votes)");
}

TEST_F(votes_test, are_counted_against_those_whom_two_instances_write_at_the_same_time) {
  instance& first = here.start();
  instance& second = here.start();
  here.server().chosen = &first.bus;
  here.say("ann", "add", video(1));
  for (const char* user : {"a", "b"}) here.say(user, "queue");
  here.server().chosen = &second.bus;
  for (const char* user : {"c", "d", "e"}) here.say(user, "queue");
  here.pass(30);
  here.kill_all();
  here.start();
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/3 needed)");
}

TEST_F(votes_test, are_counted_against_those_whose_commands_another_instance_has_had) {
  instance& first = here.start();
  instance& second = here.start();
  here.server().chosen = &first.bus;
  here.say("ann", "add", video(1));
  for (const char* user : {"a", "b", "c", "d", "e"}) here.say(user, "queue");
  here.pass(31);
  here.say("ann", "add", video(2));  // the other one reads the channel again
  here.server().chosen = &second.bus;
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/3 needed)");
}

TEST_F(votes_test, are_counted_a_second_later_against_those_whom_another_instance_has_seen) {
  instance& first = here.start();
  instance& second = here.start();
  here.server().chosen = &first.bus;
  here.say("ann", "add", video(1));
  here.server().chosen = &second.bus;
  here.say("ann", "queue");
  here.server().chosen = &first.bus;
  for (const char* user : {"a", "b", "c", "d", "e"}) here.say(user, "queue");
  here.pass(1);
  here.server().chosen = &second.bus;
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/3 needed)");
}

TEST_F(votes_test, are_counted_against_those_whom_a_killed_instance_has_seen) {
  here.start();
  here.say("ann", "add", video(1));
  here.pass(10);
  join({"a", "b", "c", "d", "e"});
  here.pass(1);
  here.kill_all();
  here.start();
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/3 needed)");
}

TEST_F(votes_test, are_counted_a_second_later_without_those_who_have_gone) {
  here.start();
  here.say("ann", "add", video(1));
  join({"a", "b", "c", "d", "e"});
  here.pass(40);
  for (const char* user : {"c", "d", "e"}) tell(user, presence_event::part);
  here.pass(1);
  here.kill_all();
  here.start({{"min_skip_votes", 1}});
  EXPECT_EQ(votes("a"), "⏭️ Vote recorded (1/2 needed)") << "ann, a and b";
}

TEST_F(votes_test, cost_no_write_for_each_word_of_those_who_are_there) {
  here.start();
  here.say("ann", "add", video(1));
  join({"a", "b", "c"});
  here.pass(1);
  auto& asked = here.server().storage_subjects;
  const auto writes = [&] { return std::count(asked.begin(), asked.end(), "db.kv.playlist.set"); };
  asked.clear();
  for (int second = 0; second < 25; ++second) {
    for (const char* user : {"a", "b", "c"}) tell(user, presence_event::talk);
    here.pass(1);
  }
  EXPECT_EQ(writes(), 0);
  here.pass(10);
  EXPECT_EQ(writes(), 1);
}

TEST_F(votes_test, end_with_their_item) {
  here.start();
  here.say("ann", "add", video(1));
  here.say("ann", "add", video(2));
  votes("a");
  here.say("ann", "skip");
  EXPECT_THAT(here.rows("vote"), IsEmpty());
  EXPECT_EQ(votes("b"), "⏭️ Vote recorded (1/2 needed)");
}

TEST_F(votes_test, do_not_mind_nonsense_about_people) {
  here.start();
  for (const char* payload : {"", "[]", "{}", R"({"channel":"#lobby","user":"a"})",
                              R"({"channel":"#lobby","user":"a","event":"sleeps"})"}) {
    here.server().deliver({wire::subjects::chat_users, "", payload});
  }
  here.settle();
  EXPECT_TRUE(here.say("ann", "add", video(1)).success);
}

}  // namespace
}  // namespace rosey::playlist::testing
