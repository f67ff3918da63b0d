// Questions about a channel's queue that need no change.
#include "playlist_plugin/domain/channel_state.hpp"

#include <charconv>
#include <set>

namespace rosey::playlist {

user_usage usage_of(const channel_state& channel, std::string_view user) {
  user_usage usage;
  const auto count = [&](const queue_item& item) {
    if (item.added_by != user) return;
    ++usage.items;
    usage.duration += item.duration;
  };
  if (channel.playing) count(channel.playing->item);
  for (const waiting_item& waiting : channel.waiting) count(waiting.item);
  return usage;
}

queue_totals totals_of(const channel_state& channel) {
  queue_totals totals;
  std::set<std::string_view> users;
  const auto count = [&](const queue_item& item) {
    ++totals.items;
    totals.duration += item.duration;
    users.insert(item.added_by);
  };
  if (channel.playing) count(channel.playing->item);
  for (const waiting_item& waiting : channel.waiting) count(waiting.item);
  totals.users = users.size();
  return totals;
}

std::optional<std::size_t> find_waiting(const channel_state& channel, std::string_view named) {
  for (std::size_t index = 0; index < channel.waiting.size(); ++index) {
    if (channel.waiting[index].item.id == named) return index;
  }
  if (named.starts_with('#')) named.remove_prefix(1);
  std::size_t number = 0;
  const auto [end, failure] = std::from_chars(named.data(), named.data() + named.size(), number);
  if (failure != std::errc() || end != named.data() + named.size()) return std::nullopt;
  if (number < 1 || number > channel.waiting.size()) return std::nullopt;
  return number - 1;
}

std::optional<std::vector<std::size_t>> find_range(const channel_state& channel,
                                                   std::string_view named) {
  const auto dash = named.find('-');
  const auto first = find_waiting(channel, named.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? first : find_waiting(channel, named.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  std::vector<std::size_t> range;
  for (std::size_t index = *first; index <= *last; ++index) range.push_back(index);
  return range;
}

media_place find_media(const channel_state& channel, const media_link& media) {
  if (channel.playing && channel.playing->item.media == media) return {place::playing, 0};
  for (std::size_t index = 0; index < channel.waiting.size(); ++index) {
    if (channel.waiting[index].item.media == media) return {place::waiting, index + 1};
  }
  return {};
}

std::optional<std::size_t> newest_waiting_of(const channel_state& channel, std::string_view user) {
  // Ids are numbered as items are added: shuffling and moving do not change who is newest.
  const auto age = [](const waiting_item& waiting) {
    std::int64_t number = 0;
    const std::string& id = waiting.item.id;
    if (!id.empty()) std::from_chars(id.data() + 1, id.data() + id.size(), number);
    return number;
  };
  std::optional<std::size_t> newest;
  for (std::size_t index = 0; index < channel.waiting.size(); ++index) {
    if (channel.waiting[index].item.added_by != user) continue;
    if (!newest || age(channel.waiting[index]) > age(channel.waiting[*newest])) newest = index;
  }
  return newest;
}

}  // namespace rosey::playlist
