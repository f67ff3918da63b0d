// One coroutine for each channel in which something plays that will end.
#include "playlist_plugin/service/playback.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "playlist_plugin/domain/playback.hpp"
#include "rosey/sdk/storage_client.hpp"

namespace rosey::playlist {

using boost::asio::awaitable;

playback::playback(const sdk::context& context, playlist_storage& storage, channels& channels,
                   clock& time, std::chrono::milliseconds retry_interval)
    : context_(context),
      playlist_storage_(storage),
      channels_(channels),
      clock_(time),
      retry_interval_(retry_interval) {}

void playback::recover(std::function<void(const channel_state&)> recovered) {
  recovered_ = std::move(recovered);
  context_.tasks.spawn_until_stop("recovery", [this] { return recover_all(); });
}

void playback::watch(const std::string& channel) {
  if (const auto found = watchers_.find(channel); found != watchers_.end()) {
    found->second->poked = true;
    found->second->alarm->cancel();
    return;
  }
  auto made = std::make_shared<watcher>();
  made->alarm = std::make_shared<timer>(context_.executor);
  watchers_.emplace(channel, made);
  context_.tasks.spawn_until_stop(
      "playback in " + channel,
      [this, channel, made = std::move(made)] { return run(channel, made); });
}

awaitable<void> playback::run(std::string channel, std::shared_ptr<watcher> self) {
  for (;;) {
    self->poked = false;
    std::optional<std::int64_t> look_again;  // by the steady clock
    try {
      const channels::snapshot state = co_await channels_.advance(channel);
      look_again = channels_.end_of(*state);
      if (look_again) *look_again -= clock_.wall_offset();
      if (channels_.is_unsettled(channel)) {
        const std::int64_t soon = clock_.steady() + retry_interval_.count();
        look_again = std::min(look_again.value_or(soon), soon);
      }
      if (!look_again && !self->poked) break;
    } catch (const sdk::storage_unavailable&) {
      look_again = clock_.steady() + retry_interval_.count();
      self->poked = false;  // by our own failure
    } catch (...) {
      watchers_.erase(channel);
      throw;
    }
    if (self->poked) continue;
    clock_.arm(self->alarm, *look_again);
    co_await self->alarm->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  watchers_.erase(channel);
}

awaitable<void> playback::recover_all() {
  std::optional<std::vector<std::string>> names;
  while (!names) {
    try {
      names = co_await playlist_storage_.channels();
    } catch (const sdk::storage_unavailable& away) {
      context_.log.debug(std::string("the queues cannot be recovered yet: ") + away.what());
    }
    if (!names) co_await pause();
  }
  for (const std::string& channel : *names) {
    bool recovered = false;
    while (!recovered) {
      recovered = co_await recover_one(channel);
      if (!recovered) co_await pause();
    }
  }
}

awaitable<bool> playback::recover_one(std::string channel) {
  try {
    const auto state = co_await channels_.read(channel);
    if (!state) co_return false;
    const std::size_t items = totals_of(**state).items;
    context_.log.info("Recovered " + std::to_string(items) + " items for " + channel);
    recovered_(**state);
    co_return true;
  } catch (const sdk::storage_unavailable& away) {
    context_.log.debug(channel + " cannot be recovered yet: " + away.what());
  } catch (const std::runtime_error& damaged) {
    if (sdk::is_cancellation(damaged)) throw;
    context_.log.error(channel + " cannot be recovered: " + damaged.what());
    co_return true;
  }
  co_return false;
}

awaitable<void> playback::pause() {
  const auto alarm = std::make_shared<timer>(context_.executor);
  clock_.arm(alarm, clock_.steady() + retry_interval_.count());
  co_await alarm->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

}  // namespace rosey::playlist
