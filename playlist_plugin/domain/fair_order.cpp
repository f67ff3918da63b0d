// Rounds are counted from the one that plays; only who has had a turn in it has to be remembered.
#include "playlist_plugin/domain/fair_order.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rosey::playlist {
namespace {

// Users who come, play one item and go would let a round last for ever.
constexpr std::size_t longest_round = 200;

std::size_t turns_of(const channel_state& channel, std::string_view user) {
  return static_cast<std::size_t>(
      std::count(channel.had_turn.begin(), channel.had_turn.end(), user));
}

// Whether everybody who waits has had a turn.
bool round_is_over(const channel_state& channel) {
  return std::all_of(channel.waiting.begin(), channel.waiting.end(), [&](const auto& waiting) {
    return turns_of(channel, waiting.item.added_by) > 0;
  });
}

// Gives each item of a user the round of its turn, one after the other.
class round_counter {
 public:
  explicit round_counter(const channel_state& channel) : channel_(channel) {}

  std::size_t next_of(const std::string& user) {
    const auto [known, first] = next_.try_emplace(user, 0);
    if (first) known->second = turns_of(channel_, user);
    return known->second++;
  }

 private:
  const channel_state& channel_;
  std::map<std::string_view, std::size_t> next_;
};

}  // namespace

std::size_t fair_place(const channel_state& channel, const std::string& user) {
  round_counter counter(channel);
  std::vector<std::size_t> rounds;
  for (const waiting_item& waiting : channel.waiting) {
    rounds.push_back(counter.next_of(waiting.item.added_by));
  }
  const std::size_t own = counter.next_of(user);
  for (std::size_t index = 1; index < rounds.size(); ++index) {
    if (rounds[index] > own) return index;
  }
  return rounds.size();
}

std::size_t fair_place_of(const channel_state& channel, std::size_t index) {
  round_counter counter(channel);
  std::vector<std::size_t> rounds;
  for (std::size_t at = 0; at <= index; ++at) {
    rounds.push_back(counter.next_of(channel.waiting[at].item.added_by));
  }
  for (std::size_t at = 1; at < index; ++at) {
    if (rounds[at] > rounds[index]) return at;
  }
  return index;
}

void take_turn(channel_state& channel, const std::string& user) {
  if (channel.had_turn.size() >= longest_round) channel.had_turn.clear();
  channel.had_turn.push_back(user);
  if (turns_of(channel, user) < 2 || !round_is_over(channel)) return;
  // A new round: one turn less for everybody.
  const std::set<std::string> users(channel.had_turn.begin(), channel.had_turn.end());
  for (const std::string& each : users) return_turn(channel, each);
}

void return_turn(channel_state& channel, const std::string& user) {
  const auto found = std::find(channel.had_turn.begin(), channel.had_turn.end(), user);
  if (found != channel.had_turn.end()) channel.had_turn.erase(found);
}

}  // namespace rosey::playlist
