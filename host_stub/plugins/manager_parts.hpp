// What the manager's files share: whose turn it is to change a plugin, and what is on its way.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "host_stub/plugins/manager.hpp"

namespace rosey::host {

inline error host_is_stopping() {
  return {"stopping", "The host is stopping"};
}

inline bool can_be_read(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

inline error held_by_twin(const std::filesystem::path& file, std::string_view id,
                          const std::filesystem::path& other) {
  return {"already_loaded", fmt::format("{}: the plugin '{}' is loaded already, from {}",
                                        file.string(), id, other.string())};
}

class plugin_manager::turn {
 public:
  // Not had when the host is stopping.
  turn(plugin_manager& owner, std::string_view id) : owner_(owner), id_(id) {
    std::unique_lock lock(owner_.state_);
    owner_.changed_.wait(lock,
                         [this] { return owner_.closing_ || !owner_.changing_.contains(id_); });
    if (!owner_.closing_) take();
  }
  // For who stops it. Not had when somebody keeps it until then.
  turn(plugin_manager& owner, std::string_view id, instance::clock::time_point latest)
      : owner_(owner), id_(id) {
    std::unique_lock lock(owner_.state_);
    const auto is_free = [this] { return !owner_.changing_.contains(id_); };
    if (owner_.changed_.wait_until(lock, latest, is_free)) take();
  }
  ~turn() {
    if (!had_) return;
    {
      const std::lock_guard lock(owner_.state_);
      owner_.changing_.erase(id_);
    }
    owner_.changed_.notify_all();
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

  bool had() const { return had_; }

 private:
  void take() {
    owner_.changing_.insert(id_);
    had_ = true;
  }

  plugin_manager& owner_;
  const std::string id_;
  bool had_ = false;
};

class plugin_manager::way {
 public:
  way(plugin_manager& owner, moving_plugin moving) : owner_(owner) {
    const std::lock_guard lock(owner_.state_);
    at_ = owner_.moving_.insert(owner_.moving_.end(), std::move(moving));
  }
  ~way() {
    std::shared_ptr<instance> last;  // may be destroyed, but not with the lock held
    const std::lock_guard lock(owner_.state_);
    last = std::move(at_->which);
    owner_.moving_.erase(at_);
  }
  way(const way&) = delete;
  way& operator=(const way&) = delete;

  void is_made(std::shared_ptr<instance> which) {
    const std::lock_guard lock(owner_.state_);
    at_->which = std::move(which);
  }

 private:
  plugin_manager& owner_;
  std::list<moving_plugin>::iterator at_;
};

}  // namespace rosey::host
