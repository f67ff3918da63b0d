// The channels as this instance knows them: cached, changed one command after the other, and always
// stored before anybody hears of it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "playlist_plugin/async_mutex.hpp"
#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/domain/change.hpp"
#include "playlist_plugin/domain/refusal.hpp"
#include "playlist_plugin/service/play_clock.hpp"
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

// All coroutines throw sdk::storage_unavailable when storage does not do its part; the channel is
// then read again before its next use. Storage that refuses does so to one command, and whoever
// waits for the channel behind it tries by himself. When it has kept silent for as long as a
// command can wait, those who wait are told the same without another try: so everybody is answered
// in time, however many there are. Commands that cannot be answered in time for another reason are
// refused as codes::busy.
class channels {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using snapshot = std::shared_ptr<const channel_state>;

  channels(const sdk::context& context, playlist_storage& storage, clock& time,
           const playback_config& config, queue_order order);

  // Told of each channel in which something else may play than before, or with another end.
  void on_change(std::function<void(const std::string& channel)> listener);

  // Told of each change that this instance has stored.
  void on_stored(std::function<void(const playlist::change&, const origin&)> listener);

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
    return channel.playing ? playlist::end_of(*channel.playing, config_) : std::nullopt;
  }

 private:
  // The answer, and whether it is still to be stored.
  struct conclusion {
    result<boost::json::object> answer;
    bool changes_nothing = false;
  };

  // A change that storage was given, and has not answered.
  struct unsettled_change {
    playlist::change what;
    origin from;
    std::int64_t now = 0;
    std::string request_id;
    std::string stamp;
  };

  struct entry {
    explicit entry(const boost::asio::any_io_executor& executor) : mutex(executor) {}

    async_mutex mutex;
    snapshot state;                 // null: to be read from storage
    play_clock started;             // of what plays
    std::int64_t newest_known = 0;  // version that an event told of
    std::int64_t confirmed_at =
        0;  // by the steady clock: when storage or an event said last that `state` is true
    std::uint64_t silences = 0;        // times that storage gave no answer in time
    std::int64_t loaded_version = -1;  // that was read last

    // All of them lead to the same version, so one of them at most is carried out.
    std::vector<unsettled_change> unsettled;
    std::int64_t answered_at = 0;  // when storage first answered again; 0: not yet
  };

  struct cached {
    std::shared_ptr<entry> at;
    std::list<std::string>::iterator use;
  };

  void forget_unused();
  std::shared_ptr<entry> find(const std::string& channel);
  void forget(const std::string& channel, entry& at);
  bool is_confirmed(const entry& at) const;

  // One's turn at the channel, within the time that a command has for that.
  awaitable<result<async_mutex::guard>> enter(std::shared_ptr<entry> at);
  void fail_if_storage_was_silent_meanwhile(const entry& at, std::uint64_t silences_before) const;
  // The caller of these holds the entry's mutex.
  template <class T>
  awaitable<T> noting_silence(std::shared_ptr<entry> at, awaitable<T> work);
  awaitable<snapshot> refresh(std::string channel, std::shared_ptr<entry> at);
  awaitable<std::optional<boost::json::object>> find_answer(origin from, std::shared_ptr<entry> at);
  // Does not need the mutex.
  awaitable<result<boost::json::object>> keep(origin from, std::shared_ptr<entry> at,
                                              result<boost::json::object> answer);
  // The channel was read at this version: what has led there, and what never will, is known now.
  awaitable<void> settle(std::shared_ptr<entry> at, std::int64_t version);
  // Of the tries with this id, the one with this stamp was carried out, the others never will be.
  void conclude(entry& at, const std::string& request_id, const std::string& stamp,
                bool was_answered);
  awaitable<snapshot> let_time_pass(std::string channel, std::shared_ptr<entry> at);
  // The start of what plays moves along with a wall clock that is set.
  void follow_clock(entry& at) const;
  // Gives up at `deadline`, by the steady clock.
  awaitable<conclusion> decide_and_store(origin from, decider decide, preparation prepare,
                                         std::shared_ptr<entry> at, std::int64_t deadline);
  awaitable<store_outcome> store(std::shared_ptr<entry> at, origin from, decision decided,
                                 std::int64_t now);
  // Of no other try.
  std::string next_stamp();
  // Lets others go first: longer and less predictably with each failed try.
  awaitable<void> back_off(int tries);
  // Keeps a change of which nobody knows whether it is carried out.
  void remember(entry& at, unsettled_change left);
  // Everybody hears of what is stored.
  void tell(const playlist::change& stored, const origin& from, std::int64_t now) const;
  void publish(const playlist::change& stored, std::int64_t now) const;
  void notify(const std::string& channel) const;

  sdk::context context_;
  playlist_storage& storage_;
  clock& clock_;
  playback_config config_;
  queue_order order_;
  std::function<void(const std::string&)> listener_;
  std::function<void(const playlist::change&, const origin&)> stored_listener_;
  std::function<void(const loaded_channel&)> loaded_listener_;
  std::mt19937 random_{std::random_device{}()};
  std::string own_name_;           // no other instance has it
  std::uint64_t stores_ = 0;       // so far
  std::list<std::string> by_use_;  // the latest first
  std::map<std::string, cached> entries_;
};

}  // namespace rosey::playlist
