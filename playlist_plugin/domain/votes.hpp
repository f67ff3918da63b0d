// How many votes skip an item, and who is there to vote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace rosey::playlist {

struct vote_config {
  double skip_threshold = 0.5;      // share of the active users
  std::int64_t min_skip_votes = 2;  // needed however few are there
};

std::size_t votes_needed(const vote_config& config, std::size_t active_users);

// Who has spoken to the playlist lately, in one channel. Kept in memory: it is about presence, and
// is right again soon after a restart.
class active_users {
 public:
  static constexpr std::int64_t window = 10 * 60 * 1000;  // milliseconds

  void saw(const std::string& user, std::int64_t now);
  std::size_t count(std::int64_t now) const;

 private:
  std::map<std::string, std::int64_t> last_seen_;
};

}  // namespace rosey::playlist
