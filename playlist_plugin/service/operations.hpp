// What can be done to a queue, whoever asks: chat commands and other plugins' requests take the
// same way and differ only in how the outcome is told.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "playlist_plugin/config.hpp"
#include "playlist_plugin/domain/queue_rules.hpp"
#include "playlist_plugin/service/adding.hpp"
#include "playlist_plugin/service/channels.hpp"
#include "playlist_plugin/service/presence.hpp"

namespace rosey::playlist {

// An outcome that is known already, where a coroutine is expected.
inline boost::asio::awaitable<result<boost::json::object>> ready(
    result<boost::json::object> known) {
  co_return known;
}

class operations {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using reply = result<boost::json::object>;

  operations(channels& channels, playlist_storage& storage, adding& adding, presence& presence,
             clock& time, const plugin_config& config);

  // `url` as a person typed it.
  awaitable<reply> add(origin from, std::string url, requester by, presenter<add_outcome> present) {
    return adding_.add(std::move(from), std::move(url), std::move(by), std::move(present));
  }
  awaitable<reply> remove(origin from, std::string named, actor by,
                          presenter<remove_outcome> present);
  awaitable<reply> move(origin from, std::string named, std::string after, actor by,
                        presenter<move_outcome> present);
  awaitable<reply> shuffle(origin from, actor by, presenter<shuffle_outcome> present);
  awaitable<reply> clear(origin from, actor by, presenter<clear_outcome> present);
  awaitable<reply> skip(origin from, actor by, presenter<skip_outcome> present);
  awaitable<reply> vote_skip(origin from, std::string user, presenter<vote_outcome> present);

  // What players report: `position` in seconds, and in milliseconds.
  awaitable<reply> player_finished(origin from, std::string item_id,
                                   std::optional<std::int64_t> position,
                                   presenter<player_outcome> present);
  awaitable<reply> player_position(origin from, std::string item_id, std::int64_t position,
                                   presenter<player_outcome> present);

  awaitable<result<channels::snapshot>> read(std::string channel, std::int64_t at_least = 0) {
    return channels_.read(std::move(channel), at_least);
  }
  awaitable<std::vector<history_entry>> history(std::string channel, std::int64_t limit) {
    return playlist_storage_.history(std::move(channel), limit);
  }
  awaitable<std::optional<user_stats>> stats(std::string user) {
    return playlist_storage_.stats(std::move(user));
  }

  // The user is present in the channel, and counts for votes.
  void saw(const std::string& channel, const std::string& user) { presence_.saw(channel, user); }
  // The user counts no more.
  void left(const std::string& channel, const std::string& user) { presence_.left(channel, user); }
  // Withdraws the vote of a user who has left.
  awaitable<reply> withdraw_vote(origin from, std::string user);

  std::int64_t now() const { return clock_.now(); }
  const playback_config& playing() const { return playback_config_; }

 private:
  // Learns who is there, where there are votes to count.
  awaitable<void> look_around(channels::snapshot channel);
  vote_terms vote_terms_in(const std::string& channel, std::int64_t now) const;

  channels& channels_;
  playlist_storage& playlist_storage_;
  adding& adding_;
  presence& presence_;
  clock& clock_;
  vote_config vote_config_;
  playback_config playback_config_;
  std::mt19937_64 random_;
};

}  // namespace rosey::playlist
