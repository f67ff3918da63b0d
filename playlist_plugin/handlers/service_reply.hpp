// How a service answers: {"success": true, ...} or {"success": false, "error": ..., "code": ...}.
#pragma once

#include <boost/json/object.hpp>

#include "playlist_plugin/service/messages.hpp"
#include "rosey/wire/printable.hpp"

namespace rosey::playlist {

inline boost::json::object service_success(boost::json::object fields) {
  fields["success"] = true;
  return fields;
}

inline boost::json::object service_failure(const refusal& failure) {
  boost::json::object reply{
      {"success", false}, {"error", wire::escaped(failure.message)}, {"code", failure.code}};
  if (failure.numbers) reply["data"] = to_json(*failure.numbers);
  return reply;
}

}  // namespace rosey::playlist
