// The admin requests of this host over NATS: rosey.admin.plugin.{list,load,unload,reload}.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "host_stub/plugins/manager.hpp"

namespace rosey::host {

// Requests {"name"}; replies {"success": true, "message", …} or {"success": false, "error",
// "code"}. What takes time runs on a thread of its own, in order; `list` is answered at once.
class plugin_admin {
 public:
  // Throws std::runtime_error if it cannot subscribe.
  plugin_admin(connection& bus, plugin_manager& plugins);
  // Finishes the request in work, and drops the others.
  ~plugin_admin();
  plugin_admin(const plugin_admin&) = delete;
  plugin_admin& operator=(const plugin_admin&) = delete;

 private:
  struct request {
    std::string subject;
    std::string reply;
    std::string payload;
  };

  void listen(const char* subject, subscription::message_handler handler);
  void work();
  std::string answer(const request& order);
  std::string answer_list() const;

  connection& bus_;
  plugin_manager& plugins_;
  std::mutex mutex_;  // guards the next two
  std::condition_variable wake_;
  std::deque<request> queue_;
  bool stopping_ = false;
  std::vector<subscription> subscriptions_;
  std::thread worker_;
};

}  // namespace rosey::host
