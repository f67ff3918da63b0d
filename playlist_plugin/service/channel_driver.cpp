// Optimistic concurrency: decide on what is known, store it if that is still true, else read again.
#include "playlist_plugin/service/channel_driver.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "playlist_plugin/storage/refused.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;
using doing = channel_knowledge::doing;
using verdict = channel_knowledge::verdict;

// A refusal that stands; the others say to try again.
bool is_final(const error& refusal) {
  return refusal.code != codes::rate_limited && refusal.code != codes::busy;
}

std::string random_name() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
}

}  // namespace

channel_driver::channel_driver(const sdk::context& context, playlist_storage& storage, clock& time,
                               queue_order order)
    : context_(context),
      playlist_storage_(storage),
      clock_(time),
      order_(order),
      event_publisher_(context),
      own_name_(random_name()) {}

void channel_driver::on_change(std::function<void(const std::string&)> listener) {
  change_listener_ = std::move(listener);
}

void channel_driver::on_stored(std::function<void(const playlist::change&, bool)> listener) {
  stored_listener_ = std::move(listener);
}

void channel_driver::on_loaded(std::function<void(const loaded_channel&)> listener) {
  loaded_listener_ = std::move(listener);
}

awaitable<channel_driver::conclusion> channel_driver::change(origin from, decider decide,
                                                             preparation prepare,
                                                             std::int64_t deadline,
                                                             channel_knowledge& known) {
  known.begin(deadline);
  for (;;) {
    const snapshot state = co_await inform(from.channel, known);
    if (!state) co_return conclusion{too_busy()};
    if (prepare) co_await prepare(state);
    const clock_time now = clock_.look();
    auto decided = decide(*state, now.wall);
    const bool changes = decided && decided->change;
    const verdict what = known.decided(changes, now);
    if (what == verdict::again) continue;
    if (what == verdict::give_up) co_return conclusion{too_busy()};
    if (!decided) co_return conclusion{decided.error(), true};
    if (!changes) co_return conclusion{std::move(decided->reply), true};
    auto reply = co_await store(from, std::move(*decided), now, known);
    if (reply) co_return conclusion{std::move(*reply)};
  }
}

awaitable<channel_driver::snapshot> channel_driver::inform(std::string channel,
                                                           channel_knowledge& known) {
  for (;;) {
    channel_knowledge::action next = known.next(clock_.look());
    switch (next.what) {
      case doing::use:
        if (next.is_news) notify(channel);
        co_return std::move(next.state);
      case doing::read:
        co_await load(channel, known);
        break;
      case doing::look_up:
        co_await look_up(channel, std::move(next.request_id), known);
        break;
      case doing::pause:
        co_await pause(next.longest);
        break;
      case doing::give_up:
        co_return nullptr;
    }
  }
}

awaitable<void> channel_driver::load(std::string channel, channel_knowledge& known) {
  loaded_channel loaded = co_await playlist_storage_.load(std::move(channel));
  loaded.state.order = order_;
  if (loaded_listener_) loaded_listener_(loaded);
  known.loaded(std::move(loaded.state), clock_.look());
}

awaitable<void> channel_driver::look_up(std::string channel, std::string request_id,
                                        channel_knowledge& known) {
  const auto found = co_await playlist_storage_.find_answer(request_id);
  const std::string stamp = found ? found->stamp : std::string();
  publish(channel, known.looked_up(request_id, stamp));
}

awaitable<void> channel_driver::pause(std::int64_t longest) {
  const std::int64_t length = std::uniform_int_distribution<std::int64_t>(0, longest)(random_);
  const auto timer = std::make_shared<boost::asio::steady_timer>(context_.executor);
  clock_.arm(timer, clock_.steady() + length);
  co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

awaitable<std::optional<json::object>> channel_driver::store(origin from, decision decided,
                                                             clock_time now,
                                                             channel_knowledge& known) {
  std::string stamp = next_stamp();
  std::string request_id = from.request_id.empty() ? "own:" + stamp : from.request_id;
  const sent_change& sent = known.sent({std::move(*decided.change), std::move(request_id),
                                        std::move(stamp), now, from.answer_names_next});
  pending_change pending{sent.what,       now.wall,   std::move(decided.charged_user),
                         sent.request_id, sent.stamp, decided.reply};
  store_outcome outcome;
  try {
    outcome = co_await playlist_storage_.store(std::move(pending));
  } catch (...) {
    known.timed_out();
    notify(from.channel);
    throw;
  }
  switch (outcome.status) {
    case store_status::stored:
      publish(from.channel, known.stored(clock_.look()));
      co_return std::move(decided.reply);
    case store_status::stored_before:
      publish(from.channel, known.stored_before());
      co_return std::move(decided.reply);
    case store_status::replayed:
      publish(from.channel, known.replayed(outcome.earlier.stamp));
      notify(from.channel);
      co_return std::move(outcome.earlier.reply);
    case store_status::channel_changed:
      known.conflicted();
      break;
    case store_status::user_outrun:
      known.refused();  // the preparation looks up why
      break;
  }
  co_return std::nullopt;
}

awaitable<std::optional<json::object>> channel_driver::find_answer(origin from,
                                                                   channel_knowledge& known) {
  // Whoever had the earlier attempt may have stored it without living to tell of it.
  if (from.attempt > 1) {
    known.forget();
    notify(from.channel);
  }
  if (from.request_id.empty()) co_return std::nullopt;
  auto found = co_await playlist_storage_.find_answer(from.request_id);
  if (!found) co_return std::nullopt;
  publish(from.channel, known.answered(from.request_id, found->stamp));
  if (from.attempt == 1) notify(from.channel);
  co_return std::move(found->reply);
}

awaitable<result<json::object>> channel_driver::keep_answer(origin from,
                                                            result<json::object> answer,
                                                            channel_knowledge& known) {
  if (from.request_id.empty()) co_return answer;
  if (!answer && !is_final(answer.error())) {
    from.attempt = 1;
    auto earlier = co_await find_answer(std::move(from), known);
    if (earlier) co_return std::move(*earlier);
    co_return answer;
  }
  json::object reply = answer ? *answer : from.write_failure(answer.error());
  stored_answer own{next_stamp(), std::move(reply)};
  auto earlier = co_await playlist_storage_.keep_answer(from.request_id, std::move(own));
  if (!earlier) {
    known.kept(from.request_id);
    co_return answer;
  }
  publish(from.channel, known.answered(from.request_id, earlier->stamp));
  notify(from.channel);
  co_return std::move(earlier->reply);
}

std::string channel_driver::next_stamp() {
  return own_name_ + "-" + std::to_string(++stamps_);
}

void channel_driver::publish(const std::string& channel,
                             const std::optional<sent_change>& stored) const {
  if (!stored) return;
  event_publisher_.publish(stored->what, stored->at.wall);
  if (stored_listener_) stored_listener_(stored->what, stored->reply_names_next);
  if (stored->what.playing_changed()) notify(channel);
}

void channel_driver::notify(const std::string& channel) const {
  if (change_listener_) change_listener_(channel);
}

}  // namespace rosey::playlist
