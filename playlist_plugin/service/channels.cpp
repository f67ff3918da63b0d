// A turn at the channel for each who uses it; what is done then is the driver's.
#include "playlist_plugin/service/channels.hpp"

#include <utility>

#include "playlist_plugin/domain/queue_rules.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

// Milliseconds until the last try begins. Routers wait for five seconds, and storage may take two.
constexpr std::int64_t longest_work = 2'000;

// Channels that are kept in memory. Those with a change of which nobody knows whether it is carried
// out are kept longer, so that it is published.
constexpr std::size_t most_channels = 1000;

}  // namespace

channels::channels(const sdk::context& context, playlist_storage& storage, clock& time,
                   const playback_config& config, queue_order order)
    : clock_(time),
      playback_config_(config),
      channel_driver_(context, storage, time, order),
      channel_cache_(
          most_channels, [context] { return std::make_shared<entry>(context.executor); },
          [](const entry& kept) { return kept.knowledge.is_doubtful(); }) {}

void channels::heard(const std::string& channel, std::int64_t version, bool moves_the_end) {
  // Of a channel that is not known here there is nothing to refresh, but something to watch.
  if (!moves_the_end && !channel_cache_.find(channel)) return;
  const handle at = channel_cache_.use(channel);
  at->knowledge.heard(version, clock_.look());
  // A change may have several events, of which not the first one moves the end.
  if (moves_the_end && !at->knowledge.has(version)) channel_driver_.notify(channel);
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
  auto work = channel_driver_.inform(std::move(channel), at->knowledge);
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
  snapshot before = co_await channel_driver_.inform(channel, at->knowledge);
  if (!playlist::advance(*before, playback_config_, clock_.now())) co_return before;
  origin from;
  from.channel = channel;
  decider decide = [this](const channel_state& state, std::int64_t now) -> result<decision> {
    return decision{playlist::advance(state, playback_config_, now), {}, {}};
  };
  preparation nothing;
  static_cast<void>(co_await channel_driver_.change(std::move(from), std::move(decide),
                                                    std::move(nothing),
                                                    channel_knowledge::no_deadline, at->knowledge));
  at->knowledge.begin(channel_knowledge::no_deadline);
  co_return co_await channel_driver_.inform(std::move(channel), at->knowledge);
}

awaitable<result<std::optional<json::object>>> channels::earlier_answer(origin from) {
  const handle at = channel_cache_.use(from.channel);
  const auto turn = co_await at->turns.enter(clock_);
  if (!turn) co_return turn.error();
  auto work = channel_driver_.find_answer(std::move(from), at->knowledge);
  co_return co_await at->turns.noting_silence(std::move(work));
}

awaitable<result<json::object>> channels::refuse(origin from, refusal reason) {
  const handle at = channel_cache_.use(from.channel);
  auto work = channel_driver_.keep_answer(std::move(from), std::move(reason), at->knowledge);
  co_return co_await at->turns.noting_silence(std::move(work));
}

awaitable<result<json::object>> channels::change(origin from, decider decide, preparation prepare) {
  const handle at = channel_cache_.use(from.channel);
  std::optional<channel_driver::conclusion> concluded;
  {
    const auto turn = co_await at->turns.enter(clock_);
    if (!turn) co_return turn.error();
    auto work = from.attempt > 1
                    ? change_unless_answered(from, std::move(decide), std::move(prepare), at)
                    : channel_driver_.change(from, std::move(decide), std::move(prepare),
                                             clock_.steady() + longest_work, at->knowledge);
    concluded = co_await at->turns.noting_silence(std::move(work));
  }
  if (!concluded->changes_nothing) co_return std::move(concluded->answer);
  // Others go on meanwhile: what many are refused is written together.
  auto keeping =
      channel_driver_.keep_answer(std::move(from), std::move(concluded->answer), at->knowledge);
  co_return co_await at->turns.noting_silence(std::move(keeping));
}

awaitable<channel_driver::conclusion> channels::change_unless_answered(origin from, decider decide,
                                                                       preparation prepare,
                                                                       handle at) {
  auto answered = co_await channel_driver_.find_answer(from, at->knowledge);
  if (answered) co_return channel_driver::conclusion{std::move(*answered)};
  co_return co_await channel_driver_.change(std::move(from), std::move(decide), std::move(prepare),
                                            clock_.steady() + longest_work, at->knowledge);
}

}  // namespace rosey::playlist
