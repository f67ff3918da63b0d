// How many votes skip an item, and who is there to vote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>

namespace rosey::playlist {

struct vote_config {
  double skip_threshold = 0.5;            // share of the active users
  std::int64_t min_skip_votes = 2;        // needed however few are there; at least 1
  std::int64_t expiry_seconds = 300;      // a vote counts so long; 0: as long as the item plays
  std::int64_t active_user_minutes = 10;  // who was not heard of for so long is not there

  friend bool operator==(const vote_config&, const vote_config&) = default;
};

std::size_t votes_needed(const vote_config& config, std::size_t active_users);

// What decides a vote at one moment.
struct vote_terms {
  std::size_t needed = 2;
  std::int64_t oldest = 0;  // milliseconds since 1970: votes given before have expired
  std::map<std::string, std::int64_t> left =
      {};  // when users left: their votes until then are gone
  // Votes that were given after `now` were so before the clock was set back: nobody knows how long
  // ago. Those of users who have left are gone, and those after `newest` have expired.
  std::int64_t now = std::numeric_limits<std::int64_t>::max();
  std::int64_t newest = std::numeric_limits<std::int64_t>::max();
};
vote_terms terms_of(const vote_config& config, std::size_t active_users, std::int64_t now);

// When somebody was heard of last, and whether that was to come or to go. Milliseconds.
struct sighting {
  std::int64_t at = 0;
  bool there = true;

  friend bool operator==(const sighting&, const sighting&) = default;
};
using sightings = std::map<std::string, sighting>;  // by user

// Who was heard of lately in each channel. All times are of one clock.
class active_users {
 public:
  // `window` in milliseconds.
  explicit active_users(std::int64_t window) : window_(window) {}

  void saw(const std::string& channel, const std::string& user, std::int64_t now);
  void left(const std::string& channel, const std::string& user, std::int64_t now);
  // What others know of the channel: the later sighting of each user is the true one.
  void merge(const std::string& channel, const sightings& others, std::int64_t now);
  // What is known of the channel and still counts.
  sightings seen_in(const std::string& channel, std::int64_t now) const;
  // Whether the user was heard of last at `since` or later, and then was there, or had gone.
  bool tells(const std::string& channel, const std::string& user, bool there,
             std::int64_t since) const;
  std::size_t count(const std::string& channel, std::int64_t now) const;
  // Those who have left and were not seen since, and when they did.
  std::map<std::string, std::int64_t> left_from(const std::string& channel, std::int64_t now) const;

  // Channels that take memory: those in which somebody was heard of not much longer ago.
  std::size_t channels() const { return last_seen_.size(); }

 private:
  void forget_silent(std::int64_t now);

  std::int64_t window_;
  std::map<std::string, sightings> last_seen_;
  std::int64_t swept_at_ = 0;
};

}  // namespace rosey::playlist
