// Optimistic concurrency: decide on what is known, store it if that is still true, else read again.
#include "playlist_plugin/service/channels.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <limits>
#include <utility>

#include "playlist_plugin/domain/queue_rules.hpp"
#include "playlist_plugin/service/messages.hpp"
#include "playlist_plugin/storage/refused.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

// Each failed try means that another one succeeded; so many in a row are a crowd, not bad luck.
constexpr int most_tries = 16;
constexpr std::int64_t longest_pause = 64;  // milliseconds

// Milliseconds. Routers wait for five seconds, and storage may take two.
constexpr std::int64_t longest_wait = 2'500;  // for one's turn
constexpr std::int64_t longest_work = 2'000;  // until the last try begins
constexpr std::size_t longest_line = 500;     // commands that wait for one channel

// Milliseconds that what is known of a channel is believed without a word about it.
constexpr std::int64_t trusted_for = 30'000;

// Milliseconds, after storage has answered again, in which it may still carry out what it was given
// before; and how many such changes of a channel are remembered, the first ones.
constexpr std::int64_t longest_lateness = 60'000;
constexpr std::size_t most_unsettled = 16;

// Channels that are kept in memory; of more, those not used for the longest time are read again.
// Those with a change of which nobody knows whether it is carried out are kept longer, so that it
// is published.
constexpr std::size_t most_entries = 1000;
constexpr std::size_t most_entries_with_unsettled = 4 * most_entries;

// A refusal that stands; the others say to try again.
bool is_final(const error& refusal) {
  return refusal.code != codes::rate_limited && refusal.code != codes::busy;
}

std::string random_name() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
}

}  // namespace

channels::channels(const sdk::context& context, playlist_storage& storage, clock& time,
                   const playback_config& config, queue_order order)
    : context_(context),
      storage_(storage),
      clock_(time),
      config_(config),
      order_(order),
      own_name_(random_name()) {}

void channels::on_change(std::function<void(const std::string&)> listener) {
  listener_ = std::move(listener);
}

void channels::on_stored(std::function<void(const playlist::change&, const origin&)> listener) {
  stored_listener_ = std::move(listener);
}

void channels::on_loaded(std::function<void(const loaded_channel&)> listener) {
  loaded_listener_ = std::move(listener);
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
    const bool has_news = !known->second.at->unsettled.empty();
    if (has_news && entries_.size() < most_entries_with_unsettled) continue;
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
  at->newest_known = std::max(at->newest_known, version);
  if (at->state && at->state->version == at->newest_known) at->confirmed_at = clock_.steady();
  // A change may have several events, of which not the first one moves the end.
  const bool known = at->state && at->state->version >= version;
  if (moves_the_end && !known) notify(channel);
}

bool channels::is_unsettled(const std::string& channel) const {
  const auto known = entries_.find(channel);
  return known != entries_.end() && !known->second.at->unsettled.empty();
}

bool channels::is_confirmed(const entry& at) const {
  return clock_.steady() < at.confirmed_at + trusted_for;
}

awaitable<result<async_mutex::guard>> channels::enter(std::shared_ptr<entry> at) {
  if (at->mutex.waiting() >= longest_line) co_return too_busy();
  const std::uint64_t silences = at->silences;
  auto turn = co_await at->mutex.lock_until(clock_, clock_.steady() + longest_wait);
  if (!turn) co_return too_busy();
  fail_if_storage_was_silent_meanwhile(*at, silences);
  co_return std::move(*turn);
}

void channels::fail_if_storage_was_silent_meanwhile(const entry& at,
                                                    std::uint64_t silences_before) const {
  if (at.silences == silences_before) return;
  throw sdk::storage_timed_out("Storage: gave no answer to others that came before");
}

template <class T>
awaitable<T> channels::noting_silence(std::shared_ptr<entry> at, awaitable<T> work) {
  try {
    co_return co_await std::move(work);
  } catch (const sdk::storage_timed_out&) {
    ++at->silences;
    throw;
  }
}

awaitable<channels::snapshot> channels::refresh(std::string channel, std::shared_ptr<entry> at) {
  const bool good = at->state && at->state->version >= at->newest_known && at->unsettled.empty();
  if (good) {
    follow_clock(*at);
    co_return at->state;
  }
  at->state.reset();
  const std::int64_t told = at->newest_known;
  loaded_channel loaded = co_await storage_.load(channel);
  loaded.state.order = order_;
  co_await settle(at, loaded.state.version);
  // What storage says ends the matter, unless more was heard while it was asked.
  if (at->newest_known == told) at->newest_known = loaded.state.version;
  at->state = std::make_shared<const channel_state>(loaded.state);
  follow_clock(*at);
  at->confirmed_at = clock_.steady();
  if (loaded_listener_) loaded_listener_(loaded);
  // Whoever looks again until all is settled is not sent to look once more.
  const bool is_news = at->loaded_version != loaded.state.version || at->unsettled.empty();
  at->loaded_version = loaded.state.version;
  if (is_news) notify(channel);
  co_return at->state;
}

void channels::follow_clock(entry& at) const {
  if (!at.state->playing) return;
  const std::int64_t started_at = at.started.start_of(*at.state->playing, clock_);
  if (started_at == at.state->playing->started_at) return;
  channel_state shown = *at.state;
  shown.playing->started_at = started_at;
  at.state = std::make_shared<const channel_state>(std::move(shown));
}

awaitable<void> channels::settle(std::shared_ptr<entry> at, std::int64_t version) {
  if (at->unsettled.empty()) co_return;
  if (at->unsettled.front().what.after().version > version) {
    const std::int64_t now = clock_.steady();
    if (at->answered_at == 0) at->answered_at = now;
    if (now >= at->answered_at + longest_lateness) at->unsettled.clear();
    co_return;
  }
  while (!at->unsettled.empty()) {
    const std::string request_id = at->unsettled.front().request_id;
    const auto found = co_await storage_.find_answer(request_id);
    conclude(*at, request_id, found ? found->stamp : std::string(), false);
  }
}

void channels::conclude(entry& at, const std::string& request_id, const std::string& stamp,
                        bool was_answered) {
  const auto has_id = [&](const auto& each) { return each.request_id == request_id; };
  const auto applied =
      std::find_if(at.unsettled.begin(), at.unsettled.end(),
                   [&](const auto& each) { return has_id(each) && each.stamp == stamp; });
  if (applied == at.unsettled.end()) {
    std::erase_if(at.unsettled, has_id);
    return;
  }
  unsettled_change late = std::move(*applied);
  at.unsettled.clear();
  if (!was_answered) late.from.answer_names_next = false;
  tell(late.what, late.from, late.now);
}

awaitable<result<channels::snapshot>> channels::read(std::string channel, std::int64_t at_least) {
  const std::shared_ptr<entry> at = find(channel);
  const auto turn = co_await enter(at);
  if (!turn) co_return turn.error();
  const bool good = at->state && at->state->version >= at_least && is_confirmed(*at);
  if (!good) at->state.reset();
  auto work = refresh(channel, at);
  co_return co_await noting_silence(at, std::move(work));
}

awaitable<channels::snapshot> channels::advance(std::string channel) {
  const std::shared_ptr<entry> at = find(channel);
  const std::uint64_t silences = at->silences;
  const auto turn = co_await at->mutex.lock();
  fail_if_storage_was_silent_meanwhile(*at, silences);
  auto work = let_time_pass(channel, at);
  co_return co_await noting_silence(at, std::move(work));
}

awaitable<channels::snapshot> channels::let_time_pass(std::string channel,
                                                      std::shared_ptr<entry> at) {
  snapshot before = co_await refresh(channel, at);
  if (!playlist::advance(*before, config_, clock_.now())) co_return before;
  origin from;
  from.channel = channel;
  decider decide = [this](const channel_state& state, std::int64_t now) -> result<decision> {
    return decision{playlist::advance(state, config_, now), {}, {}};
  };
  preparation nothing;
  static_cast<void>(co_await decide_and_store(std::move(from), std::move(decide),
                                              std::move(nothing), at,
                                              std::numeric_limits<std::int64_t>::max()));
  co_return co_await refresh(channel, at);
}

awaitable<result<std::optional<json::object>>> channels::earlier_answer(origin from) {
  const std::shared_ptr<entry> at = find(from.channel);
  const auto turn = co_await enter(at);
  if (!turn) co_return turn.error();
  auto work = find_answer(std::move(from), at);
  co_return co_await noting_silence(at, std::move(work));
}

awaitable<std::optional<json::object>> channels::find_answer(origin from,
                                                             std::shared_ptr<entry> at) {
  // Whoever had the earlier attempt may have stored it without living to tell of it.
  if (from.attempt > 1) forget(from.channel, *at);
  if (from.request_id.empty()) co_return std::nullopt;
  auto found = co_await storage_.find_answer(from.request_id);
  if (!found) co_return std::nullopt;
  conclude(*at, from.request_id, found->stamp, true);
  if (from.attempt == 1) forget(from.channel, *at);  // it may not be known here what was done
  co_return std::move(found->reply);
}

awaitable<result<json::object>> channels::refuse(origin from, refusal reason) {
  const std::shared_ptr<entry> at = find(from.channel);
  auto work = keep(std::move(from), at, std::move(reason));
  co_return co_await noting_silence(at, std::move(work));
}

awaitable<result<json::object>> channels::keep(origin from, std::shared_ptr<entry> at,
                                               result<json::object> answer) {
  if (from.request_id.empty()) co_return answer;
  from.attempt = 1;
  if (!answer && !is_final(answer.error())) {
    auto earlier = co_await find_answer(std::move(from), at);
    if (earlier) co_return std::move(*earlier);
    co_return answer;
  }
  json::object reply = answer ? *answer : from.write_failure(answer.error());
  stored_answer own{next_stamp(), std::move(reply)};
  const std::string stamp = own.stamp;
  auto earlier = co_await storage_.keep_answer(from.request_id, std::move(own));
  conclude(*at, from.request_id, earlier ? earlier->stamp : stamp, true);
  if (!earlier) co_return answer;
  forget(from.channel, *at);  // it may not be known here what was done
  co_return std::move(earlier->reply);
}

awaitable<result<json::object>> channels::change(origin from, decider decide, preparation prepare) {
  const std::shared_ptr<entry> at = find(from.channel);
  std::optional<conclusion> decided;
  {
    const auto turn = co_await enter(at);
    if (!turn) co_return turn.error();
    if (from.attempt > 1) {
      auto look_up = find_answer(from, at);
      auto answered = co_await noting_silence(at, std::move(look_up));
      if (answered) co_return std::move(*answered);
    }
    auto work = decide_and_store(from, std::move(decide), std::move(prepare), at,
                                 clock_.steady() + longest_work);
    decided = co_await noting_silence(at, std::move(work));
  }
  if (!decided->changes_nothing) co_return std::move(decided->answer);
  // Others go on meanwhile: what many are refused is written together.
  auto keeping = keep(std::move(from), at, std::move(decided->answer));
  co_return co_await noting_silence(at, std::move(keeping));
}

awaitable<channels::conclusion> channels::decide_and_store(origin from, decider decide,
                                                           preparation prepare,
                                                           std::shared_ptr<entry> at,
                                                           std::int64_t deadline) {
  for (int tries = 0; tries < most_tries && clock_.steady() <= deadline; ++tries) {
    // One conflict is no crowd.
    if (tries > 1) co_await back_off(tries);
    const snapshot state = co_await refresh(from.channel, at);
    if (prepare) co_await prepare(state);
    // Nothing is begun that ends after the sender has given up.
    if (clock_.steady() > deadline) break;
    const std::int64_t now = clock_.now();
    auto decided = decide(*state, now);
    const bool changes = decided && decided->change;
    // Storage guards a change; an answer without one has to be true by itself.
    if (!changes && !is_confirmed(*at)) {
      at->state.reset();
      continue;
    }
    if (!decided) co_return conclusion{decided.error(), true};
    if (!changes) co_return conclusion{std::move(decided->reply), true};
    json::object reply = decided->reply;
    store_outcome outcome = co_await store(at, from, std::move(*decided), now);
    switch (outcome.status) {
      case store_status::stored:
      case store_status::stored_before:
        co_return conclusion{std::move(reply)};
      case store_status::replayed:
        conclude(*at, from.request_id, outcome.earlier.stamp, true);
        forget(from.channel, *at);
        co_return conclusion{std::move(outcome.earlier.reply)};
      case store_status::channel_changed:
        at->state.reset();
        break;
      case store_status::user_outrun:
        break;  // the preparation reads how
    }
  }
  co_return conclusion{too_busy()};
}

awaitable<void> channels::back_off(int tries) {
  const std::int64_t limit = std::min<std::int64_t>(std::int64_t{1} << tries, longest_pause);
  const std::int64_t pause = std::uniform_int_distribution<std::int64_t>(0, limit)(random_);
  const auto timer = std::make_shared<boost::asio::steady_timer>(context_.executor);
  clock_.arm(timer, clock_.steady() + pause);
  co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

awaitable<store_outcome> channels::store(std::shared_ptr<entry> at, origin from, decision decided,
                                         std::int64_t now) {
  const playlist::change& what = *decided.change;
  const std::int64_t offset = clock_.wall_offset();  // the clock may be set before storage answers
  const std::string stamp = next_stamp();
  const std::string request_id = from.request_id.empty() ? "own:" + stamp : from.request_id;
  pending_change pending{what,       now,   decided.charged_user,
                         request_id, stamp, std::move(decided.reply)};
  store_outcome outcome;
  try {
    outcome = co_await storage_.store(std::move(pending));
  } catch (...) {
    // Whether it was applied is not known: what was known of it is not to be trusted any more.
    remember(*at, {std::move(*decided.change), from, now, request_id, stamp});
    forget(from.channel, *at);
    throw;
  }
  const bool newest = outcome.status == store_status::stored;
  if (newest || outcome.status == store_status::stored_before) {
    at->state = std::make_shared<const channel_state>(what.after());
    if (newest) at->confirmed_at = clock_.steady();
    if (what.playing_changed() && what.after().playing) {
      at->started.stored(*what.after().playing, offset);
    }
    at->unsettled.clear();  // this was the change to their version
    tell(what, from, now);
  }
  co_return outcome;
}

std::string channels::next_stamp() {
  return own_name_ + "-" + std::to_string(++stores_);
}

void channels::remember(entry& at, unsettled_change left) {
  at.answered_at = 0;
  if (at.unsettled.size() < most_unsettled) at.unsettled.push_back(std::move(left));
}

void channels::tell(const playlist::change& stored, const origin& from, std::int64_t now) const {
  publish(stored, now);
  if (stored_listener_) stored_listener_(stored, from);
  if (stored.playing_changed()) notify(from.channel);
}

void channels::publish(const playlist::change& stored, std::int64_t now) const {
  for (const json::object& message : to_json(stored.events(), stored.after(), now)) {
    try {
      context_.bus.publish(message.at("event").as_string(), json::serialize(message));
    } catch (const std::exception& failure) {
      // A listener sees the gap in the versions when it hears of the channel again.
      context_.log.fault("event", std::string("an event was not published: ") + failure.what());
    }
  }
}

}  // namespace rosey::playlist
