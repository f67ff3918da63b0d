// The playlist's tables: reads channels, history and statistics, and writes each change of a
// channel as one batch that is applied only to the version it was decided on.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "playlist_plugin/domain/change.hpp"
#include "playlist_plugin/domain/channel_state.hpp"
#include "playlist_plugin/domain/votes.hpp"
#include "playlist_plugin/storage/quota_manager.hpp"
#include "playlist_plugin/storage/rows.hpp"
#include "rosey/sdk/storage_client.hpp"

namespace rosey::playlist {

struct channel_batch;

// A decided change on its way to storage.
struct pending_change {
  const playlist::change& what;
  std::int64_t now = 0;       // milliseconds since 1970
  std::string charged_user;   // whose rate limit it counts for; "" for none
  std::string request_id;     // storage applies it once
  std::string stamp;          // tells this try from every other one
  boost::json::object reply;  // stored with the request_id
};

// What is stored with a request_id.
struct stored_answer {
  std::string stamp;  // of the try that was applied
  boost::json::object reply;
};

enum class store_status {
  stored,
  stored_before,    // by this try, up to seconds ago: others may have changed the channel since
  channel_changed,  // by another instance: nothing was written, read the channel again
  user_outrun,      // has added elsewhere meanwhile: nothing was written, see look_up_adds()
  replayed,         // the request_id was applied by another try: nothing was written
};

struct store_outcome {
  store_status status = store_status::stored;
  stored_answer earlier = {};  // of a replayed request
};

// Who was seen in a channel, as of a revision of what is kept.
struct stored_sightings {
  sightings seen;
  std::int64_t revision = 0;  // 0: nothing is kept
};

// A channel, and who was seen there.
struct loaded_channel {
  channel_state state;
  sightings seen;
};

// All functions throw sdk::storage_unavailable when there is no answer (what was written is then
// not known), and std::runtime_error when storage refuses what it should take.
class playlist_storage {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;

  playlist_storage(sdk::storage_client& db, const quota_config& quotas)
      : db_(db), quota_manager_(db, quotas) {}

  // A consistent snapshot; one of version 0 for a channel that was never stored.
  awaitable<loaded_channel> load(std::string channel);

  // Who was seen in the channel; kept for `seconds`.
  awaitable<stored_sightings> seen(std::string channel);
  // False, and nothing is changed: it is at another revision.
  awaitable<bool> store_seen(std::string channel, stored_sightings known, std::int64_t seconds);

  // Channels in which something plays or waits.
  awaitable<std::vector<std::string>> channels();

  // `pending.what` must stay valid until this is done.
  awaitable<store_outcome> store(pending_change pending);

  // The user's adds that still count at `now`, as far as is known here. That is good enough for a
  // decision: store() refuses it if the user has added more elsewhere.
  add_times recent_adds(const std::string& user, std::int64_t now) const {
    return quota_manager_.recent_adds(user, now);
  }
  // Reads what the user has added elsewhere, if that has outrun a change that was stored here.
  awaitable<void> look_up_adds(std::string user);

  // What the try of this request that was applied has stored; nothing if none was.
  awaitable<std::optional<stored_answer>> find_answer(std::string request_id);

  // Stores the answer to a request that changes nothing. Gives the one that was stored before, if
  // there is one.
  awaitable<std::optional<stored_answer>> keep_answer(std::string request_id, stored_answer answer);

  // Newest first.
  awaitable<std::vector<history_entry>> history(std::string channel, std::int64_t limit);

  // When each of these media was played last in the channel, where that was after `since`, in
  // milliseconds since 1970. Other media with one of their ids may be among the plays.
  awaitable<std::vector<last_play>> last_plays(std::string channel, std::vector<media_link> media,
                                               std::int64_t since);

  awaitable<std::optional<user_stats>> stats(std::string user);

 private:
  awaitable<store_outcome> store(const pending_change& pending, channel_batch& batch);
  // Adds the waiting items behind those in `channel`; nothing when it has changed meanwhile.
  awaitable<std::optional<channel_state>> load_rest(channel_state channel);

  sdk::storage_client& db_;
  quota_manager quota_manager_;
};

}  // namespace rosey::playlist
