// The checks of an add, in their order, and their sentences.
#include "playlist_plugin/domain/adding_rules.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "playlist_plugin/domain/text.hpp"

namespace rosey::playlist {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::optional<refusal> media_refusal(const queue_limits& limits, const new_item& item,
                                     bool exempt) {
  const auto& allowed = limits.allowed_media_types;
  if (!allowed.empty() &&
      std::find(allowed.begin(), allowed.end(), item.media.type) == allowed.end()) {
    return error{
        codes::media_type_not_allowed,
        "Media of type '" + item.media.type + "' is not allowed here, only " + joined(allowed)};
  }
  if (!exempt && limits.require_duration && item.duration <= 0) {
    return error{codes::quota_duration,
                 "The duration of this item is unknown, and only known durations are accepted"};
  }
  if (!exempt && limits.max_item_duration > 0 && item.duration > limits.max_item_duration) {
    return refusal{codes::quota_duration,
                   "This item is " + format_duration(item.duration) + " long; at most " +
                       format_duration(limits.max_item_duration) + " is accepted",
                   {limits.max_item_duration, item.duration}};
  }
  return std::nullopt;
}

std::string minutes_text(std::int64_t milliseconds) {
  const std::int64_t minutes = (milliseconds + 59'999) / 60'000;
  return std::to_string(minutes) + (minutes == 1 ? " minute" : " minutes");
}

std::optional<refusal> duplicate_refusal(const channel_state& channel, const new_item& item,
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

queue_item to_queue_item(const new_item& item, const adder& by, std::int64_t now) {
  return {.id = {},
          .media = item.media,
          .title = item.title,
          .duration = item.duration,
          .added_by = by.user,
          .added_at = now,
          .thumbnail_url = item.thumbnail_url,
          .channel_name = item.channel_name,
          .exempt = by.exempt};
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
  return "You can only have " + format_limit(limits.quota.max_duration_per_user) +
         " of content queued; with it you have " + format_duration(used);
}

// Each may end, and be one more play of its user: storage takes a thousand operations at once.
constexpr std::size_t most_settled = 300;

// A title may be the very placeholder.
bool is_described_by(const queue_item& item, const media_metadata& about) {
  return item.title == about.title && item.duration == about.duration &&
         item.thumbnail_url == about.thumbnail_url && item.channel_name == about.channel_name;
}

// What is taken of one or more items, and what is not.
struct chosen_items {
  change decided;
  std::optional<refusal> refused = {};  // the first one
  std::size_t left_out = 0;
  std::size_t other_reasons = 0;
  bool full = false;
};

chosen_items choose_items(const channel_state& channel, const std::vector<new_item>& items,
                          const adder& by, const queue_limits& limits, std::int64_t now) {
  chosen_items chosen{change(channel)};
  enum class check { media, length, duplicate, room };
  std::pair<check, std::string> first_reason;
  const auto leave_out = [&](check failed, refusal why) {
    std::pair<check, std::string> reason(failed, why.code);
    if (chosen.left_out++ == 0) {
      first_reason = std::move(reason);
      chosen.refused = std::move(why);
    } else if (reason != first_reason) {
      ++chosen.other_reasons;
    }
  };
  adder counted = by;
  // Of a list, so many are tried as its adder may have; those behind them are not missed.
  const auto usage = static_cast<std::int64_t>(usage_of(channel, by.user).items);
  std::int64_t tries = std::max<std::int64_t>(1, limits.quota.max_items_per_user - usage);
  if (by.exempt) tries = std::numeric_limits<std::int64_t>::max();
  for (auto item = items.begin(); item != items.end() && tries > 0; ++item) {
    const channel_state& after = chosen.decided.after();
    if (auto why = media_refusal(limits, *item, by.exempt)) {
      const bool by_length = why->numbers.has_value();
      leave_out(by_length ? check::length : check::media, std::move(*why));
    } else if (auto known = duplicate_refusal(after, *item, limits, now)) {
      leave_out(check::duplicate, std::move(*known));
    } else if (auto room = room_refusal(after, item->duration, counted, limits, now)) {
      leave_out(check::room, std::move(*room));
      chosen.full = true;
      --tries;
    } else {
      chosen.decided.append(to_queue_item(*item, by, now));
      counted.adds.clear();
      --tries;
    }
  }
  chosen.full = chosen.full || tries == 0;
  return chosen;
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

std::optional<refusal> room_refusal(const channel_state& channel, std::int64_t duration,
                                    const adder& by, const queue_limits& limits, std::int64_t now) {
  if (!by.exempt) {
    const user_usage usage = usage_of(channel, by.user);
    if (auto refused = quota_refusal(limits.quota, usage, duration, by.adds, now)) return refused;
  }
  const auto waiting = static_cast<std::int64_t>(channel.waiting.size());
  if (waiting < limits.max_queue_size) return std::nullopt;
  return refusal{codes::queue_full,
                 "Queue is full! It holds " + std::to_string(limits.max_queue_size) + " items",
                 {limits.max_queue_size, waiting}};
}

result<add_outcome> add_all(const channel_state& channel, const std::vector<new_item>& items,
                            const adder& by, const queue_limits& limits, std::int64_t now) {
  chosen_items chosen = choose_items(channel, items, by, limits, now);
  change& decided = chosen.decided;
  if (decided.added().empty()) return *chosen.refused;
  decided.start_next(now);
  std::vector<queue_item> added = decided.added();
  const auto place = find_waiting(decided.after(), added.front().id);
  return add_outcome{std::move(decided),
                     std::move(added),
                     place ? *place + 1 : 1,
                     chosen.left_out,
                     chosen.refused ? chosen.refused->message : std::string(),
                     chosen.other_reasons,
                     chosen.full};
}

bool fills_up(const channel_state& channel, const std::vector<new_item>& items, const adder& by,
              const queue_limits& limits, std::int64_t now) {
  return choose_items(channel, items, by, limits, now).full;
}

settle_outcome settle(const channel_state& channel, const media_link& media,
                      const media_metadata& about, const queue_limits& limits, std::int64_t now) {
  settle_outcome outcome;
  std::vector<queue_item> waits;
  const auto look = [&](const queue_item& item) {
    if (item.media != media || !is_undescribed(item) || is_described_by(item, about)) return;
    outcome.more = outcome.more || waits.size() == most_settled;
    if (!outcome.more) waits.push_back(item);
  };
  if (channel.playing) look(channel.playing->item);
  for (const waiting_item& waiting : channel.waiting) look(waiting.item);
  if (waits.empty()) return {};

  change& decided = outcome.change.emplace(channel);
  std::set<std::string> freed;  // users, of whom items that waited are gone
  for (const queue_item& item : waits) {
    decided.describe(item.id, about);
    if (item.exempt) continue;
    queue_item described = decided.described().back();
    std::string reason = late_refusal(decided.after(), described, limits);
    if (reason.empty()) continue;
    if (const auto index = find_waiting(decided.after(), item.id)) {
      decided.remove(*index, {});
      freed.insert(item.added_by);
    } else {
      decided.play_next(skipped_at(*decided.after().playing, now), now);
    }
    outcome.removed.push_back({std::move(described), std::move(reason)});
  }
  decided.settle_turns(freed);
  return outcome;
}

}  // namespace rosey::playlist
