// How items, channels and history lie in tables: the one place that knows the names of columns.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "playlist_plugin/domain/change.hpp"
#include "playlist_plugin/domain/channel_state.hpp"
#include "playlist_plugin/domain/votes.hpp"

namespace rosey::playlist {

struct history_entry {
  queue_item item;             // without an id, which history does not keep
  std::int64_t played_at = 0;  // milliseconds since 1970, UTC: when it ended
  std::int64_t played = 0;     // seconds
  bool skipped = false;
};

struct user_stats {
  std::string user;
  std::int64_t items_added = 0;
  std::int64_t items_played = 0;
  std::int64_t items_skipped = 0;
  std::int64_t duration_added = 0;   // seconds
  std::int64_t duration_played = 0;  // seconds
};

struct last_play {
  media_link media;
  std::int64_t at = 0;  // milliseconds since 1970
};

struct stored_vote {
  std::string item_id;
  skip_vote vote;
};

namespace tables {
inline constexpr char queue[] = "queue";
inline constexpr char history[] = "history";
inline constexpr char user_stats[] = "user_stats";
inline constexpr char channel[] = "channel";
inline constexpr char vote[] = "vote";

// Rows of the queue whose channel begins with this are an import that is not complete. Names of
// channels never hold control characters.
inline constexpr char staged_prefix[] = "\x01import:";
}  // namespace tables

// The readers throw std::runtime_error for a column that is not of its kind. Titles, which
// other programs may have written, are made fit to be shown; names are kept, as they are compared.
waiting_item waiting_from(const boost::json::object& row);
history_entry history_from(const boost::json::object& row);
std::int64_t play_end_from(const boost::json::object& row);  // milliseconds since 1970
user_stats stats_from(const boost::json::object& row);
stored_vote vote_from(const boost::json::object& row);
last_play last_play_from(const boost::json::object& row, std::string_view column);
std::string channel_name_from(const boost::json::object& row);
std::int64_t version_from(const boost::json::object& row);

// Fills version, next_item, had_turn and playing.
void read_channel_row(const boost::json::object& row, channel_state& channel);

boost::json::object queue_row(std::string_view channel, const waiting_item& waiting);
boost::json::object history_row(std::string_view channel, const play_record& record);
boost::json::object vote_row(const channel_state& channel, const skip_vote& vote);

// The columns of a channel's row but its name; what plays only when asked for.
boost::json::object channel_columns(const channel_state& channel, bool with_playing);

// The columns that a site's answer fills.
boost::json::object description_columns(const queue_item& item);

// A time by user, below zero when the user left then. What is none is left out; of more than
// `most_bytes`, the latest are kept.
sightings sightings_from(const boost::json::value& value);
boost::json::object sightings_to_json(const sightings& seen, std::size_t most_bytes);

// What is added to the statistics of the user named in the change's items.
boost::json::object stats_of_add(const std::vector<queue_item>& items);  // of one user
boost::json::object stats_of_description(std::int64_t seconds);
boost::json::object stats_of_play(const play_record& record);

}  // namespace rosey::playlist
