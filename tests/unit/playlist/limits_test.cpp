// Windows, votes, playing time and timestamps: the arithmetic of the playlist.
#include <gmock/gmock.h>

#include "playlist_plugin/domain/playback.hpp"
#include "playlist_plugin/domain/quota.hpp"
#include "playlist_plugin/domain/timestamp.hpp"
#include "playlist_plugin/domain/votes.hpp"
#include "playlist_plugin/metadata/failure_memory.hpp"
#include "unit/playlist/channels.hpp"

namespace rosey::playlist {
namespace {

using ::testing::ElementsAre;
using testing::item_of;
using testing::start_time;

TEST(quota, forgets_adds_that_have_left_the_window) {
  const quota_config config;
  const add_times adds{1000, 5000, 11'000};
  EXPECT_THAT(within_window(config, adds, 11'000), ElementsAre(5000, 11'000));
  EXPECT_THAT(within_window(config, adds, 10'999), ElementsAre(1000, 5000, 11'000));
  EXPECT_THAT(within_window(config, adds, -5000), ElementsAre(1000)) << "the clock was set back";
}

TEST(quota, refuses_the_fourth_add_in_ten_seconds) {
  const auto refusal = quota_refusal({}, {}, 0, {1000, 2000, 3000}, 10'999);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, codes::rate_limited);
  EXPECT_EQ(
      refusal->message,
      "Slow down! You're adding too fast. At most 3 adds in 10 seconds; try again in 1 second");
  EXPECT_FALSE(quota_refusal({}, {}, 0, {1000, 2000, 3000}, 11'000));
}

TEST(quota, tells_what_is_used_and_when_the_next_add_is_allowed) {
  EXPECT_EQ(quota_refusal({}, {5, 0}, 0, {}, 0)->message,
            "You can only have 5 items in queue; you have 5");
  EXPECT_EQ(quota_refusal({}, {7, 0}, 0, {}, 0)->message,
            "You can only have 5 items in queue; you have 7");
  EXPECT_EQ(quota_refusal({}, {2, 1690}, 240, {}, 0)->message,
            "You can only have 30 minutes of content queued; you have 28:10, and this is 4:00");
  EXPECT_EQ(quota_refusal({}, {2, 0}, 2400, {}, 0)->message,
            "You can only have 30 minutes of content queued; you have none, and this is 40:00");
  EXPECT_EQ(quota_refusal({}, {}, 0, {500, 1000, 2000, 3000}, 4000)->message,
            "Slow down! You're adding too fast. At most 3 adds in 10 seconds; try again in 7 "
            "seconds");
}

TEST(quota, of_time_is_told_to_the_second_where_it_is_not_whole_minutes) {
  quota_config config;
  config.max_duration_per_user = 30;
  EXPECT_EQ(quota_refusal(config, {}, 31, {}, 0)->message,
            "You can only have 0:30 of content queued; you have none, and this is 0:31");
  config.max_duration_per_user = 90;
  EXPECT_EQ(quota_refusal(config, {2, 100}, 0, {}, 0)->message,
            "You can only have 1:30 of content queued; you have 1:40");
  config.max_duration_per_user = 60;
  EXPECT_EQ(quota_refusal(config, {2, 100}, 0, {}, 0)->message,
            "You can only have 1 minute of content queued; you have 1:40");
}

TEST(quota, gives_programs_the_numbers) {
  const auto items = quota_refusal({}, {5, 0}, 0, {}, 0)->numbers;
  ASSERT_TRUE(items);
  EXPECT_EQ(items->limit, 5);
  EXPECT_EQ(items->used, 5);
  EXPECT_FALSE(items->retry_after);
  const auto duration = quota_refusal({}, {2, 1690}, 240, {}, 0)->numbers;
  ASSERT_TRUE(duration);
  EXPECT_EQ(duration->limit, 1800);
  EXPECT_EQ(duration->used, 1690);
  const auto rate = quota_refusal({}, {}, 0, {500, 1000, 2000, 3000}, 4000)->numbers;
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->limit, 3);
  EXPECT_EQ(rate->used, 4);
  EXPECT_EQ(rate->retry_after, 7);
}

TEST(quota, checks_items_then_duration_then_rate) {
  const add_times many{1, 2, 3};
  EXPECT_EQ(quota_refusal({}, {5, 1800}, 1, many, 4)->code, codes::quota_items);
  EXPECT_EQ(quota_refusal({}, {4, 1800}, 1, many, 4)->code, codes::quota_duration);
  EXPECT_EQ(quota_refusal({}, {4, 1799}, 1, many, 4)->code, codes::rate_limited);
  EXPECT_FALSE(quota_refusal({}, {4, 1799}, 1, {}, 4));
}

TEST(votes, need_the_share_of_the_active_users_and_the_minimum) {
  const vote_config config;
  EXPECT_EQ(votes_needed(config, 0), 2u);
  EXPECT_EQ(votes_needed(config, 4), 2u);
  EXPECT_EQ(votes_needed(config, 5), 3u);
  EXPECT_EQ(votes_needed({0.1, 1}, 30), 3u);
  EXPECT_EQ(votes_needed({1.0, 1}, 7), 7u);
}

TEST(votes, expire_if_that_is_wanted) {
  vote_config config;
  EXPECT_EQ(terms_of(config, 0, start_time).oldest, start_time - 300'000);
  config.expiry_seconds = 0;
  EXPECT_EQ(terms_of(config, 0, start_time).oldest, 0);
}

TEST(active_users, are_those_heard_of_within_the_window_who_have_not_left) {
  active_users users(600'000);
  users.saw("#a", "ann", 0);
  users.saw("#a", "bob", 1000);
  users.saw("#a", "ann", 2000);
  EXPECT_EQ(users.count("#a", 2000), 2u);
  EXPECT_EQ(users.count("#b", 2000), 0u);
  EXPECT_EQ(users.count("#a", 601'000), 1u);
  users.left("#a", "ann", 2000);
  users.left("#a", "nobody", 2000);
  users.left("#b", "ann", 2000);
  EXPECT_EQ(users.count("#a", 2000), 1u);
}

TEST(active_users, learn_from_others_what_is_newer) {
  active_users users(600'000);
  users.saw("#a", "ann", 5000);
  users.left("#a", "bob", 5000);
  users.merge("#a",
              {{"ann", {9000, false}},
               {"bob", {4000, true}},
               {"cid", {7000, true}},
               {"old", {-600'000, true}}},
              10'000);
  EXPECT_EQ(users.seen_in("#a", 10'000),
            (sightings{{"ann", {9000, false}}, {"bob", {5000, false}}, {"cid", {7000, true}}}));
  EXPECT_EQ(users.count("#a", 10'000), 1u);
}

TEST(failure_memory, gives_longer_pauses_with_each_failure_in_a_row) {
  failure_memory memory(5000, 20'000);
  EXPECT_EQ(memory.retry_at("a"), 0);
  memory.failed("a", 0);
  memory.failed("a", 1000);
  EXPECT_EQ(memory.retry_at("a"), 5000) << "those that fail together count once";
  memory.failed("a", 5000);
  EXPECT_EQ(memory.retry_at("a"), 15'000);
  memory.failed("a", 15'000);
  memory.failed("a", 35'000);
  EXPECT_EQ(memory.retry_at("a"), 55'000) << "but never longer than the longest";
  memory.succeeded("a");
  EXPECT_EQ(memory.retry_at("a"), 0);
}

TEST(failure_memory, is_bounded) {
  failure_memory memory(5000, 20'000);
  for (int number = 0; number < 5000; ++number) memory.failed(std::to_string(number), 0);
  EXPECT_EQ(memory.retry_at("0"), 0);
  EXPECT_EQ(memory.retry_at("4999"), 5000);
}

TEST(active_users, take_no_memory_when_nobody_was_heard_of_for_long) {
  active_users users(600'000);
  for (int number = 0; number < 1000; ++number) users.saw("#" + std::to_string(number), "ann", 0);
  users.saw("#a", "ann", 2'000'000);
  EXPECT_EQ(users.channels(), 1u);
}

TEST(playback, stays_between_nothing_and_the_whole_item) {
  const playing_item known{item_of(1, "ann", 100), start_time};
  EXPECT_EQ(seconds_played(known, start_time - 5000), 0);
  EXPECT_EQ(seconds_played(known, start_time + 1999), 1);
  EXPECT_EQ(seconds_played(known, start_time + 500'000), 100);
  EXPECT_EQ(end_of(known, {}), start_time + 100'000);
  const playing_item unknown{item_of(1, "ann", 0), start_time};
  EXPECT_EQ(seconds_played(unknown, start_time + 500'000), 500);
  EXPECT_FALSE(end_of(unknown, {}));
}

TEST(timestamp, is_iso_8601_in_utc) {
  EXPECT_EQ(iso_timestamp(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_timestamp(start_time + 7), "2023-11-14T22:13:20.007Z");
  EXPECT_EQ(iso_timestamp(-1), "1969-12-31T23:59:59.999Z");
}

TEST(timestamp, is_read_back) {
  for (const std::int64_t moment :
       {std::int64_t{0}, start_time, start_time + 7, std::int64_t{-1}}) {
    EXPECT_EQ(parse_timestamp(iso_timestamp(moment)), moment);
  }
  EXPECT_EQ(parse_timestamp("2023-11-14T22:13:20Z"), start_time);
  EXPECT_EQ(parse_timestamp("2023-11-14T22:13:20.5Z"), start_time + 500);
  EXPECT_EQ(parse_timestamp("2023-11-14T22:13:20.123456Z"), start_time + 123);
  for (const char* wrong :
       {"", "now", "2023-11-14", "2023-02-30T00:00:00Z", "2023-11-14T22:13:20"}) {
    EXPECT_FALSE(parse_timestamp(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace rosey::playlist
