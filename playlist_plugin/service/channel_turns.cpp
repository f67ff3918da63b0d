// The waiting is async_mutex's; the limits are here.
#include "playlist_plugin/service/channel_turns.hpp"

#include "playlist_plugin/storage/refused.hpp"

namespace rosey::playlist {
namespace {

constexpr std::int64_t longest_wait_for_turn =
    2'500;                                          // milliseconds; routers wait for five seconds
constexpr std::size_t most_waiting_for_turn = 500;  // commands, for one channel

}  // namespace

boost::asio::awaitable<result<channel_turns::turn>> channel_turns::enter(clock& time) {
  if (mutex_.waiting() >= most_waiting_for_turn) co_return too_busy();
  const std::uint64_t silences = silences_;
  auto entered = co_await mutex_.lock_until(time, time.steady() + longest_wait_for_turn);
  if (!entered) co_return too_busy();
  fail_if_silent_since(silences);
  co_return std::move(*entered);
}

boost::asio::awaitable<channel_turns::turn> channel_turns::enter_patiently() {
  const std::uint64_t silences = silences_;
  auto entered = co_await mutex_.lock();
  fail_if_silent_since(silences);
  co_return std::move(entered);
}

void channel_turns::fail_if_silent_since(std::uint64_t silences) const {
  if (silences_ == silences) return;
  throw sdk::storage_timed_out("Storage: gave no answer to others that came before");
}

}  // namespace rosey::playlist
