// The playlist for other plugins and for players: the operations of the commands with fields in
// place of words.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "playlist_plugin/handlers/responder.hpp"
#include "playlist_plugin/service/operations.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

// Other plugins are trusted: they say who asks, and whether that one may do as an admin does.
class services {
 public:
  using reply = result<boost::json::object>;

  services(const sdk::context& context, operations& operations);

  // Subscribes to every subject. Throws std::runtime_error.
  void start();

 private:
  // A decoded request; `fields` is what a service reads beside the channel.
  struct request {
    origin from;
    boost::json::object fields;
  };
  using handler = boost::asio::awaitable<reply> (services::*)(request);

  struct route {
    const char* subject;
    handler handle;
  };

  boost::asio::awaitable<reply> dispatch(const route* known, std::string payload);

  boost::asio::awaitable<reply> add_item(request asked);
  boost::asio::awaitable<reply> remove_item(request asked);
  boost::asio::awaitable<reply> get_queue(request asked);
  boost::asio::awaitable<reply> get_current(request asked);
  boost::asio::awaitable<reply> get_stats(request asked);
  boost::asio::awaitable<reply> vote_skip(request asked);
  boost::asio::awaitable<reply> skip(request asked);
  boost::asio::awaitable<reply> shuffle(request asked);
  boost::asio::awaitable<reply> clear(request asked);
  boost::asio::awaitable<reply> player_finished(request asked);
  boost::asio::awaitable<reply> player_position(request asked);
  boost::asio::awaitable<reply> get_history(request asked);
  boost::asio::awaitable<reply> get_user_stats(request asked);

  static const route routes[];

  responder responder_;
  operations& operations_;
};

}  // namespace rosey::playlist
