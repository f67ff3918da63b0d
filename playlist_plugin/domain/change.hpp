// A decided change of one channel: the state after it, and every difference that storage has to
// write. Decisions build it from the few steps below, so that the two never disagree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "playlist_plugin/domain/channel_state.hpp"
#include "playlist_plugin/domain/event.hpp"
#include "playlist_plugin/domain/media_metadata.hpp"
#include "playlist_plugin/domain/playback.hpp"

namespace rosey::playlist {

// A line of the history.
struct play_record {
  queue_item item;
  play_end end;
};

// Items of the longest queue that can be put into another order: that writes each waiting row, and
// storage takes 1000 operations at once.
inline constexpr std::size_t most_reordered = 900;

struct new_position {
  std::string item_id;
  std::int64_t position = 0;
};

class change {
 public:
  // A change of `before`, one version later.
  explicit change(channel_state before);

  const channel_state& after() const { return after_; }
  const std::vector<event>& events() const { return events_; }

  // Differences of the rows of waiting items.
  const std::vector<waiting_item>& inserted() const { return inserted_; }
  const std::vector<std::string>& deleted() const { return deleted_; }  // item ids
  bool all_deleted() const { return all_deleted_; }
  // Rows that get another position, one after the other.
  std::vector<new_position> rows_to_place() const;

  // Other differences.
  const std::vector<queue_item>& added() const { return added_; }
  const std::vector<queue_item>& described() const { return described_; }   // as they are now
  const std::vector<play_record>& finished() const { return finished_; }    // as they ended
  const std::optional<skip_vote>& vote() const { return vote_; }            // that was given
  const std::vector<std::string>& withdrawn() const { return withdrawn_; }  // whose votes are gone
  bool votes_ended() const { return votes_ended_; }
  bool playing_changed() const { return playing_changed_; }

  // Gives the item its id and puts it where the channel's order wants it. It has no id yet.
  void append(queue_item item);

  // Removes the waiting item at `index`.
  queue_item remove(std::size_t index, const std::string& by);

  // Removes all that wait.
  void clear(const std::string& by);

  // Puts the waiting items into this order: indexes into `waiting`, each once.
  void shuffle(const std::vector<std::size_t>& order, const std::string& by);

  // Moves the waiting item at `from` to stand behind the one at `after`, or first without one.
  void move(std::size_t from, std::optional<std::size_t> after, const std::string& by);

  // Ends the playing item, and with it the votes.
  void finish(const play_end& end);

  // Corrects when the playing item started, in milliseconds since 1970.
  void correct_start(std::int64_t started_at);

  // Starts the first waiting item, if nothing plays and something waits.
  void start_next(std::int64_t now);

  // Ends what plays and starts what is next. A skipped item was no turn of its user.
  void play_next(const play_end& end, std::int64_t now);

  // Gives the item, which plays or waits, what its site has told about it.
  void describe(const std::string& item_id, const media_metadata& about);

  // In a fair order: brings the users' waiting items forward when their turns have become fewer.
  // Once for all that a change takes away: it looks at the whole queue.
  void settle_turns(const std::set<std::string>& users);

  void record_vote(skip_vote given, std::size_t needed);
  void withdraw_vote(const std::string& user, std::size_t needed);
  void pass_vote(std::size_t needed);

 private:
  void insert(std::size_t index, waiting_item item);
  std::optional<std::int64_t> free_position(std::size_t index) const;
  void renumber();
  void move_to(std::size_t from, std::size_t to, const std::string& by);
  bool is_inserted(const std::string& item_id) const;
  void take_out(std::size_t index);

  channel_state after_;
  std::vector<event> events_;
  std::vector<waiting_item> inserted_;
  std::vector<std::string> deleted_;
  bool all_deleted_ = false;
  std::vector<new_position> repositioned_;
  bool renumbered_ = false;
  std::int64_t lowest_taken_ = 0;  // positions that rows have, or had before this change
  std::int64_t highest_taken_ = 0;
  std::vector<queue_item> added_;
  std::vector<queue_item> described_;
  std::vector<play_record> finished_;
  std::optional<skip_vote> vote_;
  std::vector<std::string> withdrawn_;
  bool votes_ended_ = false;
  bool playing_changed_ = false;
};

}  // namespace rosey::playlist
