// Queues brought in from elsewhere: written unseen, then shown all at once.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
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

  friend bool operator==(const import_job&, const import_job&) = default;
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

using staged_items = std::vector<waiting_item>;

struct ended_import {
  std::optional<earlier_import> earlier;  // nothing was imported then
  std::int64_t version = 0;               // of the channel
};

// A step of an import that is carried out once: the id of its request, "" for none, and what is
// answered, which is stored with it.
template <class Outcome>
struct import_step {
  std::string request_id;
  std::function<boost::json::object(const Outcome&)> present;
};

template <class Outcome>
struct step_answer {
  boost::json::object reply;
  std::optional<Outcome> done = {};  // nothing if it was done before
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

  // The answer of this request, if it is stored.
  awaitable<std::optional<boost::json::object>> find_answer(std::string request_id);
  // Stores the answer, if none is stored; the one that stands.
  awaitable<boost::json::object> keep_answer(std::string request_id, boost::json::object answer);

  // `now` in milliseconds since 1970. Fails with codes::busy.
  awaitable<result<step_answer<begun_import>>> begin(import_job job, import_step<begun_import> how,
                                                     std::int64_t now);

  // Position of the import's item at `index`, until it is behind those that wait.
  static std::int64_t position(std::int64_t index);

  // The import, which was begun and not committed, is given the items from `index` on, in place of
  // those that it was given there before. All functions for an import fail with codes::not_found
  // when it was never begun, or a day ago.
  awaitable<result<staged_items>> stage(std::string import, std::int64_t index, staged_items items);

  // Those at `first` and behind it, `count` at most.
  awaitable<result<staged_items>> staged(std::string import, std::int64_t first,
                                         std::int64_t count);

  // Puts what was staged behind what waits in the channel; of an import that was put there already,
  // tells so again. Fails with codes::busy, and with codes::bad_request if the job is another one
  // than was begun, not `count` items were staged, or the channel has no place for them.
  awaitable<result<step_answer<ended_import>>> commit(import_job job, std::string import,
                                                      import_step<ended_import> how,
                                                      std::int64_t now);

 private:
  // What is kept of an import from its begin on.
  struct known_import {
    import_job job;
    std::int64_t first_number = 0;
    std::int64_t version = 0;   // of the channel, once it is committed
    std::int64_t revision = 0;  // of what is kept
  };

  awaitable<result<known_import>> find(std::string import);
  awaitable<channel_state> load(std::string channel);
  // What is recorded of the content in the channel, if it was imported there.
  awaitable<std::optional<ended_import>> recorded(import_job job, std::string import);

  sdk::storage_client& db_;
};

}  // namespace rosey::playlist
