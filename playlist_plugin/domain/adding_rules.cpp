// The checks of an add, in their order, and their sentences.
#include "playlist_plugin/domain/adding_rules.hpp"

#include <algorithm>

#include "playlist_plugin/domain/text.hpp"
#include "playlist_plugin/domain/timestamp.hpp"

namespace rosey::playlist {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::optional<error> media_refusal(const queue_limits& limits, const new_item& item, bool exempt) {
  const auto& allowed = limits.allowed_media_types;
  if (!allowed.empty() &&
      std::find(allowed.begin(), allowed.end(), item.media.type) == allowed.end()) {
    return error{
        codes::media_type_not_allowed,
        "Media of type '" + item.media.type + "' is not allowed here, only " + joined(allowed)};
  }
  if (limits.require_duration && item.duration <= 0) {
    return error{codes::quota_duration,
                 "The duration of this item is unknown, and only known durations are accepted"};
  }
  if (!exempt && limits.max_item_duration > 0 && item.duration > limits.max_item_duration) {
    return error{codes::quota_duration,
                 "This item is " + format_duration(item.duration) + " long; at most " +
                     format_duration(limits.max_item_duration) + " is accepted"};
  }
  return std::nullopt;
}

std::string minutes_text(std::int64_t milliseconds) {
  const std::int64_t minutes = (milliseconds + 59'999) / 60'000;
  return std::to_string(minutes) + (minutes == 1 ? " minute" : " minutes");
}

std::optional<error> duplicate_refusal(const channel_state& channel, const new_item& item,
                                       const queue_limits& limits, std::int64_t now) {
  const media_place known = find_media(channel, item.media);
  const std::int64_t pause = limits.repeat_after_minutes * 60'000;
  if (known.where == place::playing && (limits.refuse_duplicates || pause > 0)) {
    return error{codes::duplicate, "This is playing now"};
  }
  if (known.where == place::waiting && limits.refuse_duplicates) {
    return error{codes::duplicate,
                 "This is in the queue already, as number " + std::to_string(known.number)};
  }
  if (item.last_played && *item.last_played > now - pause) {
    return error{codes::duplicate, "This was played " + minutes_text(now - *item.last_played) +
                                       " ago; it can be added again in " +
                                       minutes_text(*item.last_played + pause - now)};
  }
  return std::nullopt;
}

std::optional<error> add_refusal(const channel_state& channel, const new_item& item,
                                 const adder& by, const queue_limits& limits, std::int64_t now) {
  if (auto refusal = media_refusal(limits, item, by.exempt)) return refusal;
  if (auto refusal = duplicate_refusal(channel, item, limits, now)) return refusal;
  if (!by.exempt) {
    const user_usage usage = usage_of(channel, by.user);
    if (auto refusal = quota_refusal(limits.quota, usage, item.duration, by.adds, now)) {
      return refusal;
    }
  }
  if (static_cast<std::int64_t>(channel.waiting.size()) >= limits.max_queue_size) {
    return error{codes::queue_full,
                 "Queue is full! It holds " + std::to_string(limits.max_queue_size) + " items"};
  }
  return std::nullopt;
}

queue_item made_of(const new_item& item, const std::string& user, std::int64_t now) {
  return {.id = {},
          .media = item.media,
          .title = item.title,
          .duration = item.duration,
          .added_by = user,
          .added_at = iso_timestamp(now),
          .thumbnail_url = item.thumbnail_url,
          .channel_name = item.channel_name};
}

// Why an item may not stay, now that its duration is known.
std::string late_refusal(const channel_state& channel, const queue_item& item,
                         const queue_limits& limits) {
  if (limits.max_item_duration > 0 && item.duration > limits.max_item_duration) {
    return "It is " + format_duration(item.duration) + " long; at most " +
           format_duration(limits.max_item_duration) + " is accepted";
  }
  const std::int64_t used = usage_of(channel, item.added_by).duration;
  if (used <= limits.quota.max_duration_per_user) return {};
  return "You can only have " + std::to_string(limits.quota.max_duration_per_user / 60) +
         " minutes of content queued; with it you have " + format_duration(used);
}

}  // namespace

new_item undescribed(const media_link& media) {
  return {.media = media, .title = placeholder_title(media)};
}

void describe(new_item& item, const media_metadata& about) {
  item.title = about.title;
  item.duration = about.duration;
  item.thumbnail_url = about.thumbnail_url;
  item.channel_name = about.channel_name;
}

result<add_outcome> add(const channel_state& channel, const new_item& item, const adder& by,
                        const queue_limits& limits, std::int64_t now) {
  return add_all(channel, {item}, by, limits, now);
}

result<add_outcome> add_all(const channel_state& channel, const std::vector<new_item>& items,
                            const adder& by, const queue_limits& limits, std::int64_t now) {
  change decided(channel);
  std::optional<error> refused;
  std::size_t left_out = 0;
  adder counted = by;
  for (const new_item& item : items) {
    if (auto refusal = add_refusal(decided.after(), item, counted, limits, now)) {
      ++left_out;
      if (!refused) refused = std::move(refusal);
      continue;
    }
    decided.append(made_of(item, by.user, now));
    counted.adds.clear();
  }
  if (decided.added().empty()) return *refused;
  decided.start_next(now);
  std::vector<queue_item> added = decided.added();
  const auto place = find_waiting(decided.after(), added.front().id);
  return add_outcome{std::move(decided), std::move(added), place ? *place + 1 : 1, left_out,
                     refused ? refused->message : std::string()};
}

settle_outcome settle(const channel_state& channel, const media_link& media,
                      const media_metadata& about, const queue_limits& limits,
                      const std::string& exempt, std::int64_t now) {
  std::vector<queue_item> waits;
  const auto look = [&](const queue_item& item) {
    if (item.media == media && is_undescribed(item)) waits.push_back(item);
  };
  if (channel.playing) look(channel.playing->item);
  for (const waiting_item& waiting : channel.waiting) look(waiting.item);
  if (waits.empty()) return {};

  settle_outcome outcome;
  change& decided = outcome.change.emplace(channel);
  for (const queue_item& item : waits) {
    decided.describe(item.id, about);
    queue_item described = decided.described().back();
    if (described.added_by == exempt) continue;
    std::string reason = late_refusal(decided.after(), described, limits);
    if (reason.empty()) continue;
    if (const auto index = find_waiting(decided.after(), item.id)) {
      decided.remove(*index, {});
      decided.settle_turns(item.added_by);
    } else {
      decided.play_next(skipped_at(*decided.after().playing, now), now);
    }
    outcome.removed.push_back({std::move(described), std::move(reason)});
  }
  return outcome;
}

}  // namespace rosey::playlist
