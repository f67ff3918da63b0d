// Whole queues brought in from outside, on service.playlist.import; see import_storage.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/handlers/responder.hpp"
#include "playlist_plugin/storage/import_storage.hpp"
#include "rosey/sdk/context.hpp"
#include "rosey/wire/decode.hpp"

namespace rosey::playlist {

// An import is a conversation; each message may reach another instance of the plugin, and what they
// have in common is in storage. "step" names the message:
//
//   check  {entries, user}                    → refused: [{index, error}]
//   begin  {channel, content, count, again?}  → import, number | earlier: {count, at}
//   stage  {import, number, index, entries, user}  → items, as they were written
//   read   {import, index, count}             → items, as they are stored
//   commit {channel, content, count, again?, import} → version | earlier
//
// All but check and read take an id, as the commands do. Without one, too, a step that is sent
// again is answered alike; only begin begins another import. `number` is that of the first item's
// id, `index` that of the first entry in the import. The limits of what people may add do not
// apply.
class imports {
 public:
  using reply = result<boost::json::object>;

  imports(const sdk::context& context, import_storage& storage, clock& time);

  // Throws std::runtime_error.
  void start();

  // The names of all steps.
  static std::vector<std::string_view> steps();

 private:
  // Decoded, with the id of the request, "" for none.
  struct request {
    boost::json::object fields;
    std::string id;
  };
  using handler = boost::asio::awaitable<reply> (imports::*)(request);

  boost::asio::awaitable<reply> dispatch(std::string payload);
  boost::asio::awaitable<reply> check(request asked);
  boost::asio::awaitable<reply> begin(request asked);
  boost::asio::awaitable<reply> stage(request asked);
  boost::asio::awaitable<reply> read(request asked);
  boost::asio::awaitable<reply> commit(request asked);

  void announce(const char* event, const import_job& job, std::int64_t version) const;

  struct route {
    const char* step;
    handler handle;
    bool once = false;  // by the id of its request; others are answered alike without one
  };
  static const route routes[];

  sdk::context context_;
  responder responder_;
  import_storage& storage_;
  clock& clock_;
};

}  // namespace rosey::playlist
