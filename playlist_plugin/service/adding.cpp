// Ask the site, decide, store; and settle what came too late.
#include "playlist_plugin/service/adding.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>
#include <utility>

#include "playlist_plugin/domain/text.hpp"

namespace rosey::playlist {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t most_of_a_list = 200;       // entries
constexpr std::int64_t settle_retry_after = 5000;  // milliseconds, while storage is away

}  // namespace

adding::adding(const sdk::context& context, channels& known, playlist_storage& storage,
               quota_manager& quotas, metadata_lookup& metadata, const announcer& speaker,
               clock& time, const plugin_config& config)
    : context_(context),
      channels_(known),
      storage_(storage),
      quotas_(quotas),
      metadata_(metadata),
      announcer_(speaker),
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
  if (metadata_.lists(*link)) {
    co_return co_await add_list(std::move(from), *link, wanted, std::move(present));
  }

  wanted->items.push_back(undescribed(*link));
  const bool knows = metadata_.knows(*link);
  std::optional<media_metadata> about;
  if (knows) {
    // An earlier attempt may have been carried out: its answer stands, whatever is true now.
    if (from.attempt == 1) {
      auto refused = co_await refusal_in_advance(from.channel, wanted);
      if (refused) co_return std::move(*refused);
    }
    about = co_await metadata_.find(*link, patience_);
    if (about) describe(wanted->items.front(), *about);
  }
  const std::string channel = from.channel;
  reply stored = co_await store(std::move(from), wanted, std::move(present));
  if (stored && knows && !about) {
    complete_later(channel, *link, wanted->exempt ? wanted->user : std::string());
  }
  co_return stored;
}

awaitable<adding::reply> adding::add_list(origin from, media_link list,
                                          std::shared_ptr<wish> wanted,
                                          presenter<add_outcome> present) {
  const std::int64_t most =
      wanted->exempt ? most_of_a_list : std::min(most_of_a_list, limits_.quota.max_items_per_user);
  const auto listed = co_await metadata_.find_list(list, static_cast<std::size_t>(most), patience_);
  if (!listed) {
    co_return error{codes::busy, "This playlist cannot be read now; try again in a moment"};
  }
  for (const listed_media& entry : *listed) {
    new_item item = undescribed(entry.media);
    describe(item, entry.about);
    wanted->items.push_back(std::move(item));
  }
  if (wanted->items.empty()) {
    co_return error{codes::unrecognized_media, "This playlist holds nothing that can be played"};
  }
  co_return co_await store(std::move(from), std::move(wanted), std::move(present));
}

awaitable<adding::reply> adding::store(origin from, std::shared_ptr<wish> wanted,
                                       presenter<add_outcome> present) {
  decider decide = [this, wanted, present](const channel_state& channel, std::int64_t now) {
    const adder by = adder_of(*wanted, now);
    auto decided = presented(add_all(channel, wanted->items, by, limits_, now), present);
    if (decided && !by.exempt) decided->adder = by.user;
    return decided;
  };
  preparation prepare;
  if (limits_.repeat_after_minutes > 0) {
    prepare = [this, channel = from.channel, wanted] {
      return look_up_last_plays(channel, wanted);
    };
  }
  return channels_.change(std::move(from), std::move(decide), std::move(prepare));
}

awaitable<void> adding::look_up_last_plays(std::string channel, std::shared_ptr<wish> wanted) {
  const std::int64_t since = clock_.now() - limits_.repeat_after_minutes * 60'000;
  for (new_item& item : wanted->items) {
    item.last_played = co_await storage_.last_play(channel, item.media, since);
  }
}

awaitable<std::optional<error>> adding::refusal_in_advance(std::string channel,
                                                           std::shared_ptr<wish> wanted) {
  const channels::snapshot state = co_await channels_.read(std::move(channel));
  const std::int64_t now = clock_.now();
  queue_limits of_what_is_known = limits_;
  of_what_is_known.require_duration = false;
  const auto outcome =
      add_all(*state, wanted->items, adder_of(*wanted, now), of_what_is_known, now);
  if (outcome) co_return std::nullopt;
  co_return outcome.error();
}

adder adding::adder_of(const wish& wanted, std::int64_t now) const {
  return {wanted.user, quotas_.recent_adds(wanted.user, now), wanted.exempt};
}

void adding::complete(const channel_state& stored) {
  // Who was exempt is not known any more; nobody is punished for that.
  std::set<std::string> asked;
  const auto look = [&](const queue_item& item) {
    if (!is_undescribed(item) || !metadata_.knows(item.media)) return;
    if (!asked.insert(item.media.type + item.media.id).second) return;
    complete_later(stored.name, item.media, exempt_roles_.empty() ? std::string() : item.added_by);
  };
  if (stored.playing) look(stored.playing->item);
  for (const waiting_item& waiting : stored.waiting) look(waiting.item);
}

void adding::complete_later(const std::string& channel, const media_link& link,
                            std::string exempt) {
  context_.tasks.spawn_until_stop("metadata for " + channel,
                                  complete_one(channel, link, std::move(exempt)));
}

awaitable<void> adding::complete_one(std::string channel, media_link link, std::string exempt) {
  for (;;) {
    const bool settled = co_await try_to_settle(channel, link, exempt);
    if (settled) co_return;
    const auto alarm = std::make_shared<boost::asio::steady_timer>(context_.executor);
    clock_.arm(alarm, clock_.now() + settle_retry_after);
    co_await alarm->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
}

// False when storage is away.
awaitable<bool> adding::try_to_settle(std::string channel, media_link link, std::string exempt) {
  const auto about = co_await metadata_.find(link, std::nullopt);
  if (!about) co_return true;  // the site does not tell
  const auto outcome = std::make_shared<settle_outcome>();
  decider decide = [this, link, about = *about, exempt, outcome](
                       const channel_state& state, std::int64_t now) -> result<decision> {
    *outcome = settle(state, link, about, limits_, exempt, now);
    return decision{outcome->change, {}, {}};
  };
  origin from;
  from.channel = channel;
  try {
    const reply stored = co_await channels_.change(std::move(from), std::move(decide));
    if (!stored) co_return false;
  } catch (const sdk::storage_unavailable& away) {
    context_.log.warning(std::string("metadata for ") + channel + ": " + away.what());
    co_return false;
  }
  for (const removed_item& removed : outcome->removed) {
    announcer_.say(channel, "🗑️ " + printable(removed.item.added_by) + ": " +
                                removed.item.title + " was removed. " + removed.reason);
  }
  co_return true;
}

}  // namespace rosey::playlist
