// Where exceptions end and replies begin.
#include "playlist_plugin/handlers/responder.hpp"

#include <boost/json/serialize.hpp>
#include <exception>
#include <utility>

#include "playlist_plugin/handlers/plugin_id.hpp"
#include "playlist_plugin/storage/refused.hpp"
#include "rosey/sdk/failures.hpp"
#include "rosey/sdk/verbs.hpp"

namespace rosey::playlist {

using boost::asio::awaitable;

error reason_for_sender(const sdk::logger& log, std::string_view request,
                        const std::exception_ptr& failure) {
  const std::string name(request);
  try {
    std::rethrow_exception(failure);
  } catch (const sdk::storage_busy& busy) {
    log.debug(name + ": " + busy.what());
    return {codes::busy, "The playlist's storage is busy; try again in a moment"};
  } catch (const sdk::storage_unavailable& away) {
    log.debug(name + ": " + away.what());
    return {codes::storage_unavailable,
            "The playlist cannot reach its storage; try again in a moment"};
  } catch (const request_too_large& too_much) {
    log.warning(name + ": storage: " + too_much.what());
    return {codes::too_large, "This is too much for one message to storage"};
  } catch (const std::exception& unexpected) {
    log.error(name + ": " + unexpected.what());
  } catch (...) {
    log.error(name + ": unknown exception");
  }
  return {codes::internal, "Something went wrong; the log says what"};
}

std::size_t responder::max_reply() const {
  return sdk::max_reply(context_.bus);
}

void responder::serve(const char* subject, handler handle) {
  context_.bus.subscribe(
      subject, plugin_id, [this, handle = std::move(handle)](sdk::message request) {
        std::string name = request.subject;
        context_.tasks.spawn(std::move(name), [this, handle, request = std::move(request)] {
          return answer(handle, request);
        });
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
  std::exception_ptr failure;
  try {
    co_return co_await handle(std::move(payload));
  } catch (...) {
    failure = std::current_exception();
  }
  co_return reason_for_sender(context_.log, subject, failure);
}

}  // namespace rosey::playlist
