#include "host_stub/plugins/watchdog.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <set>
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

// By instance: one that is stuck says nothing of the one that has replaced it.
void watchdog::look() {
  std::map<std::uint64_t, std::string> now;
  std::set<std::uint64_t> there;
  for (const plugin_status& plugin : plugins_.list()) {
    there.insert(plugin.instance);
    if (!plugin.stuck) continue;
    now.emplace(plugin.instance, fmt::format("{} {}", plugin.id, plugin.version));
    if (stuck_.contains(plugin.instance)) continue;
    if (plugin.phase == plugin_phase::stuck) {
      spdlog::error("the plugin {} {} is {}; its commands wait, the others go on", plugin.id,
                    plugin.version, plugin.state);
    } else if (plugin.phase != plugin_phase::quarantined) {
      spdlog::error("the plugin {} {} is {}", plugin.id, plugin.version, plugin.state);
    }
  }
  for (const auto& [instance, name] : std::exchange(stuck_, now)) {
    if (there.contains(instance) && !now.contains(instance)) {
      spdlog::info("the plugin {} is no longer stuck", name);
    }
  }
}

}  // namespace rosey::host
