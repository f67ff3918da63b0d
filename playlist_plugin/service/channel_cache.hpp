// Keeps something for each channel in memory: for so many channels, those that were used last.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace rosey::playlist {

// What somebody holds, beside the cache, stays. So does what is needed, in up to four times as many
// channels; but more of them are not made to stay.
template <class Entry>
class channel_cache {
 public:
  using maker = std::function<std::shared_ptr<Entry>()>;
  using need = std::function<bool(const Entry&)>;

  channel_cache(std::size_t most, maker make, need is_needed)
      : most_(most), make_(std::move(make)), is_needed_(std::move(is_needed)) {}

  // The channel's, made when there is none. It is the one used last.
  std::shared_ptr<Entry> use(const std::string& channel) {
    if (const auto found = slots_.find(channel); found != slots_.end()) {
      by_use_.splice(by_use_.begin(), by_use_, found->second.place);
      return found->second.entry;
    }
    if (slots_.size() >= most_) make_room();
    by_use_.push_front(channel);
    auto made = make_();
    slots_.emplace(channel, slot{made, by_use_.begin()});
    return made;
  }

  // Null when there is none; no use of it.
  const Entry* find(const std::string& channel) const {
    const auto found = slots_.find(channel);
    return found == slots_.end() ? nullptr : found->second.entry.get();
  }

  std::size_t size() const { return slots_.size(); }

 private:
  struct slot {
    std::shared_ptr<Entry> entry;
    std::list<std::string>::iterator place;
  };

  void make_room() {
    // For a few more than one, so that the next ones need not look again.
    auto oldest = by_use_.end();
    for (std::size_t left = std::max<std::size_t>(1, most_ / 8);
         left > 0 && oldest != by_use_.begin(); --left) {
      --oldest;
      const auto found = slots_.find(*oldest);
      if (stays(found->second)) continue;
      slots_.erase(found);
      oldest = by_use_.erase(oldest);
    }
  }

  bool stays(const slot& kept) const {
    if (kept.entry.use_count() > 1) return true;
    return slots_.size() < 4 * most_ && is_needed_(*kept.entry);
  }

  std::size_t most_;
  maker make_;
  need is_needed_;
  std::list<std::string> by_use_;  // the latest first
  std::map<std::string, slot> slots_;
};

}  // namespace rosey::playlist
