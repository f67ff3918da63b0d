// A change says the same thing three times: the state after it, the rows to write, the events.
#include "playlist_plugin/domain/change.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "playlist_plugin/domain/queue_rules.hpp"
#include "unit/playlist/channels.hpp"

namespace rosey::playlist {
namespace {

using testing::channel_with;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::item_of;
using testing::moderator;
using testing::positions;
using testing::start_time;
using testing::waiting_ids;

queue_item without_id(const std::string& user) {
  queue_item item = item_of(1, user);
  item.id.clear();
  return item;
}

TEST(change, is_one_version_later) {
  EXPECT_EQ(change(channel_with({"ann"})).after().version, 8);
}

TEST(change, appends_one_row_behind_the_last) {
  channel_state channel = channel_with({"ann", "bob", "cid"});
  channel.waiting.back().position = 40;
  change decided(channel);
  decided.append(without_id("dan"));
  EXPECT_THAT(waiting_ids(decided.after()), ElementsAre("q2", "q3", "q4"));
  ASSERT_EQ(decided.inserted().size(), 1u);
  EXPECT_EQ(decided.inserted()[0].position, 40 + 1024);
  EXPECT_EQ(decided.added().front().id, "q4");
  EXPECT_EQ(decided.after().next_item, 5);
}

TEST(change, never_writes_a_row_for_what_plays_at_once) {
  change decided(channel_with({}));
  decided.append(without_id("ann"));
  decided.start_next(start_time);
  EXPECT_THAT(decided.inserted(), IsEmpty());
  EXPECT_THAT(decided.deleted(), IsEmpty());
  ASSERT_TRUE(decided.after().playing);
  EXPECT_EQ(decided.after().playing->item.id, "q1");
  EXPECT_EQ(decided.after().playing->started_at, start_time);
}

TEST(change, starts_the_first_that_waits_and_deletes_its_row) {
  change decided(channel_with({"ann", "bob", "cid"}));
  decided.finish({start_time + 5000, 5, true});
  decided.start_next(start_time + 5000);
  EXPECT_EQ(decided.after().playing->item.id, "q2");
  EXPECT_THAT(decided.deleted(), ElementsAre("q2"));
  EXPECT_TRUE(decided.votes_ended());
  ASSERT_EQ(decided.finished().size(), 1u);
  EXPECT_EQ(decided.finished().at(0).end.played, 5);
  EXPECT_TRUE(decided.finished().at(0).end.skipped);
}

TEST(change, starts_nothing_while_something_plays) {
  change decided(channel_with({"ann", "bob"}));
  decided.start_next(start_time);
  EXPECT_EQ(decided.after().playing->item.id, "q1");
  EXPECT_THAT(decided.events(), IsEmpty());
}

TEST(change, moves_write_one_row_until_there_is_no_room_between_two) {
  channel_state channel = channel_with({"ann", "bob", "cid", "dan"});
  change dense(channel);
  dense.move(0, 1, "ann");
  EXPECT_EQ(dense.rows_to_place().size(), 3u) << "positions 1, 2, 3 leave no room";

  change spaced(dense.after());
  spaced.move(2, 0, "ann");
  EXPECT_EQ(spaced.rows_to_place().size(), 1u);
}

TEST(change, renumbers_long_before_positions_leave_32_bits) {
  channel_state channel = channel_with({"ann", "bob", "cid"});
  channel.waiting.back().position = (1 << 30) - 5;
  change decided(channel);
  decided.append(without_id("dan"));
  EXPECT_EQ(decided.rows_to_place().size(), 2u);
  EXPECT_EQ(decided.inserted().at(0).position, decided.after().waiting.back().position);
}

TEST(change, moves_in_both_directions) {
  const channel_state channel = channel_with({"ann", "bob", "cid", "dan", "eve"});
  change to_start(channel);
  to_start.move(2, std::nullopt, "ann");
  EXPECT_THAT(waiting_ids(to_start.after()), ElementsAre("q4", "q2", "q3", "q5"));
  EXPECT_EQ(std::get<item_moved>(to_start.events().back()).after, "");
  change down(channel);
  down.move(0, 2, "ann");
  EXPECT_THAT(waiting_ids(down.after()), ElementsAre("q3", "q4", "q2", "q5"));
  EXPECT_EQ(std::get<item_moved>(down.events().back()).after, "q4");
  change up(channel);
  up.move(3, 0, "ann");
  EXPECT_THAT(waiting_ids(up.after()), ElementsAre("q2", "q5", "q3", "q4"));
  EXPECT_EQ(std::get<item_moved>(up.events().back()).after, "q2");
}

// A listener that knows nothing but the events.
struct follower {
  std::vector<std::string> waiting;
  std::string playing;

  std::vector<std::string>::iterator at(const std::string& id) {
    return std::find(waiting.begin(), waiting.end(), id);
  }

  void operator()(const item_added& event) {
    ASSERT_LE(event.number, waiting.size() + 1);
    waiting.insert(std::next(waiting.begin(), static_cast<std::ptrdiff_t>(event.number) - 1),
                   event.item.id);
  }
  void operator()(const item_removed& event) { waiting.erase(at(event.item.id)); }
  void operator()(const item_playing& event) {
    waiting.erase(at(event.item.id));
    playing = event.item.id;
  }
  void operator()(const metadata_fetched&) {}
  void operator()(const item_position& event) { EXPECT_EQ(playing, event.item_id); }
  void operator()(const item_finished& event) {
    EXPECT_EQ(playing, event.item.id);
    playing.clear();
  }
  void operator()(const queue_cleared& event) {
    EXPECT_EQ(waiting.size(), event.count);
    waiting.clear();
  }
  void operator()(const queue_shuffled& event) { waiting = event.order; }
  void operator()(const item_moved& event) {
    waiting.erase(at(event.item.id));
    const auto behind = event.after.empty() ? waiting.begin() : std::next(at(event.after));
    waiting.insert(behind, event.item.id);
  }
  void operator()(const skip_voted& event) { EXPECT_EQ(playing, event.item_id); }
  void operator()(const skip_withdrawn& event) { EXPECT_EQ(playing, event.item_id); }
  void operator()(const skip_passed& event) { EXPECT_EQ(playing, event.item_id); }
};

// The rows of the queue table, changed as storage is told to, with its unique positions.
struct row_table {
  std::map<std::string, std::int64_t> position_of;

  void check_unique() const {
    std::set<std::int64_t> taken;
    for (const auto& [id, position] : position_of) EXPECT_TRUE(taken.insert(position).second) << id;
  }
  void apply(const change& decided) {
    std::set<std::string> touched;
    for (const std::string& id : decided.deleted()) EXPECT_TRUE(touched.insert(id).second) << id;
    for (const waiting_item& row : decided.inserted()) {
      EXPECT_TRUE(touched.insert(row.item.id).second) << row.item.id;
    }
    for (const new_position& row : decided.rows_to_place()) {
      EXPECT_FALSE(touched.contains(row.item_id)) << row.item_id;
    }
    if (decided.all_deleted()) position_of.clear();
    for (const std::string& id : decided.deleted()) EXPECT_EQ(position_of.erase(id), 1u) << id;
    for (const new_position& row : decided.rows_to_place()) {
      position_of.at(row.item_id) = row.position;
      check_unique();
    }
    for (const waiting_item& row : decided.inserted()) {
      position_of.emplace(row.item.id, row.position);
    }
    check_unique();
  }
};

class decisions_test : public ::testing::TestWithParam<queue_order> {};

TEST_P(decisions_test, have_events_and_rows_that_tell_the_same_as_the_state) {
  std::mt19937 random(20240501);
  const auto below = [&random](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  queue_limits limits;
  limits.quota = {1000, 1'000'000, 1000, 1};
  limits.max_queue_size = 20;
  limits.max_item_duration = 8;
  const auto some_media = [&below] { return media_link{"yt", "video" + std::to_string(below(4))}; };

  channel_state channel = channel_with({});
  channel.order = GetParam();
  follower listener;
  row_table rows;
  std::int64_t now = start_time;
  int two_plays = 0;
  for (int step = 0; step < 5000; ++step) {
    now += static_cast<std::int64_t>(below(4000));
    std::optional<change> decided;
    const std::string some_id =
        item_id(channel.next_item - 1 - static_cast<std::int64_t>(below(8)));
    const std::string other = std::to_string(1 + below(8));
    const std::string range = below(3) == 0 ? "2-" + std::to_string(2 + below(4)) : some_id;
    switch (below(13)) {
      case 0:
      case 1:
        if (auto out = add(channel, {{"yt", "x"}, "t", static_cast<std::int64_t>(below(9))},
                           {"user" + std::to_string(below(4)), {}, false}, limits, now)) {
          decided = out->change;
        }
        break;
      case 2:
      case 9: {
        std::vector<new_item> list;
        for (std::size_t left = 1 + below(3); left > 0; --left) {
          list.push_back(undescribed(some_media()));
        }
        const adder by{"user" + std::to_string(below(4)), {}, below(4) == 0};
        if (auto out = add_all(channel, list, by, limits, now)) decided = out->change;
        break;
      }
      case 10:
      case 11: {
        const media_metadata about{"A title", static_cast<std::int64_t>(below(16))};
        decided = settle(channel, some_media(), about, limits, now).change;
        if (decided && decided->finished().size() > 1) ++two_plays;
        break;
      }
      case 12:
        if (auto out = skip(channel, moderator, now)) decided = out->change;
        break;
      case 3:
        if (auto out = remove(channel, range, moderator)) decided = out->change;
        break;
      case 4:
        if (auto out = move(channel, range, other, moderator)) decided = out->change;
        break;
      case 5:
        if (auto out = shuffle(channel, moderator, below)) decided = out->change;
        break;
      case 6:
        if (below(10) == 0) decided = clear(channel, moderator).change;
        break;
      case 7:
        if (auto out = vote_skip(channel, "user" + other, {3, now - 20'000}, now))
          decided = out->change;
        break;
      case 8:
        decided = advance(channel, {}, now);
        break;
    }
    if (!decided) continue;
    EXPECT_EQ(decided->after().version, channel.version + 1);
    channel = decided->after();
    std::size_t finished = 0;
    for (const event& happened : decided->events()) {
      std::visit(listener, happened);
      if (std::holds_alternative<item_finished>(happened)) ++finished;
    }
    ASSERT_EQ(decided->finished().size(), finished) << "each play is recorded";
    rows.apply(*decided);
    ASSERT_EQ(listener.waiting, waiting_ids(channel));
    ASSERT_EQ(listener.playing, channel.playing ? channel.playing->item.id : "");
    ASSERT_EQ(rows.position_of.size(), channel.waiting.size());
    ASSERT_TRUE(
        std::is_sorted(channel.waiting.begin(), channel.waiting.end(),
                       [](const auto& a, const auto& b) { return a.position < b.position; }));
    for (const waiting_item& waiting : channel.waiting) {
      ASSERT_EQ(rows.position_of.at(waiting.item.id), waiting.position);
    }
  }
  EXPECT_GT(channel.version, 2000);
  EXPECT_GT(two_plays, 0);
}

INSTANTIATE_TEST_SUITE_P(orders, decisions_test,
                         ::testing::Values(queue_order::added, queue_order::fair));

}  // namespace
}  // namespace rosey::playlist
