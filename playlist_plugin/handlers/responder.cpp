// Where exceptions end and replies begin.
#include "playlist_plugin/handlers/responder.hpp"

#include <boost/json/serialize.hpp>
#include <exception>
#include <utility>

#include "playlist_plugin/handlers/verbs.hpp"
#include "rosey/sdk/storage_client.hpp"

namespace rosey::playlist {

using boost::asio::awaitable;

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
  const boost::json::object message = decided ? *decided : write_failure_(decided.error());
  try {
    context_.bus.publish(request.reply, boost::json::serialize(message));
  } catch (const std::exception& failure) {
    context_.log.warning("an answer on " + request.subject + " was not sent: " + failure.what());
  }
}

awaitable<responder::reply> responder::outcome(handler handle, std::string payload,
                                               std::string subject) {
  try {
    co_return co_await handle(std::move(payload));
  } catch (const sdk::storage_busy& busy) {
    context_.log.warning(subject + ": " + busy.what());
    co_return error{codes::busy, "The playlist's storage is busy; try again in a moment"};
  } catch (const sdk::storage_unavailable& away) {
    context_.log.warning(subject + ": " + away.what());
    co_return error{codes::storage_unavailable,
                    "The playlist cannot reach its storage; try again in a moment"};
  } catch (const std::exception& unexpected) {
    context_.log.error(subject + ": " + unexpected.what());
    co_return error{codes::internal, "Something went wrong; the log says what"};
  }
}

}  // namespace rosey::playlist
