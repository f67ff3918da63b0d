// What a request is to the channels: where it comes from, what it decides, and what that needs.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "playlist_plugin/domain/change.hpp"
#include "playlist_plugin/domain/refusal.hpp"

namespace rosey::playlist {

// Where a request comes from, and how it is known again when it is sent twice.
struct origin {
  std::string channel;
  std::string request_id = {};     // "" for none; no other request has it
  std::int64_t attempt = 1;        // 2 and up: an earlier one may have been carried out
  bool answer_names_next = false;  // the reply tells the channel what starts by it
  // How a refusal is answered, and so stored with the request_id; null only without one.
  boost::json::object (*write_failure)(const refusal&) = nullptr;
};

// What a decision wants: the change to store, if any, and the reply once that is done.
struct decision {
  std::optional<playlist::change> change;
  boost::json::object reply;
  std::string charged_user = {};  // whose rate limit an add counts for; "" for none
};

// Called again with a newer state when another instance was first. Copyable; runs at once.
using decider = std::function<result<decision>(const channel_state&, std::int64_t now)>;

// Looks up what a decision needs beside the channel; called before each decision, while nobody
// else of this instance can change the channel.
using preparation =
    std::function<boost::asio::awaitable<void>(std::shared_ptr<const channel_state>)>;

}  // namespace rosey::playlist
