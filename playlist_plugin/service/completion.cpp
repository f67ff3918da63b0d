// One coroutine for each media that is missing in a channel.
#include "playlist_plugin/service/completion.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vector>

#include "playlist_plugin/domain/text.hpp"

namespace rosey::playlist {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t storage_pause = 5000;  // milliseconds, while storage is away
constexpr std::int64_t spare_time = 5000;     // milliseconds, beyond those of a fetch
constexpr std::size_t most_jobs = 10'000;     // of more, what is missing stays so until it is read
constexpr int most_useless = 12;              // answers, in some fifty minutes

template <class Look>
void for_each_item(const channel_state& channel, Look look) {
  if (channel.playing) look(channel.playing->item);
  for (const waiting_item& waiting : channel.waiting) look(waiting.item);
}

}  // namespace

completion::completion(const sdk::context& context, channels& channels, metadata_lookup& metadata,
                       const announcer& announcer, clock& time, const plugin_config& config)
    : context_(context),
      channels_(channels),
      metadata_lookup_(metadata),
      announcer_(announcer),
      clock_(time),
      limits_(config.limits),
      grace_(config.metadata.timeout_ms + spare_time) {}

bool completion::is_missing(const queue_item& item) const {
  return is_undescribed(item) && metadata_lookup_.knows(item.media);
}

void completion::complete(const std::string& channel, const media_link& media, std::int64_t at) {
  const name key{channel, media.type + ":" + media.id};
  if (jobs_.size() >= most_jobs && !jobs_.contains(key)) return;
  const auto [found, is_new] = jobs_.try_emplace(key, nullptr);
  if (is_new) {
    found->second = std::make_shared<job>(job{at, std::make_shared<timer>(context_.executor)});
    context_.tasks.spawn_until_stop(
        "metadata for " + channel,
        [this, channel, media, shared = found->second] { return run(channel, media, shared); });
  } else if (at < found->second->at) {
    found->second->at = at;
    found->second->alarm->cancel();
  }
}

void completion::complete_all(const channel_state& channel) {
  for_each_item(channel, [&](const queue_item& item) {
    if (is_missing(item)) complete(channel.name, item.media, clock_.steady());
  });
}

void completion::take_over(const channel_state& channel) {
  for_each_item(channel, [&](const queue_item& item) { take_over(channel.name, item); });
}

void completion::take_over(const std::string& channel, const queue_item& item) {
  if (is_missing(item)) complete(channel, item.media, clock_.steady() + grace_);
}

awaitable<void> completion::run(std::string channel, media_link media, std::shared_ptr<job> self) {
  const name key{channel, media.type + ":" + media.id};
  const auto failures = std::make_shared<int>(0);
  try {
    for (;;) {
      co_await wait(self);
      const std::optional<std::int64_t> again = co_await attempt(channel, media, failures);
      if (!again) break;
      self->at = *again;
    }
  } catch (...) {
    jobs_.erase(key);
    throw;
  }
  jobs_.erase(key);
}

awaitable<void> completion::wait(std::shared_ptr<job> self) {
  while (clock_.steady() < self->at) {
    clock_.arm(self->alarm, self->at);
    co_await self->alarm->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
}

awaitable<std::optional<std::int64_t>> completion::attempt(std::string channel, media_link media,
                                                           std::shared_ptr<int> failures) {
  try {
    const auto state = co_await channels_.read(channel);
    if (!state) co_return clock_.steady() + storage_pause;
    bool missing = false;
    for_each_item(**state, [&](const queue_item& item) {
      missing = missing || (item.media == media && is_missing(item));
    });
    if (!missing) co_return std::nullopt;
    const media_answer answer = co_await metadata_lookup_.find(media, std::nullopt);
    if (answer.about) {
      const settling done = co_await settle(channel, media, *answer.about);
      if (done == settling::whole) co_return std::nullopt;
      co_return clock_.steady() + (done == settling::in_part ? 0 : storage_pause);
    }
    // A site that is away is asked as long as the item is there.
    if (answer.is_final || (answer.useless && ++*failures == most_useless)) co_return std::nullopt;
    co_return answer.retry_at;
  } catch (const sdk::storage_unavailable& away) {
    context_.log.debug("metadata for " + channel + ": " + away.what());
  }
  co_return clock_.steady() + storage_pause;
}

awaitable<completion::settling> completion::settle(std::string channel, media_link media,
                                                   media_metadata about) {
  const auto outcome = std::make_shared<settle_outcome>();
  decider decide = [this, media, about, outcome](const channel_state& state,
                                                 std::int64_t now) -> result<decision> {
    *outcome = playlist::settle(state, media, about, limits_, now);
    return decision{outcome->change, {}, {}};
  };
  origin from;
  from.channel = channel;
  const auto stored = co_await channels_.change(std::move(from), std::move(decide));
  if (!stored) co_return settling::refused;
  for (const removed_item& removed : outcome->removed) {
    announcer_.say(channel, "🗑️ " + printable(removed.item.added_by) + ": " +
                                removed.item.title + " was removed. " + removed.reason);
  }
  co_return outcome->more ? settling::in_part : settling::whole;
}

}  // namespace rosey::playlist
