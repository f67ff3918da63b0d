// Presence for every instance, withdrawals for one of them.
#include "playlist_plugin/handlers/chat_users.hpp"

#include <exception>
#include <functional>
#include <utility>

#include "playlist_plugin/handlers/plugin_id.hpp"
#include "rosey/sdk/storage_client.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::playlist {
namespace {

// Connectors are not answered: what makes no sense is not for us.
sdk::message_bus::message_handler decoded(std::function<void(wire::user_presence)> handle) {
  return [handle = std::move(handle)](const sdk::message& message) {
    if (auto told = wire::decode_presence(message.payload)) handle(std::move(*told));
  };
}

}  // namespace

void chat_users::start() {
  context_.bus.subscribe(wire::subjects::chat_users, "",
                         decoded([this](const wire::user_presence& told) { hear(told); }));
  context_.bus.subscribe(
      wire::subjects::chat_users, plugin_id, decoded([this](wire::user_presence told) {
        if (told.event != wire::presence_event::part) return;
        context_.tasks.spawn("a vote withdrawn",
                             [this, told = std::move(told)] { return withdraw(told); });
      }));
}

void chat_users::hear(const wire::user_presence& told) {
  if (told.event == wire::presence_event::part) {
    operations_.left(told.channel, told.user);
  } else {
    operations_.saw(told.channel, told.user);
  }
}

boost::asio::awaitable<void> chat_users::withdraw(wire::user_presence told) {
  origin from;
  from.channel = told.channel;
  try {
    static_cast<void>(co_await operations_.withdraw_vote(std::move(from), told.user));
  } catch (const sdk::storage_unavailable&) {
    // The log has it; the vote is withdrawn when somebody votes or leaves.
  } catch (const std::exception& failure) {
    context_.log.warning("the vote of somebody who left " + told.channel +
                         " was not withdrawn: " + failure.what());
  }
}

}  // namespace rosey::playlist
