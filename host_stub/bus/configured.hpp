// A connection's settings as the configuration has them.
#pragma once

#include <string>

#include "host_stub/bus/connection.hpp"
#include "host_stub/config.hpp"

namespace rosey::host {

// `url` is that of the configuration, or a private server's, which needs no certificates.
inline connection::settings configured(const config& from, const std::string& url,
                                       std::string name) {
  connection::settings made{.url = url, .name = std::move(name)};
  if (url == from.nats_url) made.security = from.nats_login;
  made.ping_interval = from.nats_ping_interval;
  return made;
}

}  // namespace rosey::host
