// Entries of old playlists, and plain links, as items.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "playlist_plugin/domain/queue_item.hpp"
#include "playlist_plugin/domain/refusal.hpp"

namespace rosey::playlist {

// Reads {"url"}, or CyTube's {"queueby", "media": {"type","id","title","seconds"}}, of which only
// type and id must be there; fields besides these are ignored. `user` is who added it when the
// entry does not say. The item has no id and no time yet. Fails with a sentence that names the
// field and what is wrong with it.
result<queue_item> read_import_entry(const boost::json::value& entry, const std::string& user);

}  // namespace rosey::playlist
