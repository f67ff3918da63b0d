// How many votes skip an item, and who is there to vote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace rosey::playlist {

struct vote_config {
  double skip_threshold = 0.5;            // share of the active users
  std::int64_t min_skip_votes = 2;        // needed however few are there; at least 1
  std::int64_t expiry_seconds = 300;      // a vote counts so long; 0: as long as the item plays
  std::int64_t active_user_minutes = 10;  // who was not heard of for so long is not there
};

std::size_t votes_needed(const vote_config& config, std::size_t active_users);

// What decides a vote at one moment.
struct vote_terms {
  std::size_t needed = 2;
  std::int64_t oldest = 0;  // milliseconds since 1970: votes given before have expired
};
vote_terms terms_of(const vote_config& config, std::size_t active_users, std::int64_t now);

// Who was heard of lately in each channel. Kept in memory: connectors tell it to every instance,
// and it is right again soon after a restart. Times are milliseconds since 1970.
class active_users {
 public:
  // `window` in milliseconds.
  explicit active_users(std::int64_t window) : window_(window) {}

  void saw(const std::string& channel, const std::string& user, std::int64_t now);
  void left(const std::string& channel, const std::string& user);
  std::size_t count(const std::string& channel, std::int64_t now) const;

  // Channels that take memory: those in which somebody was heard of not much longer ago.
  std::size_t channels() const { return last_seen_.size(); }

 private:
  using users = std::map<std::string, std::int64_t>;

  void forget_silent(std::int64_t now);

  std::int64_t window_;
  std::map<std::string, users> last_seen_;
  std::int64_t swept_at_ = 0;
};

}  // namespace rosey::playlist
