// Ids that senders choose for their requests, made fit to be kept in one place.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace rosey::playlist {

// `id` among those of this operation, channel and user alone: two senders may choose the same one.
// "" for a request without an id.
inline std::string request_id_of(std::string_view operation, std::string_view channel,
                                 std::string_view user, std::string_view id) {
  if (id.empty()) return {};
  boost::json::array parts;
  for (const std::string_view part : {operation, channel, user, id}) parts.emplace_back(part);
  return boost::json::serialize(parts);
}

}  // namespace rosey::playlist
