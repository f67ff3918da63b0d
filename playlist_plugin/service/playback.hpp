// Makes time pass in the channels: ends items whose duration is over and starts the next ones, also
// those that ended while nobody was running.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/service/channels.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

// Every instance watches every channel: whoever is first stores that an item has ended, the others
// find it done.
class playback {
 public:
  playback(const sdk::context& context, playlist_storage& storage, channels& channels, clock& time,
           std::chrono::milliseconds retry_interval);

  // Takes up the channels that storage knows, in the background, and tells of each; tries again
  // while it is away.
  void recover(std::function<void(const channel_state&)> recovered);

  // Looks at the channel now, and then until nothing plays there that has an end.
  void watch(const std::string& channel);

 private:
  using timer = boost::asio::steady_timer;

  struct watcher {
    std::shared_ptr<timer> alarm;
    bool poked = false;  // look again before waiting
  };

  boost::asio::awaitable<void> recover_all();
  // False when storage is away, or too many are at the channel.
  boost::asio::awaitable<bool> recover_one(std::string channel);
  boost::asio::awaitable<void> run(std::string channel, std::shared_ptr<watcher> self);
  boost::asio::awaitable<void> pause();

  sdk::context context_;
  playlist_storage& playlist_storage_;
  channels& channels_;
  clock& clock_;
  std::chrono::milliseconds retry_interval_;
  std::function<void(const channel_state&)> recovered_;
  std::map<std::string, std::shared_ptr<watcher>> watchers_;
};

}  // namespace rosey::playlist
