// Who may do what to a queue, and with which words it is refused.
#include "playlist_plugin/domain/queue_rules.hpp"

#include <gmock/gmock.h>

#include "unit/playlist/channels.hpp"

namespace rosey::playlist {
namespace {

using testing::channel_with;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::moderator;
using testing::start_time;
using testing::waiting_ids;

const actor ann{"ann", false};
const actor bob{"bob", false};

new_item video(std::int64_t duration = 0) {
  return {{"yt", "abc"}, "A title", duration};
}

result<add_outcome> add_by(const channel_state& channel, const std::string& user,
                           const queue_limits& limits = {}, std::int64_t duration = 0,
                           const add_times& adds = {}) {
  return add(channel, video(duration), adder{user, adds, false}, limits, start_time);
}

TEST(add, to_an_idle_channel_plays_at_once_as_number_1) {
  const auto added = add_by(channel_with({}), "ann");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->number, 1u);
  EXPECT_EQ(added->change.after().playing->item, added->items.front());
  EXPECT_EQ(added->items.front().added_at, 1'700'000'000'000);
}

TEST(add, gives_the_number_that_queue_shows) {
  const auto added = add_by(channel_with({"ann", "ann", "bob"}), "cid");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->number, 3u);
  EXPECT_EQ(added->items.front().id, "q4");
  EXPECT_EQ(find_waiting(added->change.after(), "3"), 2u);
}

TEST(add, to_a_queue_that_nobody_plays_starts_its_first_item) {
  channel_state channel = channel_with({"ann", "bob"});
  channel.playing.reset();
  const auto added = add_by(channel, "cid");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->change.after().playing->item.id, "q2");
  EXPECT_EQ(added->number, 1u);
}

TEST(add, counts_the_playing_item_toward_the_items_of_its_user) {
  queue_limits limits;
  limits.quota.max_items_per_user = 2;
  EXPECT_TRUE(add_by(channel_with({"ann"}), "ann", limits));
  const auto refused = add_by(channel_with({"ann", "ann"}), "ann", limits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(),
            (error{codes::quota_items, "You can only have 2 items in queue; you have 2"}));
  EXPECT_TRUE(add_by(channel_with({"ann", "ann"}), "bob", limits));
}

TEST(add, counts_seconds_up_to_the_limit_and_not_past_it) {
  queue_limits limits;
  limits.quota.max_duration_per_user = 600;
  EXPECT_TRUE(add_by(channel_with({"ann", "ann"}, 200), "ann", limits, 200));
  const auto refused = add_by(channel_with({"ann", "ann"}, 200), "ann", limits, 201);
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error(),
      (error{codes::quota_duration,
             "You can only have 10 minutes of content queued; you have 6:40, and this is 3:21"}));
}

TEST(add, refuses_a_full_queue_counting_what_waits) {
  queue_limits limits;
  limits.max_queue_size = 2;
  EXPECT_TRUE(add_by(channel_with({"ann", "bob"}), "cid", limits));
  const auto refused = add_by(channel_with({"ann", "bob", "eve"}), "cid", limits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (error{codes::queue_full, "Queue is full! It holds 2 items"}));
}

TEST(add, refuses_media_types_that_are_not_allowed) {
  queue_limits limits;
  limits.allowed_media_types = {"vi", "sc"};
  const auto refused = add_by(channel_with({}), "ann", limits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (error{codes::media_type_not_allowed,
                                    "Media of type 'yt' is not allowed here, only vi, sc"}));
  limits.allowed_media_types.push_back("yt");
  EXPECT_TRUE(add_by(channel_with({}), "ann", limits));
}

TEST(add, refuses_unknown_durations_where_they_are_required) {
  queue_limits limits;
  limits.require_duration = true;
  const auto refused = add_by(channel_with({}), "ann", limits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, codes::quota_duration);
  EXPECT_TRUE(add_by(channel_with({}), "ann", limits, 10));
}

TEST(remove, takes_an_id_or_the_number_of_queue) {
  const channel_state channel = channel_with({"ann", "ann", "ann", "ann"});
  for (const char* named : {"q3", "2", "#2"}) {
    const auto removed = remove(channel, named, ann);
    ASSERT_TRUE(removed) << named;
    EXPECT_EQ(removed->items.front().id, "q3");
    EXPECT_THAT(waiting_ids(removed->change.after()), ElementsAre("q2", "q4"));
    EXPECT_THAT(removed->change.deleted(), ElementsAre("q3"));
  }
}

TEST(remove, without_a_name_takes_the_newest_of_the_user) {
  channel_state channel = channel_with({"ann", "ann", "bob", "ann", "bob"});
  std::swap(channel.waiting[0].item, channel.waiting[2].item);  // q4 was moved to the front
  const auto removed = remove(channel, "", ann);
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->items.front().id, "q4");
  const auto nothing = remove(channel, "", actor{"cid", false});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error(), (error{codes::not_found, "You have nothing in the queue"}));
}

TEST(remove, refuses_what_is_not_there) {
  const channel_state channel = channel_with({"ann", "ann"});
  for (const char* named : {"999", "0", "-1", "q99", "1x", "#", "99999999999999999999"}) {
    const auto refused = remove(channel, named, ann);
    ASSERT_FALSE(refused) << named;
    EXPECT_EQ(refused.error(),
              (error{codes::not_found, "Item '" + std::string(named) + "' not found"}));
  }
}

TEST(remove, repeats_no_control_characters_and_no_long_text) {
  const auto refused = remove(channel_with({}), "a\x1b[31m\n" + std::string(1000, 'b'), ann);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find_first_of("\x1b\n"), std::string::npos);
  EXPECT_LT(refused.error().message.size(), 100u);
}

TEST(remove, leaves_the_playing_item_to_skip) {
  const auto refused = remove(channel_with({"ann"}), "q1", ann);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "Item 'q1' is playing now; !skip ends it");
}

TEST(remove, of_others_items_is_for_moderators) {
  const channel_state channel = channel_with({"ann", "ann"});
  const auto refused = remove(channel, "q2", bob);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (error{codes::forbidden, "You can only remove your own items"}));
  EXPECT_TRUE(remove(channel, "q2", moderator));
}

TEST(move, takes_ids_numbers_and_start) {
  const channel_state channel = channel_with({"ann", "ann", "ann", "ann"});
  EXPECT_THAT(waiting_ids(move(channel, "q4", "start", ann)->change.after()),
              ElementsAre("q4", "q2", "q3"));
  EXPECT_THAT(waiting_ids(move(channel, "3", "1", ann)->change.after()),
              ElementsAre("q2", "q4", "q3"));
  EXPECT_THAT(waiting_ids(move(channel, "q3", "q1", ann)->change.after()),
              ElementsAre("q3", "q2", "q4"));
}

TEST(move, refuses_strangers_unknown_places_and_itself) {
  const channel_state channel = channel_with({"ann", "ann", "ann"});
  EXPECT_EQ(move(channel, "q2", "start", bob).error(),
            (error{codes::forbidden, "You can only move your own items"}));
  EXPECT_EQ(move(channel, "q9", "start", ann).error(),
            (error{codes::not_found, "Item 'q9' not found"}));
  EXPECT_EQ(move(channel, "q2", "9", ann).error(), (error{codes::not_found, "Item '9' not found"}));
  EXPECT_EQ(move(channel, "q2", "1", ann).error().code, codes::usage);
}

TEST(add, refuses_duplicates_where_that_is_wanted) {
  queue_limits limits;
  channel_state channel = channel_with({"ann", "bob", "cid"});
  channel.waiting[1].item.media = {"yt", "abc"};
  EXPECT_TRUE(add_by(channel, "dan", limits));
  limits.refuse_duplicates = true;
  EXPECT_EQ(add_by(channel, "dan", limits).error(),
            (error{codes::duplicate, "This is in the queue already, as number 2"}));
  channel.playing->item.media = {"yt", "abc"};
  EXPECT_EQ(add_by(channel, "dan", limits).error(),
            (error{codes::duplicate, "This is playing now"}));
}

TEST(add, refuses_what_was_played_lately_where_that_is_wanted) {
  queue_limits limits;
  limits.repeat_after_minutes = 30;
  new_item item = video();
  item.last_played = start_time - 5 * 60'000;
  EXPECT_EQ(add(channel_with({}), item, {"ann", {}, false}, limits, start_time).error(),
            (error{codes::duplicate,
                   "This was played 5 minutes ago; it can be added again in 25 minutes"}));
  item.last_played = start_time - 30 * 60'000;
  EXPECT_TRUE(add(channel_with({}), item, {"ann", {}, false}, limits, start_time));
  channel_state channel = channel_with({"ann"});
  channel.playing->item.media = item.media;
  EXPECT_EQ(add(channel, item, {"ann", {}, false}, limits, start_time).error().message,
            "This is playing now");
}

TEST(add, refuses_items_that_are_too_long) {
  queue_limits limits;
  limits.max_item_duration = 600;
  EXPECT_TRUE(add_by(channel_with({}), "ann", limits, 600));
  EXPECT_EQ(add_by(channel_with({}), "ann", limits, 601).error(),
            (error{codes::quota_duration, "This item is 10:01 long; at most 10:00 is accepted"}));
  const auto numbers = add_by(channel_with({}), "ann", limits, 601).error().numbers;
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->limit, 600);
  EXPECT_EQ(numbers->used, 601);
}

TEST(add, asks_nothing_of_who_is_exempt_but_that_there_is_room) {
  queue_limits limits;
  limits.quota = {1, 10, 1, 10};
  limits.max_item_duration = 5;
  limits.max_queue_size = 2;
  const adder exempt{"ann", {start_time, start_time}, true};
  EXPECT_TRUE(add(channel_with({"ann", "ann"}), video(1000), exempt, limits, start_time));
  EXPECT_EQ(add(channel_with({"b", "b", "b"}), video(1), exempt, limits, start_time).error().code,
            codes::queue_full);
}

TEST(remove, takes_ranges_of_numbers_and_of_ids) {
  const channel_state channel = channel_with({"ann", "ann", "ann", "ann", "ann", "bob"});
  for (const char* named : {"2-4", "#2-#4", "q3-q5", "q3-4"}) {
    const auto removed = remove(channel, named, ann);
    ASSERT_TRUE(removed) << named;
    EXPECT_EQ(removed->items.size(), 3u);
    EXPECT_EQ(removed->items.front().id, "q3");
    EXPECT_THAT(waiting_ids(removed->change.after()), ElementsAre("q2", "q6"));
  }
  for (const char* named : {"4-2", "1-9", "-", "2-", "-2", "1-2-3"}) {
    EXPECT_EQ(remove(channel, named, ann).error().code, codes::not_found) << named;
  }
  EXPECT_EQ(remove(channel, "4-5", ann).error().code, codes::forbidden) << "5 is bob's";
}

TEST(remove, takes_all_of_ones_own) {
  const channel_state channel = channel_with({"ann", "ann", "bob", "ann"});
  const auto removed = remove(channel, "all", ann);
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->items.size(), 2u);
  EXPECT_THAT(waiting_ids(removed->change.after()), ElementsAre("q3"));
  EXPECT_THAT(removed->change.deleted(), ::testing::UnorderedElementsAre("q2", "q4"));
  EXPECT_EQ(remove(channel, "all", actor{"cid", true}).error(),
            (error{codes::not_found, "You have nothing in the queue"}));
}

TEST(remove, takes_all_of_everybodys_for_a_program) {
  const channel_state channel = channel_with({"ann", "ann", "bob", "ann"});
  const auto removed = remove(channel, "all", actor{"", true});
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->items.size(), 3u);
  EXPECT_EQ(remove(channel_with({"ann"}), "all", actor{"", true}).error(),
            (error{codes::not_found, "Nothing is waiting"}));
}

TEST(move, tells_that_what_plays_cannot_be_moved) {
  EXPECT_EQ(move(channel_with({"ann", "ann"}), "q1", "start", ann).error(),
            (error{codes::not_found, "Item 'q1' is playing now; only what waits can be moved"}));
}

channel_state with_one_unknown_media(const std::vector<std::string>& users) {
  channel_state channel = channel_with(users);
  const media_link media{"vi", "1"};
  const auto forget = [&media](queue_item& item) {
    item.media = media;
    item.title = placeholder_title(media);
  };
  forget(channel.playing->item);
  for (waiting_item& waiting : channel.waiting) forget(waiting.item);
  return channel;
}

TEST(settle, records_every_play_that_it_ends) {
  queue_limits limits;
  limits.max_item_duration = 100;
  const channel_state channel = with_one_unknown_media({"ann", "bob", "cid"});
  const auto settled = settle(channel, {"vi", "1"}, {"Long", 500}, limits, start_time + 5000);
  ASSERT_EQ(settled.removed.size(), 3u);
  ASSERT_EQ(settled.change->finished().size(), 3u);
  EXPECT_EQ(settled.change->finished().at(0).item.added_by, "ann");
  EXPECT_EQ(settled.change->finished().at(0).end.played, 5);
  EXPECT_EQ(settled.change->finished().at(2).item.added_by, "cid");
  EXPECT_FALSE(settled.change->after().playing);
}

TEST(settle, leaves_items_that_are_exempt_whoever_asks) {
  queue_limits limits;
  limits.max_item_duration = 100;
  channel_state channel = with_one_unknown_media({"ann", "mod", "ann"});
  channel.waiting[0].item.exempt = true;
  const auto settled = settle(channel, {"vi", "1"}, {"Long", 500}, limits, start_time);
  ASSERT_EQ(settled.removed.size(), 2u);
  EXPECT_EQ(settled.change->after().playing->item.added_by, "mod");
  EXPECT_EQ(settled.change->after().playing->item.title, "Long");
}

TEST(add, asks_those_who_are_exempt_for_no_duration) {
  queue_limits limits;
  limits.require_duration = true;
  const auto added = add(channel_with({}), video(0), {"mod", {}, true}, limits, start_time);
  ASSERT_TRUE(added);
  EXPECT_TRUE(added->items.front().exempt);
  EXPECT_FALSE(add(channel_with({}), video(0), {"ann", {}, false}, limits, start_time));
}

TEST(add, of_a_list_passes_by_what_is_there_already) {
  queue_limits limits;
  limits.refuse_duplicates = true;
  limits.quota.max_items_per_user = 3;
  channel_state channel = channel_with({"bob"});
  channel.playing->item.media = {"yt", "a"};
  const std::vector<new_item> list{undescribed({"yt", "a"}), undescribed({"yt", "b"}),
                                   undescribed({"yt", "c"}), undescribed({"yt", "d"}),
                                   undescribed({"yt", "e"})};
  const auto added = add_all(channel, list, {"ann", {}, false}, limits, start_time);
  ASSERT_TRUE(added);
  EXPECT_EQ(added->items.size(), 3u);
  EXPECT_EQ(added->left_out, 1u) << "what is beyond the quota is not missed";
  EXPECT_TRUE(added->full);
  limits.quota.max_items_per_user = 30;
  EXPECT_FALSE(add_all(channel, list, {"ann", {}, false}, limits, start_time)->full);
}

TEST(add, of_a_list_goes_on_behind_what_is_too_long) {
  queue_limits limits;
  limits.max_item_duration = 600;
  const adder ann{"ann", {}, false};
  const std::vector<new_item> list(50, video(601));
  ASSERT_FALSE(add_all(channel_with({}), list, ann, limits, start_time));
  EXPECT_FALSE(fills_up(channel_with({}), list, ann, limits, start_time));
  limits.max_item_duration = 0;
  limits.quota.max_duration_per_user = 600;
  ASSERT_FALSE(add_all(channel_with({}), list, ann, limits, start_time));
  EXPECT_TRUE(fills_up(channel_with({}), list, ann, limits, start_time));
}

TEST(move, keeps_a_range_together) {
  const channel_state channel = channel_with({"ann", "ann", "ann", "ann", "ann", "ann"});
  EXPECT_THAT(waiting_ids(move(channel, "1-2", "4", ann)->change.after()),
              ElementsAre("q4", "q5", "q2", "q3", "q6"));
  EXPECT_THAT(waiting_ids(move(channel, "q5-q6", "start", ann)->change.after()),
              ElementsAre("q5", "q6", "q2", "q3", "q4"));
  EXPECT_THAT(waiting_ids(move(channel, "4-5", "1", ann)->change.after()),
              ElementsAre("q2", "q5", "q6", "q3", "q4"));
  EXPECT_EQ(move(channel, "2-4", "3", ann).error().code, codes::usage);
}

TEST(upcoming_of, adds_up_what_is_known_and_counts_what_is_not) {
  channel_state channel = channel_with({"ann", "bob", "cid", "ann", "ann"}, 100);
  channel.waiting[2].item.duration = 0;
  const auto upcoming = upcoming_of(channel, "ann", {}, start_time + 40'000);
  ASSERT_EQ(upcoming.size(), 3u);
  EXPECT_EQ(upcoming[0].number, 0u);
  EXPECT_EQ(upcoming[1].number, 3u);
  EXPECT_EQ(upcoming[1].seconds, 260);
  EXPECT_EQ(upcoming[1].unknown, 0u);
  EXPECT_EQ(upcoming[2].seconds, 260);
  EXPECT_EQ(upcoming[2].unknown, 1u);
}

TEST(queues, longer_than_ours_are_left_in_their_order) {
  const channel_state channel = channel_with(std::vector<std::string>(1000, "ann"));
  const auto first = [](std::size_t) { return std::size_t{0}; };
  EXPECT_EQ(
      shuffle(channel, moderator, first).error(),
      (error{codes::queue_full,
             "This queue is too long to be shuffled; at most 900 items can be put in order"}));
  EXPECT_EQ(move(channel, "1", "2", moderator).error().code, codes::queue_full);
  EXPECT_TRUE(remove(channel, "all", ann));
}

TEST(shuffle, needs_two) {
  const auto first = [](std::size_t) { return std::size_t{0}; };
  EXPECT_EQ(shuffle(channel_with({"ann", "ann"}), moderator, first).error(),
            (error{codes::too_few_items, "Need at least 2 items to shuffle"}));
  const auto shuffled = shuffle(channel_with({"ann", "ann", "bob", "cid"}), moderator, first);
  ASSERT_TRUE(shuffled);
  EXPECT_EQ(shuffled->count, 3u);
  EXPECT_THAT(waiting_ids(shuffled->change.after()), ElementsAre("q3", "q4", "q2"));
}

TEST(clear, leaves_what_plays) {
  const clear_outcome cleared = clear(channel_with({"ann", "bob", "cid"}), moderator);
  EXPECT_EQ(cleared.count, 2u);
  EXPECT_THAT(cleared.change->after().waiting, IsEmpty());
  EXPECT_TRUE(cleared.change->after().playing);
  EXPECT_FALSE(clear(channel_with({"ann"}), moderator).change);
}

TEST(skip, is_for_the_requester_and_moderators) {
  const channel_state channel = channel_with({"ann", "bob"});
  EXPECT_EQ(skip(channel_with({}), ann, start_time).error(),
            (error{codes::nothing_playing, "Nothing is playing!"}));
  EXPECT_EQ(skip(channel, bob, start_time).error().code, codes::forbidden);
  EXPECT_TRUE(skip(channel, moderator, start_time));
  const auto skipped = skip(channel, ann, start_time + 61'500);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(skipped->next->id, "q2");
  EXPECT_EQ(skipped->change.finished().at(0).end.played, 61);
  EXPECT_FALSE(skip(channel_with({"ann"}), ann, start_time)->next);
}

TEST(vote_skip, counts_each_user_once_and_passes_at_what_is_needed) {
  channel_state channel = channel_with({"ann", "bob"});
  EXPECT_EQ(vote_skip(channel_with({}), "eve", {2}, start_time).error().code,
            codes::nothing_playing);
  const auto first = vote_skip(channel, "bob", {2}, start_time);
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->passed);
  EXPECT_EQ(first->change.vote(), (skip_vote{"bob", start_time}));
  channel = first->change.after();
  EXPECT_EQ(vote_skip(channel, "bob", {2}, start_time).error(),
            (error{codes::duplicate, "You already voted to skip!"}));
  const auto second = vote_skip(channel, "cid", {2}, start_time + 1000);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->passed);
  EXPECT_FALSE(second->change.vote()) << "the votes are gone with the item";
  EXPECT_THAT(second->change.after().votes, IsEmpty());
  EXPECT_EQ(second->change.after().playing->item.id, "q2");
  EXPECT_TRUE(second->change.finished().at(0).end.skipped);
}

TEST(advance, finishes_what_is_over_once_and_starts_the_next_now) {
  const channel_state channel = channel_with({"ann", "bob"}, 100);
  EXPECT_FALSE(advance(channel, {}, start_time + 99'999));
  const auto after_an_hour = advance(channel, {}, start_time + 3'600'000);
  ASSERT_TRUE(after_an_hour);
  EXPECT_EQ(after_an_hour->finished().at(0).end.played, 100);
  EXPECT_EQ(after_an_hour->finished().at(0).end.at, start_time + 100'000);
  EXPECT_FALSE(after_an_hour->finished().at(0).end.skipped);
  EXPECT_EQ(after_an_hour->after().playing->started_at, start_time + 3'600'000);
}

TEST(advance, leaves_unknown_durations_and_empty_channels_alone) {
  EXPECT_FALSE(advance(channel_with({"ann", "bob"}, 0), {}, start_time + 1'000'000'000));
  EXPECT_FALSE(advance(channel_with({}), {}, start_time));
  channel_state idle = channel_with({"ann", "bob"});
  idle.playing.reset();
  EXPECT_EQ(advance(idle, {}, start_time)->after().playing->item.id, "q2");
}

TEST(advance, ends_unknown_durations_at_their_limit) {
  const channel_state channel = channel_with({"ann", "bob"}, 0);
  const playback_config config{600};
  EXPECT_FALSE(advance(channel, config, start_time + 599'999));
  const auto ended = advance(channel, config, start_time + 700'000);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->finished().at(0).end.played, 600);
  EXPECT_EQ(ended->finished().at(0).end.at, start_time + 600'000);
}

TEST(player, ends_the_item_that_it_names_and_no_other) {
  const channel_state channel = channel_with({"ann", "bob"}, 100);
  EXPECT_EQ(player_finished(channel, "q2", 5, start_time).error(),
            (error{codes::not_found, "Item 'q2' is not playing"}));
  EXPECT_FALSE(player_finished(channel_with({}), "q1", 5, start_time));
  const auto ended = player_finished(channel, "q1", 97, start_time + 99'000);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->change->finished().at(0).end.played, 97);
  EXPECT_FALSE(ended->change->finished().at(0).end.skipped);
  EXPECT_EQ(ended->playing->id, "q2");
  EXPECT_EQ(
      player_finished(channel, "q1", {}, start_time + 42'000)->change->finished().at(0).end.played,
      42);
  EXPECT_EQ(player_finished(channel, "q1", 5000, start_time)->change->finished().at(0).end.played,
            100);
}

TEST(player, corrects_the_start_when_it_is_more_than_two_seconds_off) {
  const channel_state channel = channel_with({"ann"}, 100);
  EXPECT_FALSE(player_position(channel, "q1", 11'900, start_time + 10'000)->change);
  const auto corrected = player_position(channel, "q1", 4000, start_time + 10'000);
  ASSERT_TRUE(corrected);
  EXPECT_EQ(corrected->change->after().playing->started_at, start_time + 6000);
  EXPECT_EQ(player_position(channel, "q9", 0, start_time).error().code, codes::not_found);
}

TEST(player, is_no_further_than_the_end) {
  const channel_state channel = channel_with({"ann"}, 100);
  const auto told = player_position(channel, "q1", 31'536'000'000, start_time + 10'000);
  EXPECT_EQ(told->change->after().playing->started_at, start_time + 10'000 - 100'000);
}

}  // namespace
}  // namespace rosey::playlist
