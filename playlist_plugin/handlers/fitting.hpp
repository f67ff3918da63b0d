// Replies with as many entries as one message carries.
#pragma once

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstddef>

namespace rosey::playlist {

// `write(n)` gives the reply with the first n of `count` entries; the one with the most that has at
// most `room` bytes. One without any may be larger.
template <class Write>
boost::json::object fitting(std::size_t room, std::size_t count, Write write) {
  for (;;) {
    boost::json::object reply = write(count);
    const std::size_t size = boost::json::serialize(reply).size();
    if (size <= room || count == 0) return reply;
    count = std::min(count - 1, count * room / size);
  }
}

}  // namespace rosey::playlist
