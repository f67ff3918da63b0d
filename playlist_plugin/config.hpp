// The operator's settings of the playlist.
#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "playlist_plugin/domain/playback.hpp"
#include "playlist_plugin/domain/quota.hpp"
#include "playlist_plugin/domain/votes.hpp"
#include "playlist_plugin/metadata/metadata_config.hpp"
#include "rosey/wire/command.hpp"

namespace rosey::playlist {

struct plugin_config {
  queue_limits limits;
  std::vector<wire::role> exempt_roles;  // whom the limits on users do not concern
  vote_config votes;
  playback_config playing;
  queue_order order = queue_order::added;
  metadata_config metadata;
  bool announce = false;  // what starts to play
  bool paused = false;    // nothing ends or starts by itself: for work on queues that nobody hears

  friend bool operator==(const plugin_config&, const plugin_config&) = default;
};

// Settings that are left out keep their defaults. Throws std::runtime_error naming the key that is
// unknown, or whose value is not right and what would be.
plugin_config read_config(const boost::json::object& settings);

}  // namespace rosey::playlist
