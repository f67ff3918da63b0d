// Joins what is known of a channel with storage: does what channel_knowledge says, and tells it
// what came of that.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>

#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/service/channel_knowledge.hpp"
#include "playlist_plugin/service/decision.hpp"
#include "playlist_plugin/service/event_publisher.hpp"
#include "playlist_plugin/storage/playlist_storage.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

// The caller keeps what is known of the channel until a coroutine is done, and has the turn at the
// channel, but for find_answer() and keep_answer(). All throw sdk::storage_unavailable when storage
// does not do its part; the channel is then read again before its next use.
class channel_driver {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using snapshot = channel_knowledge::snapshot;
  using reply = boost::json::object;

  // The answer, and whether it is still to be stored.
  struct conclusion {
    result<reply> answer;
    bool changes_nothing = false;
  };

  channel_driver(const sdk::context& context, playlist_storage& storage, clock& time,
                 queue_order order);

  // See channels.
  void on_change(std::function<void(const std::string& channel)> listener);
  void on_stored(std::function<void(const playlist::change&, bool reply_names_next)> listener);
  void on_loaded(std::function<void(const loaded_channel&)> listener);

  // Until the channel can be used; null: given up.
  awaitable<snapshot> inform(std::string channel, channel_knowledge& known);

  // Gives up at the deadline, by the steady clock: then it is refused as codes::busy.
  awaitable<conclusion> change(origin from, decider decide, preparation prepare,
                               std::int64_t deadline, channel_knowledge& known);

  // The stored answer of this request.
  awaitable<std::optional<reply>> find_answer(origin from, channel_knowledge& known);

  // Stores the answer of a request that changes nothing, if it stands; an earlier one goes before.
  awaitable<result<reply>> keep_answer(origin from, result<reply> answer, channel_knowledge& known);

  // Something else may play in the channel than before, or with another end.
  void notify(const std::string& channel) const;

 private:
  awaitable<void> load(std::string channel, channel_knowledge& known);
  awaitable<void> look_up(std::string channel, std::string request_id, channel_knowledge& known);
  // Lets others go first, for not more than some milliseconds.
  awaitable<void> pause(std::int64_t longest);
  // Nothing: decide again.
  awaitable<std::optional<reply>> store(origin from, decision decided, clock_time now,
                                        channel_knowledge& known);
  // Of no other try.
  std::string next_stamp();
  void publish(const std::string& channel, const std::optional<sent_change>& stored) const;

  sdk::context context_;
  playlist_storage& playlist_storage_;
  clock& clock_;
  queue_order order_;
  event_publisher event_publisher_;
  std::function<void(const std::string&)> change_listener_;
  std::function<void(const playlist::change&, bool)> stored_listener_;
  std::function<void(const loaded_channel&)> loaded_listener_;
  std::mt19937 random_{std::random_device{}()};
  std::string own_name_;      // no other instance has it
  std::uint64_t stamps_ = 0;  // so far
};

}  // namespace rosey::playlist
