// The admin requests of this host over NATS: rosey.admin.plugin.{list,load,unload,reload}.
#pragma once

#include <string>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "host_stub/lanes.hpp"
#include "host_stub/plugins/manager.hpp"

namespace rosey::host {

// Requests {"name"}; replies {"success": true, "message", …} or {"success": false, "error",
// "code"}. What takes time is done in order for each plugin; `list` is answered at once.
class plugin_admin {
 public:
  // Throws std::runtime_error if it cannot subscribe.
  plugin_admin(connection& bus, plugin_manager& plugins);
  // Finishes the requests in work, and drops the others.
  ~plugin_admin();
  // Takes no more requests and drops those that wait. Does not block.
  void stop();
  plugin_admin(const plugin_admin&) = delete;
  plugin_admin& operator=(const plugin_admin&) = delete;

 private:
  struct request {
    std::string subject;
    std::string reply;
    std::string payload;
  };

  void listen(const char* subject, subscription::message_handler handler);
  void take(const request& order);
  std::string answer(std::string_view subject, const std::string& name);
  std::string answer_list() const;

  connection& bus_;
  plugin_manager& plugins_;
  lanes work_;  // by the plugin's name
  std::vector<subscription> subscriptions_;
};

}  // namespace rosey::host
