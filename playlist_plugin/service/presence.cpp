// Seen at once, written later, with what others have written meanwhile.
#include "playlist_plugin/service/presence.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <utility>

namespace rosey::playlist {
namespace {

// Milliseconds.
constexpr std::int64_t written_after = 30'000;
constexpr std::int64_t longest_writing = 1'000;  // until the last try begins: a host waits for it

constexpr int most_writes = 5;  // each failed one means that another instance has written

}  // namespace

presence::presence(const sdk::context& context, playlist_storage& storage, clock& time,
                   const vote_config& config)
    : context_(context),
      storage_(storage),
      clock_(time),
      window_(config.active_user_minutes * 60'000),
      users_(window_) {}

void presence::saw(const std::string& channel, const std::string& user) {
  users_.saw(channel, user, clock_.now());
  write_soon(channel);
}

void presence::left(const std::string& channel, const std::string& user) {
  users_.left(channel, user, clock_.now());
  write_soon(channel);
}

void presence::loaded(const loaded_channel& channel) {
  users_.merge(channel.state.name, channel.seen, clock_.now());
}

std::map<std::string, std::int64_t> presence::left_from(const std::string& channel) const {
  return users_.left_from(channel, clock_.now());
}

std::size_t presence::count(const std::string& channel) const {
  return users_.count(channel, clock_.now());
}

void presence::write_soon(const std::string& channel) {
  if (!waiting_.insert(channel).second) return;
  context_.tasks.spawn_until_stop("presence in " + channel, write_later(channel));
}

void presence::stop() {
  const std::set<std::string> waiting = std::exchange(waiting_, {});
  for (const std::string& channel : waiting) {
    context_.tasks.spawn("presence in " + channel, write(channel));
  }
}

boost::asio::awaitable<void> presence::refresh(std::string channel) {
  const stored_sightings others = co_await storage_.seen(channel);
  users_.merge(channel, others.seen, clock_.now());
}

boost::asio::awaitable<void> presence::write_later(std::string channel) {
  const auto alarm = std::make_shared<boost::asio::steady_timer>(context_.executor);
  const std::int64_t at = clock_.now() + written_after;
  while (clock_.now() < at) {
    clock_.arm(alarm, at);
    co_await alarm->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  // A task of its own, which a stop waits for. Whoever is seen from here on is written the next
  // time.
  if (waiting_.erase(channel) > 0) {
    context_.tasks.spawn("presence in " + channel, write(channel));
  }
}

boost::asio::awaitable<void> presence::write(std::string channel) {
  const std::int64_t deadline = clock_.now() + longest_writing;
  try {
    bool written = false;
    for (int tries = 0; !written && tries < most_writes && clock_.now() <= deadline; ++tries) {
      stored_sightings known = co_await storage_.seen(channel);
      users_.merge(channel, known.seen, clock_.now());
      known.seen = users_.seen_in(channel, clock_.now());
      written = co_await storage_.store_seen(channel, std::move(known), window_ / 1000);
    }
  } catch (const sdk::storage_unavailable& away) {
    context_.log.debug("presence in " + channel + ": " + away.what());
  }
}

}  // namespace rosey::playlist
