// The limits on what users may queue, and the sentences that refuse more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "playlist_plugin/domain/channel_state.hpp"
#include "playlist_plugin/domain/refusal.hpp"

namespace rosey::playlist {

// Seed 2.4.
struct quota_config {
  std::int64_t max_items_per_user = 5;
  std::int64_t max_duration_per_user = 1800;  // seconds
  std::int64_t rate_limit_count = 3;          // adds that fit in the window
  std::int64_t rate_limit_seconds = 10;       // the window's length

  friend bool operator==(const quota_config&, const quota_config&) = default;
};

struct queue_limits {
  quota_config quota;
  std::int64_t max_queue_size = 100;             // items that wait
  std::vector<std::string> allowed_media_types;  // empty: all
  bool require_duration = false;                 // refuse what has no known duration
  std::int64_t max_item_duration = 0;            // seconds; 0: no limit
  bool refuse_duplicates = false;                // of what plays or waits
  std::int64_t repeat_after_minutes = 0;         // since it was played last; 0: at once

  friend bool operator==(const queue_limits&, const queue_limits&) = default;
};

// One user's recent adds, over all channels. Milliseconds since 1970, oldest first.
using add_times = std::vector<std::int64_t>;

// The adds that still count at `now`.
add_times within_window(const quota_config& config, const add_times& adds, std::int64_t now);

// Who adds.
struct adder {
  std::string user;
  add_times adds;       // over all channels
  bool exempt = false;  // from the limits on users and on the length of an item
};

// Why the user may not add `duration` seconds more; nothing when it is allowed. The checks and
// their order are the seed's: items, duration, rate.
std::optional<refusal> quota_refusal(const quota_config& config, const user_usage& usage,
                                     std::int64_t duration, const add_times& adds,
                                     std::int64_t now);

}  // namespace rosey::playlist
