// Where exceptions end and replies begin.
#include "playlist_plugin/handlers/responder.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <exception>
#include <utility>

#include "playlist_plugin/handlers/verbs.hpp"
#include "playlist_plugin/storage/refused.hpp"
#include "rosey/sdk/storage_client.hpp"

namespace rosey::playlist {

using boost::asio::awaitable;

std::size_t responder::max_reply() const {
  constexpr std::size_t readers_take = 1024 * 1024;  // wire::decode_reply
  return std::min(readers_take, context_.bus.max_payload());
}

void responder::serve(const char* subject, handler handle) {
  context_.bus.subscribe(
      subject, queue_group, [this, handle = std::move(handle)](sdk::message request) {
        std::string name = request.subject;
        context_.tasks.spawn(std::move(name), answer(handle, std::move(request)));
      });
}

awaitable<void> responder::answer(handler handle, sdk::message request) {
  const reply decided =
      co_await outcome(std::move(handle), std::move(request.payload), request.subject);
  if (request.reply.empty()) co_return;
  std::string message =
      boost::json::serialize(decided ? *decided : write_failure_(decided.error()));
  if (message.size() > max_reply()) {
    const error reason{codes::too_large, "The answer has " + std::to_string(message.size()) +
                                             " bytes; one message carries at most " +
                                             std::to_string(max_reply())};
    context_.log.warning(request.subject + ": " + reason.message);
    message = boost::json::serialize(write_failure_(reason));
  }
  try {
    context_.bus.publish(request.reply, message);
  } catch (const std::exception& failure) {
    context_.log.fault("answer",
                       "an answer on " + request.subject + " was not sent: " + failure.what());
  }
}

awaitable<responder::reply> responder::outcome(handler handle, std::string payload,
                                               std::string subject) {
  try {
    co_return co_await handle(std::move(payload));
  } catch (const sdk::storage_busy& busy) {
    context_.log.debug(subject + ": " + busy.what());
    co_return error{codes::busy, "The playlist's storage is busy; try again in a moment"};
  } catch (const sdk::storage_unavailable& away) {
    context_.log.debug(subject + ": " + away.what());
    co_return error{codes::storage_unavailable,
                    "The playlist cannot reach its storage; try again in a moment"};
  } catch (const request_too_large& too_much) {
    context_.log.warning(subject + ": storage: " + too_much.what());
    co_return error{codes::too_large, "This is too much for one message to storage"};
  } catch (const std::exception& unexpected) {
    context_.log.error(subject + ": " + unexpected.what());
    co_return error{codes::internal, "Something went wrong; the log says what"};
  }
}

}  // namespace rosey::playlist
