// Channels for the tests of decisions: a few items, by whom one likes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "playlist_plugin/domain/channel_state.hpp"
#include "playlist_plugin/domain/queue_rules.hpp"

namespace rosey::playlist::testing {

inline constexpr std::int64_t start_time = 1'700'000'000'000;  // 2023-11-14T22:13:20Z

inline const actor moderator{"mod", true};

inline queue_item item_of(std::int64_t number, std::string user, std::int64_t duration = 0) {
  return {.id = item_id(number),
          .media = {"yt", "video" + std::to_string(number)},
          .title = "Title " + std::to_string(number),
          .duration = duration,
          .added_by = std::move(user),
          .added_at = 1'700'000'000'000};
}

// q1 plays since start_time, q2 and up wait; one item for each user named.
inline channel_state channel_with(const std::vector<std::string>& users,
                                  std::int64_t duration = 0) {
  channel_state channel;
  channel.name = "#lobby";
  channel.version = 7;
  for (const std::string& user : users) {
    queue_item item = item_of(channel.next_item++, user, duration);
    if (!channel.playing) {
      channel.playing = playing_item{std::move(item), start_time};
    } else {
      const auto position = static_cast<std::int64_t>(channel.waiting.size()) + 1;
      channel.waiting.push_back({std::move(item), position});
    }
  }
  return channel;
}

inline std::vector<std::string> waiting_ids(const channel_state& channel) {
  std::vector<std::string> ids;
  for (const waiting_item& waiting : channel.waiting) ids.push_back(waiting.item.id);
  return ids;
}

inline std::vector<std::int64_t> positions(const channel_state& channel) {
  std::vector<std::int64_t> all;
  for (const waiting_item& waiting : channel.waiting) all.push_back(waiting.position);
  return all;
}

}  // namespace rosey::playlist::testing
