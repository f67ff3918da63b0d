// The decisions about a queue: each takes the channel as it is and gives the change to store, or
// the sentence that refuses it. Nothing here knows where the request came from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "playlist_plugin/domain/adding_rules.hpp"
#include "playlist_plugin/domain/change.hpp"
#include "playlist_plugin/domain/quota.hpp"
#include "playlist_plugin/domain/refusal.hpp"
#include "playlist_plugin/domain/votes.hpp"

namespace rosey::playlist {

// Who asks. A moderator may touch what others have added.
struct actor {
  std::string user;
  bool moderator = false;
};

// `now` is in milliseconds since 1970, here and below.

struct remove_outcome {
  playlist::change change;
  std::vector<queue_item> items;  // at least one
};
// `named` is an id, a number of !queue or a range of them; "" is the actor's newest item, "all" are
// all of the actor's, or of everybody's for an actor without a name.
result<remove_outcome> remove(const channel_state& channel, const std::string& named,
                              const actor& by);

struct move_outcome {
  playlist::change change;
  std::vector<queue_item> items;  // at least one
};
// `named` is an id, a number or a range, whose items stay together; `after` is an id, a number, or
// "start".
result<move_outcome> move(const channel_state& channel, const std::string& named,
                          const std::string& after, const actor& by);

struct shuffle_outcome {
  playlist::change change;
  std::size_t count = 0;
};
// `below(n)` gives a random number from 0 to n - 1.
result<shuffle_outcome> shuffle(const channel_state& channel, const actor& by,
                                const std::function<std::size_t(std::size_t)>& below);

struct clear_outcome {
  std::optional<playlist::change> change;  // nothing when nothing waits
  std::size_t count = 0;
};
clear_outcome clear(const channel_state& channel, const actor& by);

struct skip_outcome {
  playlist::change change;
  std::optional<queue_item> next;
};
// By the item's adder or a moderator.
result<skip_outcome> skip(const channel_state& channel, const actor& by, std::int64_t now);

struct vote_outcome {
  playlist::change change;
  std::size_t votes = 0;
  std::size_t needed = 0;
  bool passed = false;
};
result<vote_outcome> vote_skip(const channel_state& channel, const std::string& user,
                               const vote_terms& terms, std::int64_t now);

struct leave_outcome {
  std::optional<playlist::change> change;  // nothing when it makes no difference
};
// The user has left the channel: its vote counts no more, and those of the others may suffice now.
leave_outcome leave(const channel_state& channel, const std::string& user, const vote_terms& terms,
                    std::int64_t now);

// When a user's own items play.
struct upcoming_item {
  queue_item item;
  std::size_t number = 0;                    // in !queue; 0 for what plays
  std::int64_t seconds = 0;                  // until it starts, as far as is known
  std::size_t unknown = 0;                   // items before it whose duration is not known
  std::optional<std::int64_t> at_most = {};  // seconds until it starts, where these are limited
};
std::vector<upcoming_item> upcoming_of(const channel_state& channel, const std::string& user,
                                       const playback_config& config, std::int64_t now);

// What time does by itself: ends an item whose duration is over, starts the first that waits when
// nothing plays. Nothing when there is nothing to do.
std::optional<change> advance(const channel_state& channel, const playback_config& config,
                              std::int64_t now);

struct player_outcome {
  std::optional<playlist::change> change;  // nothing when all is as it was
  std::optional<queue_item> playing;       // afterwards
};
// A player says that the item has ended, perhaps at which second of it.
result<player_outcome> player_finished(const channel_state& channel, const std::string& item_id,
                                       std::optional<std::int64_t> position, std::int64_t now);
// A player says how far it is, in milliseconds. What differs by less than two seconds is left.
result<player_outcome> player_position(const channel_state& channel, const std::string& item_id,
                                       std::int64_t position, std::int64_t now);

}  // namespace rosey::playlist
