// Who is there to vote, remembered in storage, so that a restart and other instances count the same
// people.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/domain/votes.hpp"
#include "playlist_plugin/storage/playlist_storage.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

// Connectors tell every instance who comes, speaks and goes, but commands reach one of them. Each
// writes what it has seen some seconds later, in the background, and before it goes; what is stored
// is read along with the channel, and again where it decides.
class presence {
 public:
  presence(const sdk::context& context, playlist_storage& storage, clock& time,
           const vote_config& config);

  void saw(const std::string& channel, const std::string& user);
  void left(const std::string& channel, const std::string& user);
  void loaded(const loaded_channel& channel);

  // Learns what other instances have written. Throws sdk::storage_unavailable.
  boost::asio::awaitable<void> refresh(std::string channel);

  // Begins to write at once what was going to be written later.
  void stop();

  // Users that have left, and when they did.
  std::map<std::string, std::int64_t> left_from(const std::string& channel) const;

  // Users that count.
  std::size_t count(const std::string& channel) const;

 private:
  void write_soon(const std::string& channel);
  boost::asio::awaitable<void> write_later(std::string channel);
  boost::asio::awaitable<void> write(std::string channel);

  sdk::context context_;
  playlist_storage& storage_;
  clock& clock_;
  std::int64_t window_;  // milliseconds
  active_users users_;
  std::set<std::string> waiting_;  // channels that are going to be written
};

}  // namespace rosey::playlist
