// Each row of the table in channel_knowledge.hpp, one after the other, and then all of them mixed.
#include "playlist_plugin/service/channel_knowledge.hpp"

#include <gmock/gmock.h>

#include "unit/playlist/channels.hpp"

namespace rosey::playlist {
namespace {

using condition = channel_knowledge::condition;
using doing = channel_knowledge::doing;
using verdict = channel_knowledge::verdict;
using testing::channel_with;
using testing::start_time;

constexpr std::int64_t second = 1000;

channel_state at_version(std::int64_t version) {
  channel_state state;
  state.version = version;
  return state;
}

class what_is_known : public ::testing::Test {
 protected:
  void pass(std::int64_t milliseconds) {
    now.wall += milliseconds;
    now.steady += milliseconds;
  }

  doing next() { return known.next(now).what; }

  void begin(std::int64_t deadline = channel_knowledge::no_deadline) { known.begin(deadline); }

  void read(std::int64_t version) {
    begin();
    ASSERT_EQ(next(), doing::read);
    known.loaded(at_version(version), now);
  }

  // A state of this version is current.
  void know(std::int64_t version) {
    read(version);
    ASSERT_EQ(next(), doing::use);
    ASSERT_EQ(known.state(), condition::current);
  }

  // A change of the version before.
  void send(std::int64_t to_version, const std::string& id, const std::string& stamp) {
    change what(at_version(to_version - 1));
    known.sent({what, id, stamp, now, true});
    ASSERT_EQ(known.state(), condition::sending);
  }

  // Version 7 is known, and storage may still carry out a try that leads to 8.
  void doubt() {
    know(7);
    send(8, "id", "one");
    known.timed_out();
    ASSERT_EQ(known.state(), condition::doubtful);
  }

  channel_knowledge known;
  clock_time now{start_time, 100 * second};
};

TEST_F(what_is_known, is_nothing_at_first_so_the_channel_is_read) {
  EXPECT_EQ(known.state(), condition::unknown);
  begin();
  EXPECT_EQ(next(), doing::read);
}

TEST_F(what_is_known, is_used_without_another_look) {
  know(7);
  begin();
  const auto step = known.next(now);
  EXPECT_EQ(step.what, doing::use);
  EXPECT_EQ(step.state->version, 7);
  EXPECT_FALSE(step.is_news);
}

TEST_F(what_is_known, is_news_when_it_was_read) {
  for (int times = 0; times < 2; ++times) {
    known.forget();
    read(7);
    EXPECT_TRUE(known.next(now).is_news);
  }
}

TEST_F(what_is_known, is_news_in_doubt_only_when_another_version_was_read) {
  know(6);
  send(7, "first", "zero");
  known.stored(now);
  send(8, "id", "one");
  known.timed_out();
  read(7);
  EXPECT_TRUE(known.next(now).is_news);
  read(7);
  EXPECT_FALSE(known.next(now).is_news);
}

TEST_F(what_is_known, is_outdated_by_a_later_version) {
  know(7);
  known.heard(7, now);
  known.heard(6, now);
  EXPECT_EQ(known.state(), condition::current);
  known.heard(8, now);
  EXPECT_EQ(known.state(), condition::outdated);
  known.heard(7, now);
  EXPECT_EQ(known.state(), condition::outdated) << "events may overtake each other";
  begin();
  EXPECT_EQ(next(), doing::read);
}

TEST_F(what_is_known, is_what_storage_says_whatever_was_heard_before) {
  known.heard(9, now);
  know(7);
}

TEST_F(what_is_known, is_outdated_by_what_was_heard_while_it_was_read) {
  begin();
  ASSERT_EQ(next(), doing::read);
  known.heard(8, now);
  known.loaded(at_version(7), now);
  EXPECT_EQ(next(), doing::use) << "this one use was promised no more";
  EXPECT_EQ(known.state(), condition::outdated);
}

TEST_F(what_is_known, is_read_again_when_reading_failed) {
  begin();
  ASSERT_EQ(next(), doing::read);
  begin();
  EXPECT_EQ(next(), doing::read);
}

TEST_F(what_is_known, is_believed_for_a_while_after_the_last_word) {
  know(7);
  pass(channel_knowledge::trusted_for - 1);
  known.require(7, now);
  EXPECT_EQ(known.state(), condition::current);
  known.heard(7, now);
  pass(channel_knowledge::trusted_for - 1);
  known.require(7, now);
  EXPECT_EQ(known.state(), condition::current);
  pass(1);
  known.require(7, now);
  EXPECT_EQ(known.state(), condition::unknown);
}

TEST_F(what_is_known, is_not_enough_for_who_needs_a_later_version) {
  know(7);
  known.require(8, now);
  EXPECT_EQ(known.state(), condition::unknown);
}

TEST_F(what_is_known, can_be_forgotten) {
  know(7);
  known.forget();
  EXPECT_EQ(known.state(), condition::unknown);
}

TEST_F(what_is_known, is_the_state_that_was_stored) {
  know(7);
  pass(channel_knowledge::trusted_for);
  send(8, "id", "one");
  const sent_change done = known.stored(now);
  EXPECT_EQ(done.stamp, "one");
  EXPECT_TRUE(done.reply_names_next);
  EXPECT_EQ(known.state(), condition::current);
  EXPECT_TRUE(known.has(8));
  EXPECT_TRUE(known.is_confirmed(now));
}

TEST_F(what_is_known, is_not_confirmed_by_what_was_stored_some_time_before) {
  know(7);
  pass(channel_knowledge::trusted_for);
  send(8, "id", "one");
  EXPECT_EQ(known.stored_before().stamp, "one");
  EXPECT_EQ(known.state(), condition::current);
  EXPECT_FALSE(known.is_confirmed(now));
}

TEST_F(what_is_known, is_outdated_when_more_was_heard_before_the_answer) {
  know(7);
  send(8, "id", "one");
  known.heard(9, now);
  known.stored(now);
  EXPECT_EQ(known.state(), condition::outdated);
}

TEST_F(what_is_known, is_read_again_after_a_conflict) {
  know(7);
  send(8, "id", "one");
  known.conflicted();
  EXPECT_EQ(known.state(), condition::unknown);
  EXPECT_EQ(next(), doing::read);
}

TEST_F(what_is_known, stays_when_storage_refuses_for_another_reason) {
  know(7);
  send(8, "id", "one");
  known.refused();
  EXPECT_EQ(known.state(), condition::current);
  EXPECT_EQ(next(), doing::use);
}

TEST_F(what_is_known, is_nothing_when_somebody_else_has_done_it) {
  know(7);
  send(8, "id", "one");
  EXPECT_FALSE(known.replayed("of somebody else"));
  EXPECT_EQ(known.state(), condition::unknown);
}

TEST_F(what_is_known, brings_out_the_earlier_try_that_was_carried_out) {
  doubt();
  read(7);
  ASSERT_EQ(next(), doing::use);
  send(8, "id", "two");
  const auto done = known.replayed("one");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->stamp, "one");
  EXPECT_TRUE(done->reply_names_next) << "its sender gets that reply now";
  EXPECT_EQ(known.state(), condition::unknown);
}

TEST_F(what_is_known, is_doubtful_after_silence_and_read_for_each_use) {
  doubt();
  for (int use = 0; use < 3; ++use) {
    read(7);
    const auto step = known.next(now);
    EXPECT_EQ(step.what, doing::use);
    EXPECT_FALSE(step.is_news) << "nobody is sent to look again and again";
    EXPECT_EQ(known.state(), condition::doubtful);
  }
}

TEST_F(what_is_known, is_looked_up_when_the_version_of_a_try_is_reached) {
  doubt();
  read(8);
  EXPECT_EQ(known.state(), condition::looking_up);
  const auto step = known.next(now);
  ASSERT_EQ(step.what, doing::look_up);
  EXPECT_EQ(step.request_id, "id");
  const auto done = known.looked_up("id", "one");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->stamp, "one");
  EXPECT_FALSE(done->reply_names_next) << "nobody got the reply";
  EXPECT_EQ(next(), doing::use);
  EXPECT_EQ(known.state(), condition::current);
}

TEST_F(what_is_known, is_looked_up_again_when_that_failed) {
  doubt();
  read(8);
  ASSERT_EQ(next(), doing::look_up);
  read(8);
  EXPECT_EQ(next(), doing::look_up);
}

TEST_F(what_is_known, takes_one_look_for_each_request) {
  doubt();
  for (const std::string id : {"id", "other"}) {
    read(7);
    ASSERT_EQ(next(), doing::use);
    send(8, id, id + " again");
    known.timed_out();
  }
  read(8);
  EXPECT_EQ(known.next(now).request_id, "id");
  EXPECT_FALSE(known.looked_up("id", ""));
  EXPECT_EQ(known.state(), condition::looking_up);
  EXPECT_EQ(known.next(now).request_id, "other");
  EXPECT_FALSE(known.looked_up("other", "of somebody else"));
  EXPECT_EQ(next(), doing::use);
  EXPECT_EQ(known.state(), condition::current);
}

TEST_F(what_is_known, is_certain_again_when_storage_has_answered_for_long_enough) {
  doubt();
  pass(1000 * second);
  read(7);
  ASSERT_EQ(next(), doing::use);
  pass(channel_knowledge::longest_lateness - 1);
  read(7);
  ASSERT_EQ(next(), doing::use);
  EXPECT_EQ(known.state(), condition::doubtful);
  pass(1);
  read(7);
  ASSERT_EQ(next(), doing::use);
  EXPECT_EQ(known.state(), condition::current);
}

TEST_F(what_is_known, is_certain_when_another_try_has_succeeded) {
  doubt();
  read(7);
  ASSERT_EQ(next(), doing::use);
  send(8, "other", "two");
  EXPECT_EQ(known.stored(now).stamp, "two");
  EXPECT_EQ(known.state(), condition::current);
}

TEST_F(what_is_known, is_not_asked_for_when_the_sender_has_the_answer) {
  doubt();
  const auto done = known.answered("id", "one");
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->reply_names_next);
  EXPECT_EQ(known.state(), condition::unknown);
}

TEST_F(what_is_known, stays_doubtful_while_other_requests_are) {
  doubt();
  EXPECT_FALSE(known.answered("other", "two"));
  EXPECT_EQ(known.state(), condition::doubtful);
  known.kept("other");
  EXPECT_EQ(known.state(), condition::doubtful);
}

TEST_F(what_is_known, is_certain_when_the_request_was_answered_without_a_change) {
  doubt();
  read(7);
  ASSERT_EQ(next(), doing::use);
  known.kept("id");
  EXPECT_EQ(known.state(), condition::current);
}

TEST_F(what_is_known, remembers_the_first_tries) {
  know(7);
  for (std::size_t number = 0; number <= channel_knowledge::most_unanswered; ++number) {
    send(8, std::to_string(number), std::to_string(number));
    known.timed_out();
  }
  EXPECT_FALSE(known.answered(std::to_string(channel_knowledge::most_unanswered),
                              std::to_string(channel_knowledge::most_unanswered)));
  EXPECT_TRUE(known.answered("0", "0"));
}

TEST_F(what_is_known, moves_along_with_the_wall_clock) {
  begin();
  ASSERT_EQ(next(), doing::read);
  known.loaded(channel_with({"ann"}), now);
  ASSERT_EQ(known.next(now).state->playing->started_at, start_time);
  now.wall += 3600 * second;
  begin();
  EXPECT_EQ(known.next(now).state->playing->started_at, start_time + 3600 * second);
}

TEST_F(what_is_known, lets_a_change_be_stored_and_an_answer_be_given_if_confirmed) {
  know(7);
  EXPECT_EQ(known.decided(true, now), verdict::store);
  EXPECT_EQ(known.decided(false, now), verdict::answer);
  pass(channel_knowledge::trusted_for);
  EXPECT_EQ(known.decided(true, now), verdict::store);
  EXPECT_EQ(known.decided(false, now), verdict::again);
  EXPECT_EQ(known.state(), condition::unknown);
  EXPECT_EQ(next(), doing::read);
}

TEST_F(what_is_known, is_given_up_at_the_deadline) {
  know(7);
  begin(now.steady + second);
  EXPECT_EQ(next(), doing::use);
  pass(second + 1);
  EXPECT_EQ(known.decided(true, now), verdict::give_up);
  begin(now.steady - 1);
  EXPECT_EQ(next(), doing::give_up);
}

TEST_F(what_is_known, is_given_up_after_many_tries_with_longer_and_longer_pauses) {
  know(7);
  begin();
  std::vector<std::int64_t> pauses;
  int tries = 0;
  for (auto step = known.next(now); step.what != doing::give_up; step = known.next(now)) {
    if (step.what == doing::pause) {
      pauses.push_back(step.longest);
      continue;
    }
    ASSERT_EQ(step.what, doing::use);
    ++tries;
    send(8, "id", std::to_string(tries));
    known.refused();
  }
  EXPECT_EQ(tries, channel_knowledge::most_tries);
  ASSERT_EQ(pauses.size(), 14u) << "one before each but the first two";
  EXPECT_EQ(pauses.front(), 4);
  EXPECT_EQ(pauses[3], 32);
  EXPECT_EQ(pauses[4], channel_knowledge::longest_pause);
  EXPECT_EQ(pauses.back(), channel_knowledge::longest_pause);
}

}  // namespace
}  // namespace rosey::playlist
