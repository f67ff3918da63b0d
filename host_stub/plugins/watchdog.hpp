// Says in the log which plugin is stuck in a call, and when it has come out of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "host_stub/plugins/manager.hpp"

namespace rosey::host {

class watchdog {
 public:
  explicit watchdog(const plugin_manager& plugins);
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

 private:
  void run();
  void look();

  const plugin_manager& plugins_;
  std::map<std::uint64_t, std::string> stuck_;  // by instance: its plugin
  std::mutex mutex_;                            // guards the next
  bool stopping_ = false;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace rosey::host
