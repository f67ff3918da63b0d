// Optimistic concurrency: decide on what is known, store it if that is still true, else read again.
#include "playlist_plugin/service/channels.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "playlist_plugin/domain/queue_rules.hpp"
#include "playlist_plugin/storage/refused.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;
using doing = channel_knowledge::doing;
using verdict = channel_knowledge::verdict;

// Milliseconds until the last try begins. Routers wait for five seconds, and storage may take two.
constexpr std::int64_t longest_work = 2'000;

// Channels that are kept in memory. Those with a change of which nobody knows whether it is carried
// out are kept longer, so that it is published.
constexpr std::size_t most_channels = 1000;

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
      playlist_storage_(storage),
      clock_(time),
      playback_config_(config),
      order_(order),
      event_publisher_(context),
      own_name_(random_name()),
      channel_cache_(
          most_channels, [this] { return std::make_shared<entry>(context_.executor); },
          [](const entry& kept) { return kept.knowledge.is_doubtful(); }) {}

void channels::on_change(std::function<void(const std::string&)> listener) {
  change_listener_ = std::move(listener);
}

void channels::on_stored(std::function<void(const playlist::change&, bool)> listener) {
  stored_listener_ = std::move(listener);
}

void channels::on_loaded(std::function<void(const loaded_channel&)> listener) {
  loaded_listener_ = std::move(listener);
}

void channels::heard(const std::string& channel, std::int64_t version, bool moves_the_end) {
  // Of a channel that is not known here there is nothing to refresh, but something to watch.
  if (!moves_the_end && !channel_cache_.find(channel)) return;
  const handle at = channel_cache_.use(channel);
  at->knowledge.heard(version, clock_.look());
  // A change may have several events, of which not the first one moves the end.
  if (moves_the_end && !at->knowledge.has(version)) notify(channel);
}

bool channels::is_unsettled(const std::string& channel) const {
  const entry* known = channel_cache_.find(channel);
  return known && known->knowledge.is_doubtful();
}

awaitable<result<channels::snapshot>> channels::read(std::string channel, std::int64_t at_least) {
  const handle at = channel_cache_.use(channel);
  const auto turn = co_await at->turns.enter(clock_);
  if (!turn) co_return turn.error();
  at->knowledge.begin(channel_knowledge::no_deadline);
  at->knowledge.require(at_least, clock_.look());
  auto work = inform(std::move(channel), at);
  co_return co_await at->turns.noting_silence(std::move(work));
}

awaitable<channels::snapshot> channels::advance(std::string channel) {
  const handle at = channel_cache_.use(channel);
  const auto turn = co_await at->turns.enter_patiently();
  auto work = advance_now(std::move(channel), at);
  co_return co_await at->turns.noting_silence(std::move(work));
}

awaitable<channels::snapshot> channels::advance_now(std::string channel, handle at) {
  at->knowledge.begin(channel_knowledge::no_deadline);
  snapshot before = co_await inform(channel, at);
  if (!playlist::advance(*before, playback_config_, clock_.now())) co_return before;
  origin from;
  from.channel = channel;
  decider decide = [this](const channel_state& state, std::int64_t now) -> result<decision> {
    return decision{playlist::advance(state, playback_config_, now), {}, {}};
  };
  preparation nothing;
  static_cast<void>(co_await decide_and_store(
      std::move(from), std::move(decide), std::move(nothing), channel_knowledge::no_deadline, at));
  at->knowledge.begin(channel_knowledge::no_deadline);
  co_return co_await inform(std::move(channel), at);
}

awaitable<result<std::optional<json::object>>> channels::earlier_answer(origin from) {
  const handle at = channel_cache_.use(from.channel);
  const auto turn = co_await at->turns.enter(clock_);
  if (!turn) co_return turn.error();
  auto work = find_answer(std::move(from), at);
  co_return co_await at->turns.noting_silence(std::move(work));
}

awaitable<result<json::object>> channels::refuse(origin from, refusal reason) {
  const handle at = channel_cache_.use(from.channel);
  auto work = keep_answer(std::move(from), std::move(reason), at);
  co_return co_await at->turns.noting_silence(std::move(work));
}

awaitable<result<json::object>> channels::change(origin from, decider decide, preparation prepare) {
  const handle at = channel_cache_.use(from.channel);
  std::optional<conclusion> concluded;
  {
    const auto turn = co_await at->turns.enter(clock_);
    if (!turn) co_return turn.error();
    auto work = from.attempt > 1
                    ? change_unless_answered(from, std::move(decide), std::move(prepare), at)
                    : decide_and_store(from, std::move(decide), std::move(prepare),
                                       clock_.steady() + longest_work, at);
    concluded = co_await at->turns.noting_silence(std::move(work));
  }
  if (!concluded->changes_nothing) co_return std::move(concluded->answer);
  // Others go on meanwhile: what many are refused is written together.
  auto keeping = keep_answer(std::move(from), std::move(concluded->answer), at);
  co_return co_await at->turns.noting_silence(std::move(keeping));
}

awaitable<channels::conclusion> channels::change_unless_answered(origin from, decider decide,
                                                                 preparation prepare, handle at) {
  auto answered = co_await find_answer(from, at);
  if (answered) co_return conclusion{std::move(*answered)};
  co_return co_await decide_and_store(std::move(from), std::move(decide), std::move(prepare),
                                      clock_.steady() + longest_work, at);
}

awaitable<channels::conclusion> channels::decide_and_store(origin from, decider decide,
                                                           preparation prepare,
                                                           std::int64_t deadline, handle at) {
  at->knowledge.begin(deadline);
  for (;;) {
    const snapshot state = co_await inform(from.channel, at);
    if (!state) co_return conclusion{too_busy()};
    if (prepare) co_await prepare(state);
    const clock_time now = clock_.look();
    auto decided = decide(*state, now.wall);
    const bool changes = decided && decided->change;
    const verdict what = at->knowledge.decided(changes, now);
    if (what == verdict::again) continue;
    if (what == verdict::give_up) co_return conclusion{too_busy()};
    if (!decided) co_return conclusion{decided.error(), true};
    if (!changes) co_return conclusion{std::move(decided->reply), true};
    auto reply = co_await store(from, std::move(*decided), now, at);
    if (reply) co_return conclusion{std::move(*reply)};
  }
}

awaitable<channels::snapshot> channels::inform(std::string channel, handle at) {
  for (;;) {
    channel_knowledge::action next = at->knowledge.next(clock_.look());
    switch (next.what) {
      case doing::use:
        if (next.is_news) notify(channel);
        co_return std::move(next.state);
      case doing::read:
        co_await load(channel, at);
        break;
      case doing::look_up:
        co_await look_up(channel, std::move(next.request_id), at);
        break;
      case doing::pause:
        co_await pause(next.longest);
        break;
      case doing::give_up:
        co_return nullptr;
    }
  }
}

awaitable<void> channels::load(std::string channel, handle at) {
  loaded_channel loaded = co_await playlist_storage_.load(std::move(channel));
  loaded.state.order = order_;
  if (loaded_listener_) loaded_listener_(loaded);
  at->knowledge.loaded(std::move(loaded.state), clock_.look());
}

awaitable<void> channels::look_up(std::string channel, std::string request_id, handle at) {
  const auto found = co_await playlist_storage_.find_answer(request_id);
  const std::string stamp = found ? found->stamp : std::string();
  publish(channel, at->knowledge.looked_up(request_id, stamp));
}

awaitable<void> channels::pause(std::int64_t longest) {
  const std::int64_t length = std::uniform_int_distribution<std::int64_t>(0, longest)(random_);
  const auto timer = std::make_shared<boost::asio::steady_timer>(context_.executor);
  clock_.arm(timer, clock_.steady() + length);
  co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

awaitable<std::optional<json::object>> channels::store(origin from, decision decided,
                                                       clock_time now, handle at) {
  std::string stamp = next_stamp();
  std::string request_id = from.request_id.empty() ? "own:" + stamp : from.request_id;
  const sent_change& sent = at->knowledge.sent({std::move(*decided.change), std::move(request_id),
                                                std::move(stamp), now, from.answer_names_next});
  pending_change pending{sent.what,       now.wall,   std::move(decided.charged_user),
                         sent.request_id, sent.stamp, decided.reply};
  store_outcome outcome;
  try {
    outcome = co_await playlist_storage_.store(std::move(pending));
  } catch (...) {
    at->knowledge.timed_out();
    notify(from.channel);
    throw;
  }
  switch (outcome.status) {
    case store_status::stored:
      publish(from.channel, at->knowledge.stored(clock_.look()));
      co_return std::move(decided.reply);
    case store_status::stored_before:
      publish(from.channel, at->knowledge.stored_before());
      co_return std::move(decided.reply);
    case store_status::replayed:
      publish(from.channel, at->knowledge.replayed(outcome.earlier.stamp));
      notify(from.channel);
      co_return std::move(outcome.earlier.reply);
    case store_status::channel_changed:
      at->knowledge.conflicted();
      break;
    case store_status::user_outrun:
      at->knowledge.refused();  // the preparation looks up why
      break;
  }
  co_return std::nullopt;
}

awaitable<std::optional<json::object>> channels::find_answer(origin from, handle at) {
  // Whoever had the earlier attempt may have stored it without living to tell of it.
  if (from.attempt > 1) {
    at->knowledge.forget();
    notify(from.channel);
  }
  if (from.request_id.empty()) co_return std::nullopt;
  auto found = co_await playlist_storage_.find_answer(from.request_id);
  if (!found) co_return std::nullopt;
  publish(from.channel, at->knowledge.answered(from.request_id, found->stamp));
  if (from.attempt == 1) notify(from.channel);
  co_return std::move(found->reply);
}

awaitable<result<json::object>> channels::keep_answer(origin from, result<json::object> answer,
                                                      handle at) {
  if (from.request_id.empty()) co_return answer;
  if (!answer && !is_final(answer.error())) {
    from.attempt = 1;
    auto earlier = co_await find_answer(std::move(from), at);
    if (earlier) co_return std::move(*earlier);
    co_return answer;
  }
  json::object reply = answer ? *answer : from.write_failure(answer.error());
  stored_answer own{next_stamp(), std::move(reply)};
  auto earlier = co_await playlist_storage_.keep_answer(from.request_id, std::move(own));
  if (!earlier) {
    at->knowledge.kept(from.request_id);
    co_return answer;
  }
  publish(from.channel, at->knowledge.answered(from.request_id, earlier->stamp));
  notify(from.channel);
  co_return std::move(earlier->reply);
}

std::string channels::next_stamp() {
  return own_name_ + "-" + std::to_string(++stamps_);
}

void channels::publish(const std::string& channel, const std::optional<sent_change>& stored) const {
  if (!stored) return;
  event_publisher_.publish(stored->what, stored->at.wall);
  if (stored_listener_) stored_listener_(stored->what, stored->reply_names_next);
  if (stored->what.playing_changed()) notify(channel);
}

void channels::notify(const std::string& channel) const {
  if (change_listener_) change_listener_(channel);
}

}  // namespace rosey::playlist
