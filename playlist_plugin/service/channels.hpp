// The channels as this instance knows them: changed one command after the other, and always stored
// before anybody hears of it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/domain/playback.hpp"
#include "playlist_plugin/service/channel_cache.hpp"
#include "playlist_plugin/service/channel_driver.hpp"
#include "playlist_plugin/service/channel_knowledge.hpp"
#include "playlist_plugin/service/channel_turns.hpp"
#include "playlist_plugin/service/decision.hpp"
#include "playlist_plugin/storage/playlist_storage.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

// What is known of a channel and may be done next is decided by channel_knowledge; whose turn it
// is, by channel_turns; channel_driver asks storage.
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
  void on_change(std::function<void(const std::string& channel)> listener) {
    channel_driver_.on_change(std::move(listener));
  }

  // Told of each change that this instance has stored, and whether a reply names what it starts.
  void on_stored(std::function<void(const playlist::change&, bool reply_names_next)> listener) {
    channel_driver_.on_stored(std::move(listener));
  }

  // Told of each channel as it was read from storage, before anything is decided on it.
  void on_loaded(std::function<void(const loaded_channel&)> listener) {
    channel_driver_.on_loaded(std::move(listener));
  }

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

  // The caller of these has the turn.
  awaitable<snapshot> advance_now(std::string channel, handle at);
  awaitable<channel_driver::conclusion> change_unless_answered(origin from, decider decide,
                                                               preparation prepare, handle at);

  clock& clock_;
  playback_config playback_config_;
  channel_driver channel_driver_;
  channel_cache<entry> channel_cache_;
};

}  // namespace rosey::playlist
