// The decisions, each of them a few lines over the steps of a change.
#include "playlist_plugin/domain/queue_rules.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>
#include <vector>

#include "playlist_plugin/domain/playback.hpp"
#include "playlist_plugin/domain/text.hpp"
#include "playlist_plugin/domain/timestamp.hpp"

namespace rosey::playlist {
namespace {

constexpr std::int64_t tolerated_drift = 2000;  // milliseconds between a player and our clock
constexpr std::size_t longest_echo = 64;        // characters of a person's own words in a refusal

error not_found(const std::string& named) {
  return {codes::not_found,
          "Item '" + truncate_utf8(printable(named), longest_echo) + "' not found"};
}

error not_playing(const std::string& item_id) {
  return {codes::not_found,
          "Item '" + truncate_utf8(printable(item_id), longest_echo) + "' is not playing"};
}

std::optional<queue_item> now_playing(const channel_state& channel) {
  if (!channel.playing) return std::nullopt;
  return channel.playing->item;
}

bool may_touch(const queue_item& item, const actor& by) {
  return by.moderator || item.added_by == by.user;
}

bool is_playing(const channel_state& channel, const std::string& named) {
  return channel.playing && channel.playing->item.id == named;
}

void expire_votes(change& decided, const vote_terms& terms) {
  const std::vector<skip_vote> votes = decided.after().votes;
  for (const skip_vote& vote : votes) {
    if (vote.at < terms.oldest) decided.withdraw_vote(vote.user, terms.needed);
  }
}

bool pass_if_enough(change& decided, const vote_terms& terms, std::int64_t now) {
  const channel_state& channel = decided.after();
  if (channel.votes.empty() || channel.votes.size() < terms.needed) return false;
  decided.pass_vote(terms.needed);
  decided.finish(skipped_at(*channel.playing, now));
  decided.start_next(now);
  return true;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::optional<error> media_refusal(const queue_limits& limits, const new_item& item) {
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
  return std::nullopt;
}

}  // namespace

result<add_outcome> add(const channel_state& channel, const new_item& item, const std::string& user,
                        const queue_limits& limits, const add_times& adds, std::int64_t now) {
  if (const auto refusal = media_refusal(limits, item)) return *refusal;
  if (const auto refusal =
          quota_refusal(limits.quota, usage_of(channel, user), item.duration, adds, now)) {
    return *refusal;
  }
  if (static_cast<std::int64_t>(channel.waiting.size()) >= limits.max_queue_size) {
    return error{codes::queue_full, "Queue is full!"};
  }
  change decided(channel);
  decided.append({.id = {},
                  .media = item.media,
                  .title = item.title,
                  .duration = item.duration,
                  .added_by = user,
                  .added_at = iso_timestamp(now)});
  decided.start_next(now);
  const std::size_t number = std::max<std::size_t>(1, decided.after().waiting.size());
  queue_item added = *decided.added();
  return add_outcome{std::move(decided), std::move(added), number};
}

result<remove_outcome> remove(const channel_state& channel, const std::string& named,
                              const actor& by) {
  if (is_playing(channel, named)) {
    return error{codes::not_found, "Item '" + named + "' is playing now; !skip ends it"};
  }
  const auto index =
      named.empty() ? newest_waiting_of(channel, by.user) : find_waiting(channel, named);
  if (!index && named.empty()) {
    return error{codes::not_found, "You have nothing in the queue"};
  }
  if (!index) return not_found(named);
  if (!may_touch(channel.waiting[*index].item, by)) {
    return error{codes::forbidden, "You can only remove your own items"};
  }
  change decided(channel);
  queue_item removed = decided.remove(*index, by.user);
  return remove_outcome{std::move(decided), std::move(removed)};
}

result<move_outcome> move(const channel_state& channel, const std::string& named,
                          const std::string& after, const actor& by) {
  const auto from = find_waiting(channel, named);
  if (!from) return not_found(named);
  if (!may_touch(channel.waiting[*from].item, by)) {
    return error{codes::forbidden, "You can only move your own items"};
  }
  std::optional<std::size_t> behind;
  // Behind the playing item is the start of what waits.
  if (after != "start" && !is_playing(channel, after)) {
    behind = find_waiting(channel, after);
    if (!behind) return not_found(after);
    if (*behind == *from) {
      return error{codes::usage, "An item cannot be moved behind itself"};
    }
  }
  change decided(channel);
  decided.move(*from, behind, by.user);
  return move_outcome{std::move(decided), channel.waiting[*from].item};
}

result<shuffle_outcome> shuffle(const channel_state& channel, const actor& by,
                                const std::function<std::size_t(std::size_t)>& below) {
  const std::size_t count = channel.waiting.size();
  if (count < 2) return error{codes::too_few_items, "Need at least 2 items to shuffle"};
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t last = count - 1; last > 0; --last)
    std::swap(order[last], order[below(last + 1)]);
  change decided(channel);
  decided.shuffle(order, by.user);
  return shuffle_outcome{std::move(decided), count};
}

clear_outcome clear(const channel_state& channel, const actor& by) {
  if (channel.waiting.empty()) return {std::nullopt, 0};
  change decided(channel);
  decided.clear(by.user);
  return {std::move(decided), channel.waiting.size()};
}

result<skip_outcome> skip(const channel_state& channel, const actor& by, std::int64_t now) {
  if (!channel.playing) return error{codes::nothing_playing, "Nothing is playing!"};
  if (!may_touch(channel.playing->item, by)) {
    return error{codes::forbidden, "You can only skip your own items; !voteskip asks the others"};
  }
  change decided(channel);
  decided.finish(skipped_at(*channel.playing, now));
  decided.start_next(now);
  std::optional<queue_item> next = now_playing(decided.after());
  return skip_outcome{std::move(decided), std::move(next)};
}

result<vote_outcome> vote_skip(const channel_state& channel, const std::string& user,
                               const vote_terms& terms, std::int64_t now) {
  if (!channel.playing) return error{codes::nothing_playing, "Nothing is playing!"};
  change decided(channel);
  expire_votes(decided, terms);
  const auto& votes = decided.after().votes;
  if (std::any_of(votes.begin(), votes.end(),
                  [&](const auto& vote) { return vote.user == user; })) {
    return error{codes::duplicate, "You already voted to skip!"};
  }
  decided.record_vote({user, now}, terms.needed);
  const std::size_t count = votes.size();
  const bool passed = pass_if_enough(decided, terms, now);
  return vote_outcome{std::move(decided), count, terms.needed, passed};
}

leave_outcome leave(const channel_state& channel, const std::string& user, const vote_terms& terms,
                    std::int64_t now) {
  if (channel.votes.empty() || !channel.playing) return {};
  change decided(channel);
  expire_votes(decided, terms);
  const auto& votes = decided.after().votes;
  if (std::any_of(votes.begin(), votes.end(),
                  [&](const auto& vote) { return vote.user == user; })) {
    decided.withdraw_vote(user, terms.needed);
  }
  const bool passed = pass_if_enough(decided, terms, now);
  if (!passed && decided.withdrawn().empty()) return {};
  return {std::move(decided)};
}

std::optional<change> advance(const channel_state& channel, const playback_config& config,
                              std::int64_t now) {
  const auto end = channel.playing ? natural_end(*channel.playing, config, now) : std::nullopt;
  const bool idle = !channel.playing && !channel.waiting.empty();
  if (!end && !idle) return std::nullopt;
  change decided(channel);
  if (end) decided.finish(*end);
  decided.start_next(now);
  return decided;
}

result<player_outcome> player_finished(const channel_state& channel, const std::string& item_id,
                                       std::optional<std::int64_t> position, std::int64_t now) {
  if (!is_playing(channel, item_id)) return not_playing(item_id);
  change decided(channel);
  decided.finish(ended_by_player(*channel.playing, position, now));
  decided.start_next(now);
  std::optional<queue_item> next = now_playing(decided.after());
  return player_outcome{std::move(decided), std::move(next)};
}

result<player_outcome> player_position(const channel_state& channel, const std::string& item_id,
                                       std::int64_t position, std::int64_t now) {
  if (!is_playing(channel, item_id)) return not_playing(item_id);
  const std::int64_t started_at = now - position;
  const std::int64_t drift = std::abs(started_at - channel.playing->started_at);
  player_outcome outcome{std::nullopt, channel.playing->item};
  if (drift < tolerated_drift) return outcome;
  outcome.change.emplace(channel);
  outcome.change->correct_start(started_at);
  return outcome;
}

}  // namespace rosey::playlist
