// Seen at once, written later, with what others have written meanwhile.
#include "playlist_plugin/service/presence.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace rosey::playlist {
namespace {

// Milliseconds.
constexpr std::int64_t written_after = 30'000;
constexpr std::int64_t news_written_after = 1'000;
constexpr std::int64_t longest_writing = 1'000;  // until the last try begins: a host waits for it

// Channels that are going to be written. In more, whoever is seen next is written then.
constexpr std::size_t most_waiting = 1000;

constexpr int most_writes = 5;  // each failed one means that another instance has written

// Hosts' clocks may differ by so much. What was seen later than that was seen before the clock was
// set back; nobody knows when.
constexpr std::int64_t tolerated_lead = 60'000;

sightings moved(sightings seen, std::int64_t milliseconds) {
  for (auto& [user, when] : seen) when.at += milliseconds;
  return seen;
}

// Connectors tell all instances, and the first one that writes has written for all.
bool is_written(const sightings& seen, const sightings& stored) {
  return std::all_of(seen.begin(), seen.end(), [&stored](const auto& each) {
    const auto known = stored.find(each.first);
    return known != stored.end() && known->second.there == each.second.there &&
           known->second.at + news_written_after > each.second.at;
  });
}

}  // namespace

presence::presence(const sdk::context& context, playlist_storage& storage, clock& time,
                   const vote_config& config)
    : context_(context),
      playlist_storage_(storage),
      clock_(time),
      window_(config.active_user_minutes * 60'000),
      users_(window_),
      stored_(window_) {}

void presence::saw(const std::string& channel, const std::string& user) {
  const std::int64_t now = clock_.steady();
  users_.saw(channel, user, now);
  // Also news: who would not count any more before what makes it newer is written.
  const bool known = stored_.tells(channel, user, true, now - window_ + written_after);
  write_within(channel, known ? written_after : pause_before_news());
}

void presence::left(const std::string& channel, const std::string& user) {
  const std::int64_t now = clock_.steady();
  users_.left(channel, user, now);
  const bool counted = stored_.tells(channel, user, true, now - window_);
  write_within(channel, counted ? pause_before_news() : written_after);
}

void presence::loaded(const loaded_channel& channel) {
  learn(channel.state.name, as_seen_here(channel.seen));
}

sightings presence::as_seen_here(sightings stored) const {
  const std::int64_t latest = clock_.steady() + tolerated_lead;
  sightings seen = moved(std::move(stored), -clock_.wall_offset());
  std::erase_if(seen, [latest](const auto& user) { return user.second.at > latest; });
  return seen;
}

void presence::learn(const std::string& channel, const sightings& seen) {
  users_.merge(channel, seen, clock_.steady());
  stored_.merge(channel, seen, clock_.steady());
}

std::map<std::string, std::int64_t> presence::left_from(const std::string& channel) const {
  std::map<std::string, std::int64_t> left = users_.left_from(channel, clock_.steady());
  for (auto& [user, at] : left) at += clock_.wall_offset();
  return left;
}

std::size_t presence::count(const std::string& channel) const {
  return users_.count(channel, clock_.steady());
}

// Storage that is away is not asked more often than for what is no news.
std::int64_t presence::pause_before_news() const {
  return failing_ ? written_after : news_written_after;
}

void presence::write_within(const std::string& channel, std::int64_t milliseconds) {
  const std::int64_t at = clock_.steady() + milliseconds;
  if (waiting_.size() >= most_waiting && !waiting_.contains(channel)) return;
  const auto [waiting, is_new] = waiting_.try_emplace(channel, nullptr);
  if (is_new) {
    waiting->second = std::make_shared<job>(
        job{at, std::make_shared<boost::asio::steady_timer>(context_.executor)});
    context_.tasks.spawn_until_stop(
        "presence in " + channel,
        [this, channel, made = waiting->second] { return write_later(channel, made); });
  } else if (at < waiting->second->at) {
    waiting->second->at = at;
    waiting->second->alarm->cancel();
  }
}

void presence::stop() {
  const auto waiting = std::exchange(waiting_, {});
  for (const auto& each : waiting) {
    const std::string& channel = each.first;  // clang 14 captures no structured binding
    context_.tasks.spawn("presence in " + channel, [this, channel] { return write(channel); });
  }
}

boost::asio::awaitable<void> presence::refresh(std::string channel) {
  stored_sightings others = co_await playlist_storage_.seen(channel);
  learn(channel, as_seen_here(std::move(others.seen)));
}

boost::asio::awaitable<void> presence::write_later(std::string channel, std::shared_ptr<job> self) {
  while (clock_.steady() < self->at) {
    clock_.arm(self->alarm, self->at);
    co_await self->alarm->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  // A task of its own, which a stop waits for. Whoever is seen from here on is written the next
  // time.
  if (waiting_.erase(channel) > 0) {
    context_.tasks.spawn("presence in " + channel, [this, channel] { return write(channel); });
  }
}

boost::asio::awaitable<void> presence::write(std::string channel) {
  const std::int64_t deadline = clock_.steady() + longest_writing;
  try {
    bool written = false;
    for (int tries = 0; !written && tries < most_writes && clock_.steady() <= deadline; ++tries) {
      stored_sightings known = co_await playlist_storage_.seen(channel);
      const sightings others = as_seen_here(std::move(known.seen));
      learn(channel, others);
      const sightings seen = users_.seen_in(channel, clock_.steady());
      if (is_written(seen, others)) break;
      known.seen = moved(seen, clock_.wall_offset());
      written = co_await playlist_storage_.store_seen(channel, std::move(known), window_ / 1000);
      if (written) learn(channel, seen);
    }
    failing_ = false;
  } catch (const sdk::storage_unavailable& away) {
    failing_ = true;
    context_.log.debug("presence in " + channel + ": " + away.what());
  }
}

}  // namespace rosey::playlist
