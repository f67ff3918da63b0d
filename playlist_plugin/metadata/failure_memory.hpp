// What has failed lately, and when it may be tried again: later with each time in a row.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace rosey::playlist {

class failure_memory {
 public:
  // The first pause and the longest one, in milliseconds.
  failure_memory(std::int64_t first, std::int64_t longest) : first_(first), longest_(longest) {}

  // `now` in milliseconds by the steady clock, as all moments here. Those that fail together,
  // before a pause is over, count as one.
  void failed(const std::string& name, std::int64_t now) {
    if (known_.size() >= most_names) forget_old(now);
    failure& known = known_[name];
    if (now < known.retry_at) return;
    known.pause = known.pause == 0 ? first_ : std::min(2 * known.pause, longest_);
    known.retry_at = now + known.pause;
  }

  void succeeded(const std::string& name) { known_.erase(name); }

  // 0 for what has not failed.
  std::int64_t retry_at(const std::string& name) const {
    const auto known = known_.find(name);
    return known == known_.end() ? 0 : known->second.retry_at;
  }

 private:
  static constexpr std::size_t most_names = 1000;

  struct failure {
    std::int64_t pause = 0;
    std::int64_t retry_at = 0;
  };

  // Those that nobody has tried for as long again; all, if that is not enough.
  void forget_old(std::int64_t now) {
    std::erase_if(known_, [&](const auto& each) { return each.second.retry_at + longest_ < now; });
    if (known_.size() >= most_names) known_.clear();
  }

  std::int64_t first_;
  std::int64_t longest_;
  std::map<std::string, failure> known_;
};

}  // namespace rosey::playlist
