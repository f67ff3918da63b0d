// What chat connectors tell about people: who is there counts for votes, who goes takes its vote
// along.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "playlist_plugin/service/operations.hpp"
#include "rosey/sdk/context.hpp"
#include "rosey/wire/presence.hpp"

namespace rosey::playlist {

class chat_users {
 public:
  chat_users(const sdk::context& context, operations& operations)
      : context_(context), operations_(operations) {}

  // Throws std::runtime_error.
  void start();

 private:
  void hear(const wire::user_presence& told);
  boost::asio::awaitable<void> withdraw(wire::user_presence told);

  sdk::context context_;
  operations& operations_;
};

}  // namespace rosey::playlist
