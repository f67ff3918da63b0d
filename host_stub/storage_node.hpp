// One storage service on the bus: its tables brought up to date, its database opened, its requests
// taken from NATS. Inside `rosey run`, or alone as `rosey storage`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host_stub/bus/connection.hpp"
#include "host_stub/config.hpp"
#include "host_stub/storage/service.hpp"
#include "host_stub/storage_endpoint.hpp"

namespace rosey::host {

class storage_node {
 public:
  // Throws std::runtime_error with one sentence: a database that cannot be opened, another database
  // that is served on this NATS, no folder of migrations. A plugin's migration that is refused is
  // logged, and stops nobody else.
  // `on_closed` as in connection::settings.
  storage_node(const std::string& nats_url, const config& settings,
               std::function<void(const std::string& why)> on_closed);

  // Before the end: its connection is given up if NATS does not answer within `patience`. The end
  // would wait longer for it.
  void leave_nats(std::chrono::milliseconds patience);

 private:
  // The endpoint goes first, so that the service still answers what had arrived; the connection
  // last, so that the answers leave.
  connection bus_;
  std::unique_ptr<storage::service> service_;
  std::optional<storage_endpoint> endpoint_;
};

}  // namespace rosey::host
