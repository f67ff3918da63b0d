// Quota rules.
#include "playlist_plugin/domain/quota.hpp"

#include <algorithm>
#include <iterator>

#include "playlist_plugin/domain/text.hpp"

namespace rosey::playlist {
namespace {

std::string spelled(std::int64_t seconds) {
  return seconds > 0 ? format_duration(seconds) : "none";
}

}  // namespace

add_times within_window(const quota_config& config, const add_times& adds, std::int64_t now) {
  // What lies far ahead was added before the clock was set back.
  const std::int64_t window = config.rate_limit_seconds * 1000;
  add_times recent;
  std::copy_if(adds.begin(), adds.end(), std::back_inserter(recent),
               [=](std::int64_t added) { return added > now - window && added < now + window; });
  return recent;
}

std::optional<refusal> quota_refusal(const quota_config& config, const user_usage& usage,
                                     std::int64_t duration, const add_times& adds,
                                     std::int64_t now) {
  const auto items = static_cast<std::int64_t>(usage.items);
  if (items >= config.max_items_per_user) {
    return refusal{codes::quota_items,
                   "You can only have " + std::to_string(config.max_items_per_user) +
                       " items in queue; you have " + std::to_string(items),
                   {config.max_items_per_user, items}};
  }
  if (usage.duration + duration > config.max_duration_per_user) {
    std::string sentence = "You can only have " + format_limit(config.max_duration_per_user) +
                           " of content queued; you have " + spelled(usage.duration);
    if (duration > 0) sentence += ", and this is " + format_duration(duration);
    return refusal{
        codes::quota_duration, std::move(sentence), {config.max_duration_per_user, usage.duration}};
  }
  const add_times recent = within_window(config, adds, now);
  const auto used = static_cast<std::int64_t>(recent.size());
  if (used >= config.rate_limit_count) {
    // One more is allowed when the last but so many has left the window.
    const std::int64_t blocking =
        recent[recent.size() - static_cast<std::size_t>(config.rate_limit_count)];
    const std::int64_t wait = blocking + config.rate_limit_seconds * 1000 - now;
    const std::int64_t seconds = (wait + 999) / 1000;
    return refusal{codes::rate_limited,
                   "Slow down! You're adding too fast. At most " +
                       std::to_string(config.rate_limit_count) + " adds in " +
                       std::to_string(config.rate_limit_seconds) + " seconds; try again in " +
                       std::to_string(seconds) + (seconds == 1 ? " second" : " seconds"),
                   {config.rate_limit_count, used, seconds}};
  }
  return std::nullopt;
}

}  // namespace rosey::playlist
