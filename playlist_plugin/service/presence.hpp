// Who is there to vote, remembered in storage, so that a restart and other instances count the same
// people.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/domain/votes.hpp"
#include "playlist_plugin/storage/playlist_storage.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

// Connectors tell every instance who comes, speaks and goes, but commands reach one of them. Each
// writes what it has seen, in the background: a second later what storage does not know yet, so
// that others count the same people and a killed instance takes nobody along; some seconds later
// what only makes it newer; and the rest before it goes. What is stored is read along with the
// channel, and again where it decides.
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

  // Users that have left, and when they did, by the wall clock.
  std::map<std::string, std::int64_t> left_from(const std::string& channel) const;

  // Users that count.
  std::size_t count(const std::string& channel) const;

 private:
  // A channel that is going to be written.
  struct job {
    std::int64_t at;  // by the steady clock
    std::shared_ptr<boost::asio::steady_timer> alarm;
  };

  void write_within(const std::string& channel, std::int64_t milliseconds);
  boost::asio::awaitable<void> write_later(std::string channel, std::shared_ptr<job> self);
  boost::asio::awaitable<void> write(std::string channel);
  // What is stored is told by the wall clock, what is known here by the steady one.
  sightings as_seen_here(sightings stored) const;
  void learn(const std::string& channel, const sightings& seen);
  std::int64_t pause_before_news() const;

  sdk::context context_;
  playlist_storage& playlist_storage_;
  clock& clock_;
  std::int64_t window_;  // milliseconds
  active_users users_;
  active_users stored_;  // what storage was last seen to know
  bool failing_ = false;
  std::map<std::string, std::shared_ptr<job>> waiting_;  // by channel
};

}  // namespace rosey::playlist
