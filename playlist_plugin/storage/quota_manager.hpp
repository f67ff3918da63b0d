// Remembers who added when, over all channels and instances, so that spammers can be slowed down.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "playlist_plugin/domain/quota.hpp"
#include "rosey/sdk/storage_client.hpp"

namespace rosey::playlist {

// The times of a user's adds are a key of the store, "ratelimit:<user>", which expires with the
// window (seed 2.4). It is written in the batch of the add, guarded by its revision. A user of whom
// nothing is known is taken to have added nothing: if that is wrong, the guard refuses the batch.
// So an add needs no look-up of its own.
class quota_manager {
 public:
  quota_manager(sdk::storage_client& db, quota_config config) : db_(db), config_(config) {}

  // The user's adds that still count at `now`, as far as is known here.
  add_times recent_adds(const std::string& user, std::int64_t now) const;

  // Appends to the batch that the user adds at `now`. Gives what it writes, for added().
  add_times write_add(sdk::db::batch& batch, const std::string& user, std::int64_t now) const;

  // The batch was applied, and gave the key this revision.
  void added(const std::string& user, add_times written, std::int64_t revision);

  // The batch was refused because the user has added elsewhere: what is known here is not all.
  void outrun(const std::string& user);
  bool is_outrun(const std::string& user) const;

  // Reads again what storage knows. Throws sdk::storage_unavailable.
  boost::asio::awaitable<void> reload(std::string user);

  void forget(const std::string& user) { windows_.erase(user); }

  // Users that take memory: at most `most_known`.
  std::size_t known() const { return windows_.size(); }
  static constexpr std::size_t most_known = 10'000;

 private:
  struct window {
    add_times adds;
    std::int64_t revision = 0;
    bool read_back = false;  // storage still had it when it was asked last
    bool is_outrun = false;  // storage has more, and was not asked yet
  };

  window& window_of(const std::string& user);
  void learn(const std::string& user, window seen);
  void forget_expired(std::int64_t now);

  sdk::storage_client& db_;
  quota_config config_;
  std::map<std::string, window> windows_;
  std::size_t sweep_at_ = 1024;
};

}  // namespace rosey::playlist
