// Queues brought in from elsewhere: written unseen, then shown all at once.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "playlist_plugin/domain/channel_state.hpp"
#include "rosey/sdk/storage_client.hpp"

namespace rosey::playlist {

// What is imported: `content` tells it from anything else that is imported into the channel.
struct import_job {
  std::string channel;
  std::string content;
  std::int64_t count = 0;
  bool again = false;  // although it was imported before
};

struct earlier_import {
  std::int64_t count = 0;
  std::string at;  // ISO 8601, UTC
};

struct begun_import {
  std::optional<earlier_import> earlier;  // nothing was begun then
  std::string id;
  std::int64_t first_number = 0;  // of `count` item ids that are nobody else's
  std::int64_t version = 0;       // of the channel, which the numbers are taken from
};

struct ended_import {
  std::optional<earlier_import> earlier;  // nothing was imported then
  std::int64_t version = 0;               // of the channel
};

// One message to storage cannot carry a long queue, and one batch is what makes it atomic. So rows
// are first written under a channel's name that no channel can have, and a last batch renames them:
// before it nothing is there, after it everything. What an import that was killed has left behind
// is deleted by a later one.
//
// All functions throw sdk::storage_unavailable when there is no answer, and std::runtime_error when
// storage refuses what it should take.
class import_storage {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;

  explicit import_storage(sdk::storage_client& db) : db_(db) {}

  // `now` in milliseconds since 1970. Fails with codes::busy.
  awaitable<result<begun_import>> begin(import_job job, std::int64_t now);

  // Position of the import's item at `index`, until it is behind those that wait.
  static std::int64_t position(std::int64_t index);

  awaitable<void> stage(std::string import, std::vector<waiting_item> items);

  // Those at `first` and behind it, `count` at most.
  awaitable<std::vector<waiting_item>> staged(std::string import, std::int64_t first,
                                              std::int64_t count);

  // Puts what was staged behind what waits in the channel; of an import that was put there already,
  // tells so again. Fails with codes::busy, and with codes::bad_request if not `count` items were
  // staged or the channel has no place for them.
  awaitable<result<ended_import>> commit(import_job job, std::string import, std::int64_t now);

 private:
  awaitable<channel_state> load(std::string channel);
  // What is recorded of the content in the channel, if it was imported there.
  awaitable<std::optional<ended_import>> recorded(import_job job, std::string import);

  sdk::storage_client& db_;
};

}  // namespace rosey::playlist
