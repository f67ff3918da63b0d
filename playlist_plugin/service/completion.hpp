// Items that were added before their site had told about them get what it tells later, whatever
// becomes of the instance that added them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "playlist_plugin/config.hpp"
#include "playlist_plugin/domain/adding_rules.hpp"
#include "playlist_plugin/metadata/metadata_lookup.hpp"
#include "playlist_plugin/service/announcer.hpp"
#include "playlist_plugin/service/channels.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

class completion {
 public:
  completion(const sdk::context& context, channels& channels, metadata_lookup& metadata,
             const announcer& announcer, clock& time, const plugin_config& config);

  // Asks for the media at this time (by the steady clock) if it is still missing then, and again,
  // less and less often, while the site fails.
  void complete(const std::string& channel, const media_link& media, std::int64_t at);

  // Asks at once for all that is missing.
  void complete_all(const channel_state& channel);

  // Somebody has added this, or stored it: asks for what is missing when whoever added it has had
  // the time to do so.
  void take_over(const channel_state& channel);
  void take_over(const std::string& channel, const queue_item& item);

 private:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using timer = boost::asio::steady_timer;

  struct job {
    std::int64_t at = 0;
    std::shared_ptr<timer> alarm;
  };
  using name = std::pair<std::string, std::string>;  // channel, media

  bool is_missing(const queue_item& item) const;
  awaitable<void> run(std::string channel, media_link media, std::shared_ptr<job> self);
  awaitable<void> wait(std::shared_ptr<job> self);
  // When to try again; nothing when nothing is left to do.
  awaitable<std::optional<std::int64_t>> attempt(std::string channel, media_link media,
                                                 std::shared_ptr<int> failures);
  // Refused when the queue is too busy to be changed; in part when too many items wait for it.
  enum class settling { refused, in_part, whole };
  awaitable<settling> settle(std::string channel, media_link media, media_metadata about);

  sdk::context context_;
  channels& channels_;
  metadata_lookup& metadata_lookup_;
  const announcer& announcer_;
  clock& clock_;
  queue_limits limits_;
  std::int64_t grace_;  // milliseconds that whoever added it has
  std::map<name, std::shared_ptr<job>> jobs_;
};

}  // namespace rosey::playlist
