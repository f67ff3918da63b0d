// Decisions of the domain joined with the words for their outcome.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <utility>

#include "playlist_plugin/service/channels.hpp"

namespace rosey::playlist {

// Writes the reply for an outcome that is about to be stored.
template <class Outcome>
using presenter = std::function<boost::json::object(const Outcome&)>;

// A decision and its reply, from an outcome of the domain.
template <class Outcome>
result<decision> presented(result<Outcome> outcome, const presenter<Outcome>& present) {
  if (!outcome) return std::move(outcome.error());
  boost::json::object reply = present(*outcome);
  return decision{std::move(outcome->change), std::move(reply), {}};
}

}  // namespace rosey::playlist
