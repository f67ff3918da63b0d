// The channels as this instance knows them: changed one command after the other, and always stored
// before anybody hears of it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/domain/change.hpp"
#include "playlist_plugin/domain/refusal.hpp"
#include "playlist_plugin/service/channel_cache.hpp"
#include "playlist_plugin/service/channel_knowledge.hpp"
#include "playlist_plugin/service/channel_turns.hpp"
#include "playlist_plugin/service/event_publisher.hpp"
#include "playlist_plugin/storage/playlist_storage.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

// Where a request comes from, and how it is known again when it is sent twice.
struct origin {
  std::string channel;
  std::string request_id = {};     // "" for none; no other request has it
  std::int64_t attempt = 1;        // 2 and up: an earlier one may have been carried out
  bool answer_names_next = false;  // the reply tells the channel what starts by it
  // How a refusal is answered, and so stored with the request_id; null only without one.
  boost::json::object (*write_failure)(const refusal&) = nullptr;
};

// What a decision wants: the change to store, if any, and the reply once that is done.
struct decision {
  std::optional<playlist::change> change;
  boost::json::object reply;
  std::string charged_user = {};  // whose rate limit an add counts for; "" for none
};

// Called again with a newer state when another instance was first. Copyable; runs at once.
using decider = std::function<result<decision>(const channel_state&, std::int64_t now)>;

// Looks up what a decision needs beside the channel; called before each decision, while nobody
// else of this instance can change the channel.
using preparation =
    std::function<boost::asio::awaitable<void>(std::shared_ptr<const channel_state>)>;

// What is known of a channel and may be done next is decided by channel_knowledge; whose turn it
// is, by channel_turns. Here the two are joined with storage.
//
// All coroutines throw sdk::storage_unavailable when storage does not do its part; the channel is
// then read again before its next use. Storage that refuses does so to one command, and whoever
// waits for the channel behind it tries by himself. Commands that cannot be answered in time are
// refused as codes::busy.
class channels {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using snapshot = channel_knowledge::snapshot;

  channels(const sdk::context& context, playlist_storage& storage, clock& time,
           const playback_config& config, queue_order order);

  // Told of each channel in which something else may play than before, or with another end.
  void on_change(std::function<void(const std::string& channel)> listener);

  // Told of each change that this instance has stored, and whether a reply names what it starts.
  void on_stored(std::function<void(const playlist::change&, bool reply_names_next)> listener);

  // Told of each channel as it was read from storage, before anything is decided on it.
  void on_loaded(std::function<void(const loaded_channel&)> listener);

  // As it is known here; read again if that is not known to be true for longer than some seconds,
  // or is older than the version `at_least`.
  awaitable<result<snapshot>> read(std::string channel, std::int64_t at_least = 0);

  // The stored answer of this request, if it was carried out already.
  awaitable<result<std::optional<boost::json::object>>> earlier_answer(origin from);

  // Decides, stores, publishes the events; the reply tells of what is stored. A refusal is the
  // decision's own, or codes::busy. A decision that changes nothing, or refuses, is stored as the
  // answer to this request_id, see refuse().
  awaitable<result<boost::json::object>> change(origin from, decider decide,
                                                preparation prepare = {});

  // Refuses for this reason, unless the request was answered already: that answer is given. What
  // stands is stored with the request_id, so that an earlier attempt that comes late is answered
  // alike and does nothing. Not stored are refusals that say themselves to try again:
  // codes::rate_limited and codes::busy.
  awaitable<result<boost::json::object>> refuse(origin from, refusal reason);

  // Ends what is over and starts what comes next; the state after it. Waits as long as it takes.
  awaitable<snapshot> advance(std::string channel);

  // An event says that somebody has brought the channel to this version; `moves_the_end`: the end
  // of what plays there is another now, and has to be watched.
  void heard(const std::string& channel, std::int64_t version, bool moves_the_end);

  // Whether storage may still carry out a change whose answer did not come. Until that is known,
  // each use reads the channel again; the use that finds it carried out publishes its events.
  bool is_unsettled(const std::string& channel) const;

  // When what plays will be over, by the wall clock as it is set at present; nothing when it has no
  // end, or nothing plays.
  std::optional<std::int64_t> end_of(const channel_state& channel) const {
    return channel.playing ? playlist::end_of(*channel.playing, playback_config_) : std::nullopt;
  }

 private:
  struct entry {
    explicit entry(const boost::asio::any_io_executor& executor) : turns(executor) {}

    channel_turns turns;
    channel_knowledge knowledge;
  };
  using handle = std::shared_ptr<entry>;

  // The answer, and whether it is still to be stored.
  struct conclusion {
    result<boost::json::object> answer;
    bool changes_nothing = false;
  };

  // Those with the entry as an argument need its turn, but for keep_answer() and find_answer().

  // Does what the knowledge of the channel asks for until it can be used; null: given up.
  awaitable<snapshot> inform(std::string channel, handle at);
  awaitable<void> load(std::string channel, handle at);
  awaitable<void> look_up(std::string channel, std::string request_id, handle at);
  // Lets others go first, for not more than some milliseconds.
  awaitable<void> pause(std::int64_t longest);

  awaitable<snapshot> advance_now(std::string channel, handle at);
  awaitable<conclusion> change_unless_answered(origin from, decider decide, preparation prepare,
                                               handle at);
  // Gives up at the deadline, by the steady clock.
  awaitable<conclusion> decide_and_store(origin from, decider decide, preparation prepare,
                                         std::int64_t deadline, handle at);
  // Nothing: decide again.
  awaitable<std::optional<boost::json::object>> store(origin from, decision decided, clock_time now,
                                                      handle at);
  awaitable<std::optional<boost::json::object>> find_answer(origin from, handle at);
  awaitable<result<boost::json::object>> keep_answer(origin from,
                                                     result<boost::json::object> answer, handle at);

  // Of no other try.
  std::string next_stamp();
  void publish(const std::string& channel, const std::optional<sent_change>& stored) const;
  void notify(const std::string& channel) const;

  sdk::context context_;
  playlist_storage& playlist_storage_;
  clock& clock_;
  playback_config playback_config_;
  queue_order order_;
  event_publisher event_publisher_;
  std::function<void(const std::string&)> change_listener_;
  std::function<void(const playlist::change&, bool)> stored_listener_;
  std::function<void(const loaded_channel&)> loaded_listener_;
  std::mt19937 random_{std::random_device{}()};
  std::string own_name_;      // no other instance has it
  std::uint64_t stamps_ = 0;  // so far
  channel_cache<entry> channel_cache_;
};

}  // namespace rosey::playlist
