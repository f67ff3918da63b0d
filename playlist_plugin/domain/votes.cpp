// Vote arithmetic and presence.
#include "playlist_plugin/domain/votes.hpp"

#include <algorithm>
#include <cmath>

namespace rosey::playlist {

std::size_t votes_needed(const vote_config& config, std::size_t active_users) {
  // 0.1 * 30 is a little more than 3 in binary; that must not cost a fourth vote.
  const double share = config.skip_threshold * static_cast<double>(active_users) - 1e-9;
  const auto by_share = static_cast<std::int64_t>(std::ceil(share));
  return static_cast<std::size_t>(std::max(config.min_skip_votes, by_share));
}

void active_users::saw(const std::string& user, std::int64_t now) {
  std::erase_if(last_seen_, [now](const auto& seen) { return seen.second <= now - window; });
  last_seen_[user] = now;
}

std::size_t active_users::count(std::int64_t now) const {
  return static_cast<std::size_t>(
      std::count_if(last_seen_.begin(), last_seen_.end(),
                    [now](const auto& seen) { return seen.second > now - window; }));
}

}  // namespace rosey::playlist
