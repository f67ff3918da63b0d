// Each operation joins a decision of the domain with the words for its outcome.
#include "playlist_plugin/service/operations.hpp"

#include <utility>

namespace rosey::playlist {
namespace {

using boost::asio::awaitable;

}  // namespace

operations::operations(channels& channels, playlist_storage& storage, adding& adding,
                       presence& presence, clock& time, const plugin_config& config)
    : channels_(channels),
      playlist_storage_(storage),
      adding_(adding),
      presence_(presence),
      clock_(time),
      vote_config_(config.votes),
      playback_config_(config.playing),
      random_(std::random_device{}()) {}

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
  decider decide = [this, user, present](const channel_state& channel, std::int64_t now) {
    const vote_terms terms = vote_terms_in(channel.name, now);
    return presented(playlist::vote_skip(channel, user, terms, now), present);
  };
  preparation prepare = [this, channel = from.channel](const channels::snapshot&) {
    return presence_.refresh(channel);
  };
  return channels_.change(std::move(from), std::move(decide), std::move(prepare));
}

awaitable<operations::reply> operations::withdraw_vote(origin from, std::string user) {
  left(from.channel, user);
  decider decide = [this, user](const channel_state& channel,
                                std::int64_t now) -> result<decision> {
    const vote_terms terms = vote_terms_in(channel.name, now);
    leave_outcome outcome = playlist::leave(channel, user, terms, now);
    return decision{std::move(outcome.change), {}, {}};
  };
  preparation prepare = [this](channels::snapshot channel) {
    return look_around(std::move(channel));
  };
  return channels_.change(std::move(from), std::move(decide), std::move(prepare));
}

awaitable<void> operations::look_around(channels::snapshot channel) {
  if (channel->votes.empty()) co_return;
  co_await presence_.refresh(channel->name);
}

vote_terms operations::vote_terms_in(const std::string& channel, std::int64_t now) const {
  vote_terms terms = terms_of(vote_config_, presence_.count(channel), now);
  // Storage may have been away when they left.
  terms.left = presence_.left_from(channel);
  return terms;
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

}  // namespace rosey::playlist
