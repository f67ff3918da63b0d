// The chat commands: each decodes what a person typed, asks for the operation, and says what came
// of it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "playlist_plugin/handlers/responder.hpp"
#include "playlist_plugin/service/operations.hpp"
#include "rosey/sdk/context.hpp"
#include "rosey/sdk/verb.hpp"
#include "rosey/wire/command.hpp"

namespace rosey::playlist {

class commands {
 public:
  using request = wire::command_request;
  using reply = result<boost::json::object>;
  using handler = boost::asio::awaitable<reply> (commands::*)(request);

  commands(const sdk::context& context, operations& queue);

  // Subscribes to every verb. Throws std::runtime_error.
  void start();

 private:
  // Decodes, checks the role, and runs the handler.
  boost::asio::awaitable<reply> dispatch(const sdk::verb* verb, handler handle,
                                         std::string payload);

  boost::asio::awaitable<reply> add(request from);
  boost::asio::awaitable<reply> show_queue(request from);
  boost::asio::awaitable<reply> show_playing(request from);
  boost::asio::awaitable<reply> skip(request from);
  boost::asio::awaitable<reply> vote_skip(request from);
  boost::asio::awaitable<reply> remove(request from);
  boost::asio::awaitable<reply> clear(request from);
  boost::asio::awaitable<reply> shuffle(request from);
  boost::asio::awaitable<reply> move(request from);
  boost::asio::awaitable<reply> show_when(request from);
  boost::asio::awaitable<reply> show_history(request from);
  boost::asio::awaitable<reply> show_stats(request from);

  struct route {
    const char* verb;
    handler handle;
  };
  static const route routes[];

  responder responder_;
  operations& queue_;
};

}  // namespace rosey::playlist
