// The keys behind the rate limit.
#include "playlist_plugin/storage/quota_manager.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <stdexcept>
#include <utility>

#include "playlist_plugin/storage/keys.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;

std::string key_of(const std::string& user) {
  return bounded_key("ratelimit:", user);
}

}  // namespace

add_times quota_manager::recent_adds(const std::string& user, std::int64_t now) const {
  const auto known = windows_.find(user);
  return known == windows_.end() ? add_times() : within_window(config_, known->second.adds, now);
}

add_times quota_manager::write_add(sdk::db::batch& batch, const std::string& user,
                                   std::int64_t now) const {
  add_times adds = recent_adds(user, now);
  // The key expires with its newest add, and its revision is gone with it; but storage has a clock
  // of its own, and what it was asked for a moment ago is there.
  const auto known = windows_.find(user);
  const bool there = known != windows_.end() && (known->second.read_back || !adds.empty());
  adds.push_back(now);
  batch.kv_set(key_of(user), json::array(adds.begin(), adds.end()), config_.rate_limit_seconds,
               there ? known->second.revision : 0);
  return adds;
}

void quota_manager::added(const std::string& user, add_times written, std::int64_t revision) {
  forget_expired(written.back());
  learn(user, {std::move(written), revision, false, false});
}

quota_manager::window& quota_manager::window_of(const std::string& user) {
  // Of whom nothing is known here, storage knows.
  if (windows_.size() >= most_known && !windows_.contains(user)) windows_.clear();
  return windows_[user];
}

void quota_manager::learn(const std::string& user, window seen) {
  // Answers may overtake each other: the newest revision is the truth.
  window& known = window_of(user);
  if (seen.revision >= known.revision) known = std::move(seen);
}

boost::asio::awaitable<void> quota_manager::reload(std::string user) {
  forget(user);
  const auto stored = co_await db_.kv_get(key_of(user));
  if (!stored) throw std::runtime_error("cannot read the rate limit: " + stored.error().message);
  if (!stored->exists) co_return;
  window read{{}, stored->revision, true, false};
  if (const json::array* times = stored->value.if_array()) {
    for (const json::value& time : *times) {
      if (time.is_int64()) read.adds.push_back(time.get_int64());
    }
  }
  learn(user, std::move(read));
}

void quota_manager::outrun(const std::string& user) {
  window_of(user).is_outrun = true;
}

bool quota_manager::is_outrun(const std::string& user) const {
  const auto found = windows_.find(user);
  return found != windows_.end() && found->second.is_outrun;
}

void quota_manager::forget_expired(std::int64_t now) {
  if (windows_.size() < sweep_at_) return;
  std::erase_if(windows_, [this, now](const auto& entry) {
    return !entry.second.is_outrun && within_window(config_, entry.second.adds, now).empty();
  });
  sweep_at_ = std::max<std::size_t>(1024, windows_.size() * 2);
}

}  // namespace rosey::playlist
