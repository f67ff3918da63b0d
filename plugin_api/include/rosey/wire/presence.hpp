// Who comes, goes and speaks in a channel, as chat connectors tell it on rosey.chat.users.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "rosey/wire/decode.hpp"
#include "rosey/wire/result.hpp"

namespace rosey::wire {

enum class presence_event { join, part, talk };

inline std::string_view to_string(presence_event value) {
  switch (value) {
    case presence_event::join:
      return "join";
    case presence_event::part:
      return "part";
    case presence_event::talk:
      return "talk";
  }
  return "talk";
}

inline std::optional<presence_event> presence_event_from(std::string_view text) {
  for (const auto value : {presence_event::join, presence_event::part, presence_event::talk}) {
    if (text == to_string(value)) return value;
  }
  return std::nullopt;
}

// A connector publishes "join" for each user it finds in a channel when it connects and for each
// who comes later, "talk" for each line of chat, "part" for each who goes.
struct user_presence {
  std::string channel;
  std::string user;
  presence_event event = presence_event::talk;
};

inline result<user_presence> decode_presence(std::string_view payload) {
  const auto object = parse_object(payload);
  if (!object) return object.error();
  field_reader in(*object);
  user_presence presence;
  presence.channel = in.name("channel");
  presence.user = in.name("user");
  if (const auto event = presence_event_from(in.text("event"))) {
    presence.event = *event;
  } else {
    in.fail("'event' must be \"join\", \"part\" or \"talk\"");
  }
  if (in.failed()) return in.failure();
  return presence;
}

inline std::string encode(const user_presence& presence) {
  const json::object object{
      {"channel", presence.channel}, {"user", presence.user}, {"event", to_string(presence.event)}};
  return json::serialize(object);
}

}  // namespace rosey::wire
