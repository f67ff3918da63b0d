// The operator's settings of the playlist.
#pragma once

#include <boost/json/object.hpp>

#include "playlist_plugin/domain/playback.hpp"
#include "playlist_plugin/domain/quota.hpp"
#include "playlist_plugin/domain/votes.hpp"

namespace rosey::playlist {

struct plugin_config {
  queue_limits limits;
  vote_config votes;
  playback_config playing;
};

// Settings that are left out keep their defaults. Throws std::runtime_error naming the key that is
// unknown, or whose value is not right and what would be.
plugin_config read_config(const boost::json::object& settings);

}  // namespace rosey::playlist
