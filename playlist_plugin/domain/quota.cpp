// Quota rules.
#include "playlist_plugin/domain/quota.hpp"

#include <algorithm>
#include <iterator>

namespace rosey::playlist {

add_times within_window(const quota_config& config, const add_times& adds, std::int64_t now) {
  const std::int64_t cutoff = now - config.rate_limit_seconds * 1000;
  add_times recent;
  std::copy_if(adds.begin(), adds.end(), std::back_inserter(recent),
               [cutoff](std::int64_t added) { return added > cutoff; });
  return recent;
}

std::optional<error> quota_refusal(const quota_config& config, const user_usage& usage,
                                   std::int64_t duration, const add_times& adds, std::int64_t now) {
  if (static_cast<std::int64_t>(usage.items) >= config.max_items_per_user) {
    return error{
        codes::quota_items,
        "You can only have " + std::to_string(config.max_items_per_user) + " items in queue"};
  }
  if (usage.duration + duration > config.max_duration_per_user) {
    return error{codes::quota_duration, "You can only have " +
                                            std::to_string(config.max_duration_per_user / 60) +
                                            " minutes of content queued"};
  }
  if (static_cast<std::int64_t>(within_window(config, adds, now).size()) >=
      config.rate_limit_count) {
    return error{codes::rate_limited, "Slow down! You're adding too fast. At most " +
                                          std::to_string(config.rate_limit_count) + " adds in " +
                                          std::to_string(config.rate_limit_seconds) + " seconds."};
  }
  return std::nullopt;
}

}  // namespace rosey::playlist
