// Items and events as other programs receive them.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "playlist_plugin/domain/channel_state.hpp"
#include "playlist_plugin/domain/event.hpp"
#include "playlist_plugin/domain/refusal.hpp"

namespace rosey::playlist {

boost::json::object to_json(const queue_item& item);

// What an event tells of an item that decides whether its site has told about it: media, title and
// duration. Nothing when that is not there.
std::optional<queue_item> item_from_json(const boost::json::object& event);

// The numbers of a refusal: limit, used, and retry_after where time helps.
boost::json::object to_json(const limit_reached& reached);

// The item that plays at `now` with what has passed of it, or null.
boost::json::value current_to_json(const channel_state& channel, std::int64_t now);

// Events of all channels, of every instance.
inline constexpr char all_events[] = "playlist.>";

// Ids were reserved for an import: the version is another, and the queue is the same.
inline constexpr char import_begun[] = "playlist.import.begun";

// Many items have come at once; listeners ask for the queue.
inline constexpr char queue_imported[] = "playlist.imported";

// Whether events on this subject change when the playing item ends.
bool moves_the_end(std::string_view subject);

// "playlist.item.added"
std::string_view subject_of(const event& happened);

// The subjects of all events that there are.
std::vector<std::string_view> event_subjects();

// The messages of one change's events, in their order. `channel` is as it was after the change;
// `now` in milliseconds since 1970. All carry the same version; "part" of "parts" tells a listener
// whether one of them is missing.
std::vector<boost::json::object> to_json(const std::vector<event>& happened,
                                         const channel_state& channel, std::int64_t now);

}  // namespace rosey::playlist
