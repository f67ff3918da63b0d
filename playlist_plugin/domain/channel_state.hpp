// What is known of one channel at one version: what plays, what waits, and who voted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "playlist_plugin/domain/queue_item.hpp"

namespace rosey::playlist {

// Between neighbours, so that most moves write one row. Positions fit into 32 bits.
inline constexpr std::int64_t position_stride = 1024;
inline constexpr std::int64_t highest_position = 1 << 30;

struct waiting_item {
  queue_item item;
  std::int64_t position = 0;  // orders the items; gaps are fine, and see position_stride

  friend bool operator==(const waiting_item&, const waiting_item&) = default;
};

struct playing_item {
  queue_item item;
  std::int64_t started_at = 0;  // milliseconds since 1970, UTC

  friend bool operator==(const playing_item&, const playing_item&) = default;
};

struct skip_vote {
  std::string user;
  std::int64_t at = 0;  // milliseconds since 1970, UTC

  friend bool operator==(const skip_vote&, const skip_vote&) = default;
};

enum class queue_order {
  added,  // as items were added
  fair,   // turns by user: fair_order.hpp
};

struct channel_state {
  std::string name;
  std::int64_t version = 0;    // grows by one with each change; 0 for a channel never stored
  std::int64_t next_item = 1;  // number of the next item's id
  // When the newest play of the history ended; 0 without one. No later one is said to have ended
  // before it, whatever the clock was set to.
  std::int64_t last_end = 0;
  std::optional<playing_item> playing;
  std::vector<waiting_item> waiting;       // by position
  std::vector<skip_vote> votes;            // to skip the playing item; one per user
  std::vector<std::string> had_turn;       // users, in this round; who is ahead twice
  queue_order order = queue_order::added;  // of new items; the operator's choice, not stored

  friend bool operator==(const channel_state&, const channel_state&) = default;
};

// What one user has in the queue: the playing item counts as well as those that wait.
struct user_usage {
  std::size_t items = 0;
  std::int64_t duration = 0;  // seconds; unknown durations count 0
};
user_usage usage_of(const channel_state& channel, std::string_view user);

struct queue_totals {
  std::size_t items = 0;  // the playing one included
  std::int64_t duration = 0;
  std::size_t users = 0;
};
queue_totals totals_of(const channel_state& channel);

// Index in `waiting` of the item that a person names by its id ("q17") or by its number in the
// list of !queue ("2" or "#2"); nothing if there is none.
std::optional<std::size_t> find_waiting(const channel_state& channel, std::string_view named);

// Indexes, in their order, of the items that a person names: one as above, or a range "2-4" or
// "q17-q20" from one to another. Nothing if one of them is not there or the range is backwards.
std::optional<std::vector<std::size_t>> find_range(const channel_state& channel,
                                                   std::string_view named);

// Where the same media is already.
enum class place { absent, playing, waiting };
struct media_place {
  place where = place::absent;
  std::size_t number = 0;  // in !queue, of what waits
};
media_place find_media(const channel_state& channel, const media_link& media);

// Index of the item that this user added last, among those that wait.
std::optional<std::size_t> newest_waiting_of(const channel_state& channel, std::string_view user);

}  // namespace rosey::playlist
