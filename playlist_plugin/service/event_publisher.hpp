// Everybody who listens hears of what is stored.
#pragma once

#include <cstdint>

#include "playlist_plugin/domain/change.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

class event_publisher {
 public:
  explicit event_publisher(const sdk::context& context) : context_(context) {}

  // The events of a change that was decided at `now`, in milliseconds since 1970. What cannot be
  // published is logged: a listener sees the gap in the versions when it hears of the channel
  // again.
  void publish(const change& stored, std::int64_t now) const;

 private:
  sdk::context context_;
};

}  // namespace rosey::playlist
