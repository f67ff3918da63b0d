// Whose tables are being changed, so that requests hear at once that they have to wait.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace rosey::storage {

// Any thread.
class migration_marks {
 public:
  // As long as it lives, a migration of the plugin is at work.
  class mark {
   public:
    mark(migration_marks& in, const std::string& plugin) : in_(in), plugin_(plugin) {
      const std::lock_guard lock(in_.mutex_);
      in_.plugins_.insert(plugin_);
      ++in_.count_;
    }
    ~mark() {
      const std::lock_guard lock(in_.mutex_);
      in_.plugins_.erase(in_.plugins_.find(plugin_));
      --in_.count_;
    }
    mark(const mark&) = delete;
    mark& operator=(const mark&) = delete;

   private:
    migration_marks& in_;
    const std::string plugin_;
  };

  bool any() const { return count_ > 0; }
  bool of(std::string_view plugin) const {
    if (!any()) return false;
    const std::lock_guard lock(mutex_);
    return plugins_.contains(plugin);
  }

 private:
  std::atomic<int> count_{0};
  mutable std::mutex mutex_;
  std::multiset<std::string, std::less<>> plugins_;
};

}  // namespace rosey::storage
