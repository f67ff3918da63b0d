// Tells the channel, unasked, what starts to play.
#pragma once

#include "playlist_plugin/domain/change.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

class announcer {
 public:
  announcer(const sdk::context& context, bool enabled) : context_(context), enabled_(enabled) {}

  // Says what the change has started, if it did and that is wanted.
  void announce(const change& stored) const;

  // Says something to the channel, whatever is wanted.
  void say(const std::string& channel, const std::string& text) const;

 private:
  sdk::context context_;
  bool enabled_;
};

}  // namespace rosey::playlist
