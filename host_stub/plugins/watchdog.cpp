#include "host_stub/plugins/watchdog.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace rosey::host {

watchdog::watchdog(const plugin_manager& plugins) : plugins_(plugins), thread_([this] { run(); }) {}

watchdog::~watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void watchdog::look() {
  std::set<std::string> now;
  for (const plugin_status& plugin : plugins_.list()) {
    if (!plugin.stuck) continue;
    now.insert(plugin.id);
    if (stuck_.contains(plugin.id)) continue;
    spdlog::error("the plugin {} {} is {}; its commands wait, the others go on", plugin.id,
                  plugin.version, plugin.state);
  }
  for (const std::string& id : std::exchange(stuck_, now)) {
    if (!now.contains(id)) spdlog::info("the plugin {} is no longer stuck", id);
  }
}

}  // namespace rosey::host
