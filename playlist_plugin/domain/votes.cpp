// Vote arithmetic and presence.
#include "playlist_plugin/domain/votes.hpp"

#include <algorithm>
#include <cmath>

namespace rosey::playlist {

std::size_t votes_needed(const vote_config& config, std::size_t active_users) {
  // 0.1 * 30 is a little more than 3 in binary; that must not cost a fourth vote.
  const double share = config.skip_threshold * static_cast<double>(active_users) - 1e-9;
  const auto by_share = static_cast<std::int64_t>(std::ceil(share));
  return static_cast<std::size_t>(std::max(config.min_skip_votes, by_share));
}

vote_terms terms_of(const vote_config& config, std::size_t active_users, std::int64_t now) {
  vote_terms terms;
  terms.needed = votes_needed(config, active_users);
  terms.now = now;
  if (config.expiry_seconds > 0) {
    terms.oldest = now - config.expiry_seconds * 1000;
    terms.newest = now + config.expiry_seconds * 1000;
  }
  return terms;
}

void active_users::saw(const std::string& channel, const std::string& user, std::int64_t now) {
  forget_silent(now);
  last_seen_[channel][user] = {now, true};
}

void active_users::left(const std::string& channel, const std::string& user, std::int64_t now) {
  forget_silent(now);
  last_seen_[channel][user] = {now, false};
}

void active_users::merge(const std::string& channel, const sightings& others, std::int64_t now) {
  forget_silent(now);
  for (const auto& [user, seen] : others) {
    if (seen.at <= now - window_) continue;
    sighting& known = last_seen_[channel].try_emplace(user, sighting{0, false}).first->second;
    if (seen.at > known.at) known = seen;
  }
}

sightings active_users::seen_in(const std::string& channel, std::int64_t now) const {
  const auto known = last_seen_.find(channel);
  if (known == last_seen_.end()) return {};
  sightings recent = known->second;
  std::erase_if(recent, [&](const auto& user) { return user.second.at <= now - window_; });
  return recent;
}

bool active_users::tells(const std::string& channel, const std::string& user, bool there,
                         std::int64_t since) const {
  const auto known = last_seen_.find(channel);
  if (known == last_seen_.end()) return false;
  const auto seen = known->second.find(user);
  return seen != known->second.end() && seen->second.there == there && seen->second.at >= since;
}

std::size_t active_users::count(const std::string& channel, std::int64_t now) const {
  const sightings recent = seen_in(channel, now);
  return static_cast<std::size_t>(std::count_if(
      recent.begin(), recent.end(), [](const auto& user) { return user.second.there; }));
}

std::map<std::string, std::int64_t> active_users::left_from(const std::string& channel,
                                                            std::int64_t now) const {
  std::map<std::string, std::int64_t> left;
  for (const auto& [user, seen] : seen_in(channel, now)) {
    if (!seen.there) left.emplace(user, seen.at);
  }
  return left;
}

void active_users::forget_silent(std::int64_t now) {
  if (now < swept_at_ + window_) return;
  swept_at_ = now;
  for (auto& [channel, seen] : last_seen_) {
    std::erase_if(seen, [&](const auto& user) { return user.second.at <= now - window_; });
  }
  std::erase_if(last_seen_, [](const auto& channel) { return channel.second.empty(); });
}

}  // namespace rosey::playlist
