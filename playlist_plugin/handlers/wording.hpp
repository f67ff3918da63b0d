// What the channel reads: every sentence of a successful command.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "playlist_plugin/domain/queue_rules.hpp"
#include "playlist_plugin/storage/rows.hpp"

namespace rosey::playlist::wording {

std::string added(const add_outcome& outcome);
std::string queue(const channel_state& channel);
// Something plays.
std::string now_playing(const playing_item& playing, std::int64_t now);
std::string skipped(const skip_outcome& outcome);
std::string voted(const vote_outcome& outcome);
std::string removed(const remove_outcome& outcome);
std::string moved(const move_outcome& outcome);
std::string shuffled(const shuffle_outcome& outcome);
std::string cleared(const clear_outcome& outcome);
// At least one.
std::string when(const std::vector<upcoming_item>& upcoming);
std::string history(const std::vector<history_entry>& entries);
std::string stats(const user_stats& stats);

inline constexpr char no_stats[] = "📊 No playlist stats yet";

}  // namespace rosey::playlist::wording
