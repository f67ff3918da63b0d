// Turns by user: in each round everybody who waits plays one item.
#pragma once

#include <cstddef>
#include <string>

#include "playlist_plugin/domain/channel_state.hpp"

namespace rosey::playlist {

// A user's first waiting item plays in this round, or in the next one if the user has had a turn in
// this; the second item a round later, and so on. Within a round, items play as they were added.
// The item that waits first was announced to people as the next one and is never displaced.

// Index in `waiting` where a new item of this user belongs.
std::size_t fair_place(const channel_state& channel, const std::string& user);

// Index where the waiting item at `index` belongs when its user's turns have become fewer; never
// behind where it is.
std::size_t fair_place_of(const channel_state& channel, std::size_t index);

// The user's item has left those that wait, and starts. A user who is ahead of others that wait, as
// when its item was the next one already, stays so until they have had their turn too.
void take_turn(channel_state& channel, const std::string& user);

// The item was skipped, which is no turn.
void return_turn(channel_state& channel, const std::string& user);

}  // namespace rosey::playlist
