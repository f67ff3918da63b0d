// Everybody plays in turn, whoever was first to fill the queue.
#include "playlist_plugin/domain/fair_order.hpp"

#include <gmock/gmock.h>

#include <map>
#include <random>

#include "playlist_plugin/domain/queue_rules.hpp"
#include "unit/playlist/channels.hpp"

namespace rosey::playlist {
namespace {

using ::testing::_;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::moderator;
using testing::start_time;
using ::testing::VariantWith;

class fair_order_test : public ::testing::Test {
 protected:
  fair_order_test() {
    channel.name = "#lobby";
    channel.order = queue_order::fair;
    limits.quota = {1000, 1'000'000, 1000, 1};
  }

  void add(const std::string& user, int count = 1) {
    for (int each = 0; each < count; ++each) {
      const auto next = channel.waiting.empty() ? "" : channel.waiting.front().item.id;
      const new_item item{{"yt", "x"}, user + std::to_string(++added[user]), 100};
      const auto done = playlist::add(channel, item, {user, {}, false}, limits, start_time);
      ASSERT_TRUE(done);
      channel = done->change.after();
      if (next.empty()) continue;
      EXPECT_EQ(channel.waiting.front().item.id, next) << "displaced";
    }
  }
  void skip() { channel = playlist::skip(channel, moderator, start_time)->change.after(); }
  void finish() {
    const std::string id = channel.playing->item.id;
    channel = player_finished(channel, id, {}, start_time)->change->after();
  }
  std::vector<std::string> titles() const {
    std::vector<std::string> all;
    for (const waiting_item& waiting : channel.waiting) all.push_back(waiting.item.title);
    return all;
  }

  channel_state channel;
  queue_limits limits;
  std::map<std::string, int> added;
};

TEST_F(fair_order_test, gives_everybody_a_turn_before_anybody_has_a_second) {
  add("a", 4);
  add("b", 2);
  add("c", 1);
  EXPECT_EQ(channel.playing->item.title, "a1");
  EXPECT_THAT(titles(), ElementsAre("a2", "b1", "c1", "b2", "a3", "a4"));
}

TEST_F(fair_order_test, never_displaces_the_next_item) {
  add("a", 3);
  add("b");
  EXPECT_EQ(titles().front(), "a2");
}

TEST_F(fair_order_test, remembers_who_has_had_a_turn) {
  add("a");
  add("b", 3);
  finish();
  EXPECT_EQ(channel.playing->item.title, "b1");
  EXPECT_THAT(channel.had_turn, ElementsAre("a", "b"));
  add("a");
  add("c");
  EXPECT_THAT(titles(), ElementsAre("b2", "c1", "a2", "b3"));
}

TEST_F(fair_order_test, counts_no_turn_for_a_skipped_item) {
  add("a");
  add("b", 2);
  add("c", 2);
  add("a", 2);
  EXPECT_THAT(titles(), ElementsAre("b1", "c1", "b2", "c2", "a2", "a3"));
  skip();
  EXPECT_EQ(channel.playing->item.title, "b1");
  EXPECT_THAT(titles(), ElementsAre("c1", "a2", "b2", "c2", "a3"));
}

TEST_F(fair_order_test, brings_the_items_behind_a_removed_one_forward) {
  add("a", 2);
  add("b", 2);
  add("a", 2);
  EXPECT_THAT(titles(), ElementsAre("a2", "b1", "b2", "a3", "a4"));
  add("c", 3);
  EXPECT_THAT(titles(), ElementsAre("a2", "b1", "c1", "b2", "c2", "a3", "c3", "a4"));
  channel = remove(channel, "3", actor{"c", false})->change.after();
  EXPECT_THAT(titles(), ElementsAre("a2", "b1", "c2", "b2", "c3", "a3", "a4"));
}

// The whole queue is looked at once for each user, not for each item.
TEST_F(fair_order_test, is_settled_for_all_whose_items_are_removed) {
  limits.max_queue_size = 1000;
  add("a", 300);
  add("b", 600);
  std::mt19937 random(7);
  const auto below = [&random](std::size_t count) { return random() % count; };
  channel = shuffle(channel, moderator, below)->change.after();
  const auto done = remove(channel, "1-400", moderator);
  ASSERT_TRUE(done);
  EXPECT_THAT(done->change.events(), Contains(VariantWith<item_moved>(_)));
  channel = done->change.after();
  ASSERT_EQ(channel.waiting.size(), 499u);
  change again(channel);
  again.settle_turns({"a", "b"});
  EXPECT_THAT(again.events(), IsEmpty()) << "nothing is left to bring forward";
}

TEST_F(fair_order_test, is_not_for_users_to_change) {
  add("a", 3);
  EXPECT_EQ(move(channel, "2", "start", actor{"a", false}).error().code, codes::forbidden);
  EXPECT_TRUE(move(channel, "2", "start", moderator));
}

TEST_F(fair_order_test, begins_anew_when_nothing_is_left) {
  add("a");
  finish();
  EXPECT_THAT(channel.had_turn, ElementsAre());
}

TEST_F(fair_order_test, keeps_the_turns_of_all_who_always_have_something_waiting_even) {
  std::mt19937 random(7);
  const std::vector<std::string> users{"a", "b", "c", "d"};
  add("a", 40);  // was first, and has the most
  std::map<std::string, int> turns;
  for (int step = 0; step < 400; ++step) {
    for (const std::string& user : users) {
      const user_usage usage = usage_of(channel, user);
      if (usage.items < 2) add(user, 1 + static_cast<int>(random() % 3));
    }
    if (random() % 4 == 0) {
      skip();
      continue;
    }
    ++turns[channel.playing->item.added_by];
    finish();
  }
  for (const std::string& user : users) {
    EXPECT_NEAR(turns[user], turns["a"], 2) << user;
  }
}

TEST_F(fair_order_test, lets_no_round_last_for_ever) {
  for (int number = 0; number < 1000; ++number) {
    take_turn(channel, "user" + std::to_string(number));
    EXPECT_LE(channel.had_turn.size(), 200u);
  }
}

}  // namespace
}  // namespace rosey::playlist
