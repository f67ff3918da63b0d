// Lines of chat over rosey.chat.send.
#include "playlist_plugin/service/announcer.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <variant>

#include "playlist_plugin/domain/text.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::playlist {

void announcer::announce(const change& stored) const {
  if (!enabled_) return;
  for (const event& happened : stored.events()) {
    const auto* started = std::get_if<item_playing>(&happened);
    if (!started) continue;
    const queue_item& item = started->item;
    say(stored.after().name, "▶️ Now playing: " + item.title + " [" +
                                 format_duration(item.duration) + "] - " +
                                 printable(item.added_by));
  }
}

void announcer::say(const std::string& channel, const std::string& text) const {
  const boost::json::object line{{"channel", channel}, {"message", text}};
  try {
    context_.bus.publish(wire::subjects::chat_send, boost::json::serialize(line));
  } catch (const std::exception& failure) {
    context_.log.fault("announcement",
                       std::string("a line for ") + channel + " was not sent: " + failure.what());
  }
}

}  // namespace rosey::playlist
