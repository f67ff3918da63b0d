// Requests of programs become coroutines, their outcomes or failures replies.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

#include "playlist_plugin/domain/refusal.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

// What the sender of a request reads when it ends with an exception; the log has the details, under
// the request's name.
error reason_for_sender(const sdk::logger& log, std::string_view request,
                        const std::exception_ptr& failure);

class responder {
 public:
  using reply = result<boost::json::object>;
  using handler = std::function<boost::asio::awaitable<reply>(std::string payload)>;
  using failure_writer = boost::json::object (*)(const refusal&);

  // `write_failure` gives a refusal the shape that this kind of request expects.
  responder(const sdk::context& context, failure_writer write_failure)
      : context_(context), write_failure_(write_failure) {}

  // Answers the requests on a subject, together with the other instances of the plugin. Throws
  // std::runtime_error.
  void serve(const char* subject, handler handle);

  // Bytes that a reply can have: what NATS carries, and readers of replies take. A larger one is
  // sent as a refusal, codes::too_large.
  std::size_t max_reply() const;

 private:
  boost::asio::awaitable<void> answer(handler handle, sdk::message request);
  boost::asio::awaitable<reply> outcome(handler handle, std::string payload, std::string subject);

  sdk::context context_;
  failure_writer write_failure_;
};

}  // namespace rosey::playlist
