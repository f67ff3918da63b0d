// Ask the site, decide, store.
#include "playlist_plugin/service/adding.hpp"

#include <algorithm>
#include <utility>

namespace rosey::playlist {
namespace {

using boost::asio::awaitable;

// Entries of a list: at first, which is a page of YouTube's, then twice as many each time; at most,
// which is the largest quota, and fits into one batch of storage.
constexpr std::size_t first_of_a_list = 50;
constexpr std::size_t most_of_a_list = 900;

// Milliseconds. A host that sends a command again, after five seconds, waits as long once more.
constexpr std::int64_t patience_when_repeated = 3'000;

}  // namespace

adding::adding(channels& channels, playlist_storage& storage, metadata_lookup& metadata,
               completion& completion, clock& time, const plugin_config& config)
    : channels_(channels),
      playlist_storage_(storage),
      metadata_lookup_(metadata),
      completion_(completion),
      clock_(time),
      limits_(config.limits),
      exempt_roles_(config.exempt_roles),
      patience_(config.metadata.deadline_ms) {}

awaitable<adding::reply> adding::add(origin from, std::string url, requester by,
                                     presenter<add_outcome> present) {
  const auto link = parse_media_link(url);
  if (!link) co_return link.error();
  const auto wanted = std::make_shared<wish>();
  wanted->user = by.user;
  wanted->exempt =
      std::find(exempt_roles_.begin(), exempt_roles_.end(), by.role) != exempt_roles_.end();
  wanted->patience = patience_;
  if (from.attempt > 1) wanted->patience = std::min(patience_, patience_when_repeated);
  const bool is_list = metadata_lookup_.lists(*link);
  if (!is_list) wanted->items.push_back(undescribed(*link));
  if (is_list || metadata_lookup_.knows(*link)) {
    // An earlier attempt may have been carried out: its answer stands, whatever is true now.
    if (from.attempt > 1) {
      auto answered = co_await channels_.earlier_answer(from);
      if (!answered) co_return answered.error();
      if (*answered) co_return std::move(**answered);
      from.attempt = 1;
    }
    auto refused = co_await refusal_in_advance(from.channel, wanted);
    if (refused) co_return co_await channels_.refuse(std::move(from), std::move(*refused));
  }
  if (is_list) co_return co_await add_list(std::move(from), *link, wanted, std::move(present));
  co_return co_await add_one(std::move(from), *link, wanted, std::move(present));
}

awaitable<adding::reply> adding::add_one(origin from, media_link link, std::shared_ptr<wish> wanted,
                                         presenter<add_outcome> present) {
  bool incomplete = false;
  if (metadata_lookup_.knows(link)) {
    const media_answer answer = co_await metadata_lookup_.find(link, wanted->patience);
    if (answer.about) describe(wanted->items.front(), *answer.about);
    incomplete = !answer.about && !answer.is_final;
  }
  const std::string channel = from.channel;
  reply stored = co_await store(std::move(from), std::move(wanted), std::move(present));
  if (stored && incomplete) completion_.complete(channel, link, clock_.steady());
  co_return stored;
}

awaitable<adding::reply> adding::add_list(origin from, media_link list,
                                          std::shared_ptr<wish> wanted,
                                          presenter<add_outcome> present) {
  auto refused = co_await read_list(from.channel, std::move(list), wanted);
  if (refused) co_return co_await channels_.refuse(std::move(from), std::move(*refused));
  co_return co_await store(std::move(from), std::move(wanted), std::move(present));
}

awaitable<std::optional<refusal>> adding::read_list(std::string channel, media_link list,
                                                    std::shared_ptr<wish> wanted) {
  const std::int64_t deadline = clock_.steady() + wanted->patience;
  std::size_t most = 0;
  while (most < most_of_a_list) {
    most = std::clamp(2 * most, first_of_a_list, most_of_a_list);
    const std::int64_t left = std::max<std::int64_t>(0, deadline - clock_.steady());
    const auto listed = co_await metadata_lookup_.find_list(list, most, left);
    if (!listed && wanted->items.empty()) {
      co_return error{codes::busy, "This playlist cannot be read now; try again in a moment"};
    }
    if (!listed) break;  // what has come in time is better than nothing
    wanted->items.clear();
    for (const listed_media& entry : *listed) {
      new_item item = undescribed(entry.media);
      describe(item, entry.about);
      wanted->items.push_back(std::move(item));
    }
    if (listed->size() < most) break;  // it has ended
    const auto enough = co_await is_enough(channel, wanted);
    if (!enough) co_return enough.error();
    if (*enough) break;
  }
  if (!wanted->items.empty()) co_return std::nullopt;
  co_return error{codes::unrecognized_media, "This playlist holds nothing that can be played"};
}

awaitable<result<bool>> adding::is_enough(std::string channel, std::shared_ptr<wish> wanted) {
  const auto state = co_await channels_.read(channel);
  if (!state) co_return state.error();
  if (limits_.repeat_after_minutes > 0) co_await look_up_last_plays(channel, wanted);
  const std::int64_t now = clock_.now();
  co_return fills_up(**state, wanted->items, adder_of(*wanted, now), limits_, now);
}

awaitable<adding::reply> adding::store(origin from, std::shared_ptr<wish> wanted,
                                       presenter<add_outcome> present) {
  decider decide = [this, wanted, present](const channel_state& channel, std::int64_t now) {
    const adder by = adder_of(*wanted, now);
    auto decided = presented(add_all(channel, wanted->items, by, limits_, now), present);
    if (decided && !by.exempt) decided->charged_user = by.user;
    return decided;
  };
  preparation prepare = [this, channel = from.channel, wanted](const channels::snapshot&) {
    return look_up(channel, wanted);
  };
  return channels_.change(std::move(from), std::move(decide), std::move(prepare));
}

awaitable<void> adding::look_up(std::string channel, std::shared_ptr<wish> wanted) {
  co_await playlist_storage_.look_up_adds(wanted->user);
  if (limits_.repeat_after_minutes > 0) co_await look_up_last_plays(std::move(channel), wanted);
}

awaitable<void> adding::look_up_last_plays(std::string channel, std::shared_ptr<wish> wanted) {
  const std::int64_t since = clock_.now() - limits_.repeat_after_minutes * 60'000;
  std::vector<media_link> media;
  for (const new_item& item : wanted->items) media.push_back(item.media);
  const std::vector<last_play> plays =
      co_await playlist_storage_.last_plays(std::move(channel), std::move(media), since);
  for (new_item& item : wanted->items) {
    item.last_played.reset();
    for (const last_play& play : plays) {
      // One that lies ahead was before the clock was set back.
      if (play.media == item.media) item.last_played = std::min(play.at, clock_.now());
    }
  }
}

awaitable<std::optional<refusal>> adding::refusal_in_advance(std::string channel,
                                                             std::shared_ptr<wish> wanted) {
  const auto state = co_await channels_.read(std::move(channel));
  if (!state) co_return state.error();
  const std::int64_t now = clock_.now();
  const adder by = adder_of(*wanted, now);
  if (wanted->items.empty()) co_return room_refusal(**state, 0, by, limits_, now);
  queue_limits of_what_is_known = limits_;
  of_what_is_known.require_duration = false;
  const auto outcome = add_all(**state, wanted->items, by, of_what_is_known, now);
  if (outcome) co_return std::nullopt;
  co_return outcome.error();
}

adder adding::adder_of(const wish& wanted, std::int64_t now) const {
  return {wanted.user, playlist_storage_.recent_adds(wanted.user, now), wanted.exempt};
}

}  // namespace rosey::playlist
