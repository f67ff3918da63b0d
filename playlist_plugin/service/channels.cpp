// Optimistic concurrency: decide on what is known, store it if that is still true, else read again.
#include "playlist_plugin/service/channels.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <utility>

#include "playlist_plugin/domain/queue_rules.hpp"
#include "playlist_plugin/service/messages.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

// Each failed try means that another one succeeded; so many in a row are a crowd, not bad luck.
constexpr int most_tries = 16;
constexpr std::int64_t longest_pause = 64;  // milliseconds

// Channels that are kept in memory; of more, those not used for the longest time are read again.
constexpr std::size_t most_entries = 1000;

}  // namespace

channels::channels(const sdk::context& context, playlist_storage& storage, quota_manager& quotas,
                   clock& time, const playback_config& config, queue_order order)
    : context_(context),
      storage_(storage),
      quotas_(quotas),
      clock_(time),
      config_(config),
      order_(order) {}

void channels::on_change(std::function<void(const std::string&)> listener) {
  listener_ = std::move(listener);
}

void channels::on_stored(std::function<void(const playlist::change&, const origin&)> listener) {
  stored_listener_ = std::move(listener);
}

std::shared_ptr<channels::entry> channels::find(const std::string& channel) {
  const auto known = entries_.find(channel);
  if (known != entries_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, known->second.use);
    return known->second.at;
  }
  if (entries_.size() >= most_entries) forget_unused();
  by_use_.push_front(channel);
  auto made = std::make_shared<entry>(context_.executor);
  entries_.emplace(channel, cached{made, by_use_.begin()});
  return made;
}

void channels::forget_unused() {
  // A few more than one, so that the next ones need not look again.
  auto oldest = by_use_.end();
  for (std::size_t left = most_entries / 8; left > 0 && oldest != by_use_.begin(); --left) {
    --oldest;
    const auto known = entries_.find(*oldest);
    if (known->second.at.use_count() > 1) continue;  // somebody is at it
    entries_.erase(known);
    oldest = by_use_.erase(oldest);
  }
}

void channels::forget(const std::string& channel, entry& at) {
  at.state.reset();
  notify(channel);
}

void channels::notify(const std::string& channel) const {
  if (listener_) listener_(channel);
}

void channels::heard(const std::string& channel, std::int64_t version, bool moves_the_end) {
  // Of a channel that is not known here there is nothing to refresh, but something to watch.
  if (!moves_the_end && !entries_.contains(channel)) return;
  const std::shared_ptr<entry> at = find(channel);
  if (version <= at->newest_known) return;
  if (at->state && at->state->version >= version) return;
  at->newest_known = version;
  if (moves_the_end) notify(channel);
}

awaitable<void> channels::refresh(std::string channel, std::shared_ptr<entry> at) {
  if (at->state && at->state->version >= at->newest_known) co_return;
  at->state.reset();
  const std::int64_t told = at->newest_known;
  channel_state loaded = co_await storage_.load(channel);
  loaded.order = order_;
  // What storage says ends the matter, unless more was heard while it was asked.
  if (at->newest_known == told) at->newest_known = loaded.version;
  at->state = std::make_shared<const channel_state>(std::move(loaded));
  notify(channel);
}

awaitable<channels::snapshot> channels::read(std::string channel) {
  const std::shared_ptr<entry> at = find(channel);
  const auto turn = co_await at->mutex.lock();
  co_await refresh(channel, at);
  co_return at->state;
}

awaitable<channels::snapshot> channels::advance(std::string channel) {
  const std::shared_ptr<entry> at = find(channel);
  const auto turn = co_await at->mutex.lock();
  co_await refresh(channel, at);
  if (playlist::advance(*at->state, config_, clock_.now())) {
    origin from;
    from.channel = channel;
    decider let_time_pass = [this](const channel_state& state,
                                   std::int64_t now) -> result<decision> {
      return decision{playlist::advance(state, config_, now), {}, {}};
    };
    static_cast<void>(co_await decide_and_store(std::move(from), std::move(let_time_pass), {}, at));
    co_await refresh(channel, at);
  }
  co_return at->state;
}

awaitable<result<json::object>> channels::change(origin from, decider decide, preparation prepare) {
  const std::shared_ptr<entry> at = find(from.channel);
  const auto turn = co_await at->mutex.lock();
  if (from.attempt > 1 && !from.request_id.empty()) {
    auto answered = co_await storage_.find_reply(from.request_id);
    if (answered) co_return std::move(*answered);
  }
  co_return co_await decide_and_store(std::move(from), std::move(decide), std::move(prepare), at);
}

awaitable<result<json::object>> channels::decide_and_store(origin from, decider decide,
                                                           preparation prepare,
                                                           std::shared_ptr<entry> at) {
  for (int tries = 0; tries < most_tries; ++tries) {
    // One conflict is no crowd.
    if (tries > 1) co_await back_off(tries);
    co_await refresh(from.channel, at);
    if (prepare) co_await prepare();
    const std::int64_t now = clock_.now();
    auto decided = decide(*at->state, now);
    if (!decided) co_return decided.error();
    if (!decided->change) co_return std::move(decided->reply);
    json::object reply = decided->reply;
    const std::string adder = decided->adder;
    store_outcome outcome = co_await store(at, from, std::move(*decided), now);
    switch (outcome.status) {
      case store_status::stored:
        co_return reply;
      case store_status::replayed:
        forget(from.channel, *at);
        co_return std::move(outcome.reply);
      case store_status::channel_changed:
        at->state.reset();
        break;
      case store_status::adder_changed:
        co_await quotas_.reload(adder);
        break;
    }
  }
  co_return error{codes::busy, "Too many people are changing this queue; try again"};
}

awaitable<void> channels::back_off(int tries) {
  const std::int64_t limit = std::min<std::int64_t>(std::int64_t{1} << tries, longest_pause);
  const std::int64_t pause = std::uniform_int_distribution<std::int64_t>(0, limit)(random_);
  const auto timer = std::make_shared<boost::asio::steady_timer>(context_.executor);
  clock_.arm(timer, clock_.now() + pause);
  co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

awaitable<store_outcome> channels::store(std::shared_ptr<entry> at, origin from, decision decided,
                                         std::int64_t now) {
  const playlist::change& what = *decided.change;
  pending_change pending{what, now, decided.adder, from.request_id, std::move(decided.reply)};
  store_outcome outcome;
  try {
    outcome = co_await storage_.store(std::move(pending));
  } catch (...) {
    // Whether it was applied is not known: what was known of it is not to be trusted any more.
    if (!decided.adder.empty()) quotas_.forget(decided.adder);
    forget(from.channel, *at);
    throw;
  }
  if (outcome.status == store_status::stored) {
    at->state = std::make_shared<const channel_state>(what.after());
    publish(what, now);
    if (stored_listener_) stored_listener_(what, from);
    if (what.playing_changed()) notify(from.channel);
  }
  co_return outcome;
}

void channels::publish(const playlist::change& stored, std::int64_t now) const {
  for (const json::object& message : to_json(stored.events(), stored.after(), now)) {
    try {
      context_.bus.publish(message.at("event").as_string(), json::serialize(message));
    } catch (const std::exception& failure) {
      // A listener sees the gap in the versions when it hears of the channel again.
      context_.log.warning(std::string("an event was not published: ") + failure.what());
    }
  }
}

}  // namespace rosey::playlist
