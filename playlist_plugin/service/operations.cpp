// Each operation joins a decision of the domain with the words for its outcome.
#include "playlist_plugin/service/operations.hpp"

#include <algorithm>
#include <utility>

#include "playlist_plugin/domain/media_link.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

// A decision and its reply, from an outcome of the domain.
template <class Outcome>
result<decision> presented(result<Outcome> outcome, const presenter<Outcome>& present) {
  if (!outcome) return std::move(outcome.error());
  json::object reply = present(*outcome);
  return decision{std::move(outcome->change), std::move(reply), {}};
}

}  // namespace

operations::operations(channels& known, playlist_storage& storage, quota_manager& quotas,
                       clock& time, const plugin_config& config)
    : channels_(known),
      storage_(storage),
      quotas_(quotas),
      clock_(time),
      limits_(config.limits),
      exempt_roles_(config.exempt_roles),
      votes_(config.votes),
      present_(config.votes.active_user_minutes * 60'000),
      random_(std::random_device{}()) {}

awaitable<operations::reply> operations::add(origin from, std::string url, requester by,
                                             presenter<add_outcome> present) {
  const auto link = parse_media_link(url);
  if (!link) return ready(link.error());
  const auto item = std::make_shared<new_item>();
  item->media = *link;
  item->title = placeholder_title(*link);
  const bool exempt =
      std::find(exempt_roles_.begin(), exempt_roles_.end(), by.role) != exempt_roles_.end();
  decider decide = [this, item, by, exempt, present](const channel_state& channel,
                                                     std::int64_t now) {
    const adder who{by.user, quotas_.recent_adds(by.user, now), exempt};
    auto decided = presented(playlist::add(channel, *item, who, limits_, now), present);
    if (decided && !exempt) decided->adder = by.user;
    return decided;
  };
  preparation prepare;
  if (limits_.repeat_after_minutes > 0) {
    prepare = [this, channel = from.channel, item] { return look_up_last_play(channel, item); };
  }
  return channels_.change(std::move(from), std::move(decide), std::move(prepare));
}

awaitable<void> operations::look_up_last_play(std::string channel, std::shared_ptr<new_item> item) {
  const std::int64_t since = clock_.now() - limits_.repeat_after_minutes * 60'000;
  item->last_played = co_await storage_.last_play(std::move(channel), item->media, since);
}

awaitable<operations::reply> operations::remove(origin from, std::string named, actor by,
                                                presenter<remove_outcome> present) {
  return channels_.change(std::move(from),
                          [named, by, present](const channel_state& channel, std::int64_t) {
                            return presented(playlist::remove(channel, named, by), present);
                          });
}

awaitable<operations::reply> operations::move(origin from, std::string named, std::string after,
                                              actor by, presenter<move_outcome> present) {
  return channels_.change(std::move(from),
                          [named, after, by, present](const channel_state& channel, std::int64_t) {
                            return presented(playlist::move(channel, named, after, by), present);
                          });
}

awaitable<operations::reply> operations::shuffle(origin from, actor by,
                                                 presenter<shuffle_outcome> present) {
  return channels_.change(std::move(from),
                          [this, by, present](const channel_state& channel, std::int64_t) {
                            const auto below = [this](std::size_t n) {
                              return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
                            };
                            return presented(playlist::shuffle(channel, by, below), present);
                          });
}

awaitable<operations::reply> operations::clear(origin from, actor by,
                                               presenter<clear_outcome> present) {
  return channels_.change(std::move(from),
                          [by, present](const channel_state& channel, std::int64_t) {
                            return presented<clear_outcome>(playlist::clear(channel, by), present);
                          });
}

awaitable<operations::reply> operations::skip(origin from, actor by,
                                              presenter<skip_outcome> present) {
  return channels_.change(std::move(from),
                          [by, present](const channel_state& channel, std::int64_t now) {
                            return presented(playlist::skip(channel, by, now), present);
                          });
}

awaitable<operations::reply> operations::vote_skip(origin from, std::string user,
                                                   presenter<vote_outcome> present) {
  saw(from.channel, user);
  return channels_.change(
      std::move(from), [this, user, present](const channel_state& channel, std::int64_t now) {
        const vote_terms terms = vote_terms_in(channel.name, now);
        return presented(playlist::vote_skip(channel, user, terms, now), present);
      });
}

awaitable<operations::reply> operations::withdraw_vote(origin from, std::string user) {
  left(from.channel, user);
  return channels_.change(
      std::move(from),
      [this, user](const channel_state& channel, std::int64_t now) -> result<decision> {
        const vote_terms terms = vote_terms_in(channel.name, now);
        leave_outcome outcome = playlist::leave(channel, user, terms, now);
        return decision{std::move(outcome.change), {}, {}};
      });
}

vote_terms operations::vote_terms_in(const std::string& channel, std::int64_t now) const {
  return terms_of(votes_, present_.count(channel, now), now);
}

awaitable<operations::reply> operations::player_finished(origin from, std::string item_id,
                                                         std::optional<std::int64_t> position,
                                                         presenter<player_outcome> present) {
  return channels_.change(std::move(from), [item_id, position, present](
                                               const channel_state& channel, std::int64_t now) {
    return presented(playlist::player_finished(channel, item_id, position, now), present);
  });
}

awaitable<operations::reply> operations::player_position(origin from, std::string item_id,
                                                         std::int64_t position,
                                                         presenter<player_outcome> present) {
  return channels_.change(std::move(from), [item_id, position, present](
                                               const channel_state& channel, std::int64_t now) {
    return presented(playlist::player_position(channel, item_id, position, now), present);
  });
}

void operations::saw(const std::string& channel, const std::string& user) {
  present_.saw(channel, user, clock_.now());
}

void operations::left(const std::string& channel, const std::string& user) {
  present_.left(channel, user);
}

}  // namespace rosey::playlist
