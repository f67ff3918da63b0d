// The chat commands: each decodes what a person typed, asks for the operation, and says what came
// of it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <optional>

#include "playlist_plugin/handlers/plugin_id.hpp"
#include "playlist_plugin/handlers/responder.hpp"
#include "playlist_plugin/service/operations.hpp"
#include "rosey/sdk/context.hpp"
#include "rosey/sdk/verbs.hpp"

namespace rosey::playlist {

class commands {
 public:
  static constexpr const auto& id = plugin_id;

  using row = sdk::handled_verb<commands>;

  commands(const sdk::context& context, operations& operations)
      : context_(context), operations_(operations) {}

  // Subscribes to every verb. Throws std::runtime_error.
  void start() { sdk::serve_verbs(context_, *this); }

  // Gives the command's id its place, notes who speaks, and refuses who may not.
  std::optional<sdk::reply> before(sdk::command& asked, const row& verb);

 private:
  using request = sdk::command;
  using reply = result<boost::json::object>;
  using handler = boost::asio::awaitable<reply> (commands::*)(request);

  // The way from the table to the functions below, and back with their outcome.
  template <handler decide>
  boost::asio::awaitable<sdk::reply> by(const sdk::command& asked) {
    return answer(decide, asked);
  }
  boost::asio::awaitable<sdk::reply> answer(handler decide, request from);

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

  sdk::context context_;
  operations& operations_;

 public:
  // What people can type, and who may.
  static constexpr row verbs[] = {
      {.name = "add",
       .arguments = "<url>",
       .words = {.least = 1},
       .help = "Add a video, song or stream to the queue",
       .handle = &commands::by<&commands::add>},
      {.name = "queue",
       .help = "Show what plays and what comes next",
       .handle = &commands::by<&commands::show_queue>},
      {.name = "nowplaying",
       .help = "Show what plays and how far it is",
       .handle = &commands::by<&commands::show_playing>},
      {.name = "skip",
       .help = "End your own item; moderators end any",
       .handle = &commands::by<&commands::skip>},
      {.name = "voteskip",
       .help = "Vote to skip what plays",
       .handle = &commands::by<&commands::vote_skip>},
      {.name = "remove",
       .arguments = "[id, number, range or all]",
       .words = {.most = 1},
       .help = "Remove items of yours, without a number the newest",
       .handle = &commands::by<&commands::remove>},
      {.name = "clear",
       .least_role = wire::role::moderator,
       .help = "Remove everything that waits",
       .handle = &commands::by<&commands::clear>},
      {.name = "shuffle",
       .least_role = wire::role::moderator,
       .help = "Put what waits into a random order",
       .handle = &commands::by<&commands::shuffle>},
      {.name = "move",
       .arguments = "<id, number or range> <after, or start>",
       .words = {2, 2},
       .help = "Move items of yours behind another one, or to the start",
       .handle = &commands::by<&commands::move>},
      {.name = "when",
       .help = "Tell when your own items play",
       .handle = &commands::by<&commands::show_when>},
      {.name = "history",
       .arguments = "[1-50]",
       .words = {.most = 1},
       .help = "Show what played last",
       .handle = &commands::by<&commands::show_history>},
      {.name = "mystats",
       .help = "Show your own statistics",
       .handle = &commands::by<&commands::show_stats>},
  };
};

}  // namespace rosey::playlist
