// One message for each event, under its own name as the subject.
#include "playlist_plugin/service/event_publisher.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <string>

#include "playlist_plugin/service/messages.hpp"

namespace rosey::playlist {

void event_publisher::publish(const change& stored, std::int64_t now) const {
  for (const boost::json::object& message : to_json(stored.events(), stored.after(), now)) {
    try {
      context_.bus.publish(message.at("event").as_string(), boost::json::serialize(message));
    } catch (const std::exception& failure) {
      context_.log.fault("event", std::string("an event was not published: ") + failure.what());
    }
  }
}

}  // namespace rosey::playlist
