// The decisions, each of them a few lines over the steps of a change.
#include "playlist_plugin/domain/queue_rules.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "playlist_plugin/domain/playback.hpp"
#include "playlist_plugin/domain/text.hpp"

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

bool may_touch_all(const channel_state& channel, const std::vector<std::size_t>& chosen,
                   const actor& by) {
  return std::all_of(chosen.begin(), chosen.end(),
                     [&](std::size_t index) { return may_touch(channel.waiting[index].item, by); });
}

// Whoever has no name is no user but a program, which means those of everybody.
std::vector<std::size_t> all_waiting_of(const channel_state& channel, const std::string& user) {
  std::vector<std::size_t> all;
  for (std::size_t index = 0; index < channel.waiting.size(); ++index) {
    if (user.empty() || channel.waiting[index].item.added_by == user) all.push_back(index);
  }
  return all;
}

// Such a queue is not ours: no setting lets one grow as long.
error too_long(const std::string& done) {
  return {codes::queue_full, "This queue is too long to be " + done + "; at most " +
                                 std::to_string(most_reordered) + " items can be put in order"};
}

void expire_votes(change& decided, const vote_terms& terms) {
  const std::vector<skip_vote> votes = decided.after().votes;
  for (const skip_vote& vote : votes) {
    const auto left = terms.left.find(vote.user);
    const bool is_gone = left != terms.left.end() && left->second >= std::min(vote.at, terms.now);
    const bool is_over = vote.at < terms.oldest || vote.at > terms.newest;
    if (is_gone || is_over) decided.withdraw_vote(vote.user, terms.needed);
  }
}

bool pass_if_enough(change& decided, const vote_terms& terms, std::int64_t now) {
  const channel_state& channel = decided.after();
  if (channel.votes.empty() || channel.votes.size() < terms.needed) return false;
  decided.pass_vote(terms.needed);
  decided.play_next(skipped_at(*channel.playing, now), now);
  return true;
}

}  // namespace

result<remove_outcome> remove(const channel_state& channel, const std::string& named,
                              const actor& by) {
  if (is_playing(channel, named)) {
    return error{codes::not_found, "Item '" + named + "' is playing now; !skip ends it"};
  }
  std::vector<std::size_t> chosen;
  if (named == "all") {
    chosen = all_waiting_of(channel, by.user);
  } else if (named.empty()) {
    if (const auto newest = newest_waiting_of(channel, by.user)) chosen = {*newest};
  } else if (auto range = find_range(channel, named)) {
    chosen = std::move(*range);
  } else {
    return not_found(named);
  }
  if (chosen.empty()) {
    return error{codes::not_found,
                 by.user.empty() ? "Nothing is waiting" : "You have nothing in the queue"};
  }
  if (!may_touch_all(channel, chosen, by)) {
    return error{codes::forbidden, "You can only remove your own items"};
  }
  change decided(channel);
  std::vector<queue_item> removed;
  for (auto index = chosen.rbegin(); index != chosen.rend(); ++index) {
    removed.push_back(decided.remove(*index, by.user));
  }
  std::reverse(removed.begin(), removed.end());
  std::set<std::string> freed;  // users
  for (const queue_item& item : removed) freed.insert(item.added_by);
  decided.settle_turns(freed);
  return remove_outcome{std::move(decided), std::move(removed)};
}

result<move_outcome> move(const channel_state& channel, const std::string& named,
                          const std::string& after, const actor& by) {
  if (is_playing(channel, named)) {
    return error{codes::not_found,
                 "Item '" + named + "' is playing now; only what waits can be moved"};
  }
  const auto chosen = find_range(channel, named);
  if (!chosen) return not_found(named);
  if (!may_touch_all(channel, *chosen, by)) {
    return error{codes::forbidden, "You can only move your own items"};
  }
  if (channel.order == queue_order::fair && !by.moderator) {
    return error{codes::forbidden, "Only moderators move items here: everybody plays in turn"};
  }
  if (channel.waiting.size() > most_reordered) return too_long("moved in");
  std::string behind;  // "" for the start
  // Behind the playing item is the start of what waits.
  if (after != "start" && !is_playing(channel, after)) {
    const auto index = find_waiting(channel, after);
    if (!index) return not_found(after);
    if (std::find(chosen->begin(), chosen->end(), *index) != chosen->end()) {
      return error{codes::usage, "An item cannot be moved behind itself"};
    }
    behind = channel.waiting[*index].item.id;
  }
  change decided(channel);
  std::vector<queue_item> moved;
  for (const std::size_t index : *chosen) {
    moved.push_back(channel.waiting[index].item);
    std::optional<std::size_t> place;
    if (!behind.empty()) place = find_waiting(decided.after(), behind);
    behind = moved.back().id;
    decided.move(*find_waiting(decided.after(), behind), place, by.user);
  }
  return move_outcome{std::move(decided), std::move(moved)};
}

std::vector<upcoming_item> upcoming_of(const channel_state& channel, const std::string& user,
                                       const playback_config& config, std::int64_t now) {
  std::vector<upcoming_item> found;
  std::int64_t seconds = 0;
  std::int64_t limited = 0;  // at most, for those of unknown duration
  std::size_t unknown = 0;
  const auto pass = [&](const queue_item& item, std::size_t number, std::int64_t played) {
    if (item.added_by == user) {
      found.push_back({item, number, seconds, unknown});
      if (unknown > 0 && config.max_unknown_duration > 0) found.back().at_most = seconds + limited;
    }
    if (item.duration <= 0) {
      ++unknown;
      limited += std::max<std::int64_t>(0, config.max_unknown_duration - played);
    }
    seconds += std::max<std::int64_t>(0, item.duration - played);
  };
  if (channel.playing) pass(channel.playing->item, 0, seconds_played(*channel.playing, now));
  for (std::size_t index = 0; index < channel.waiting.size(); ++index) {
    pass(channel.waiting[index].item, index + 1, 0);
  }
  return found;
}

result<shuffle_outcome> shuffle(const channel_state& channel, const actor& by,
                                const std::function<std::size_t(std::size_t)>& below) {
  const std::size_t count = channel.waiting.size();
  if (count < 2) return error{codes::too_few_items, "Need at least 2 items to shuffle"};
  if (count > most_reordered) return too_long("shuffled");
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
  decided.play_next(skipped_at(*channel.playing, now), now);
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
  if (end) {
    decided.play_next(*end, now);
  } else {
    decided.start_next(now);
  }
  return decided;
}

result<player_outcome> player_finished(const channel_state& channel, const std::string& item_id,
                                       std::optional<std::int64_t> position, std::int64_t now) {
  if (!is_playing(channel, item_id)) return not_playing(item_id);
  change decided(channel);
  decided.play_next(ended_by_player(*channel.playing, position, now), now);
  std::optional<queue_item> next = now_playing(decided.after());
  return player_outcome{std::move(decided), std::move(next)};
}

result<player_outcome> player_position(const channel_state& channel, const std::string& item_id,
                                       std::int64_t position, std::int64_t now) {
  if (!is_playing(channel, item_id)) return not_playing(item_id);
  const std::int64_t duration = channel.playing->item.duration * 1000;
  if (duration > 0) position = std::min(position, duration);
  const std::int64_t started_at = now - position;
  const std::int64_t drift = std::abs(started_at - channel.playing->started_at);
  player_outcome outcome{std::nullopt, channel.playing->item};
  if (drift < tolerated_drift) return outcome;
  outcome.change.emplace(channel);
  outcome.change->correct_start(started_at);
  return outcome;
}

}  // namespace rosey::playlist
