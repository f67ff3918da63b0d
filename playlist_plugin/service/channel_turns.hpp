// Who uses a channel goes one after the other, and waits only as long as a command can.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <utility>

#include "playlist_plugin/async_mutex.hpp"
#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/domain/refusal.hpp"
#include "rosey/sdk/storage_client.hpp"

namespace rosey::playlist {

// When storage has kept silent to one for as long as a command can wait, those who wait behind him
// are answered the same, without another try: so everybody is answered in time, however many there
// are.
class channel_turns {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using turn = async_mutex::guard;

  explicit channel_turns(const boost::asio::any_io_executor& executor) : mutex_(executor) {}

  // Refused as codes::busy when it takes too long, or too many wait already. Throws
  // sdk::storage_timed_out.
  awaitable<result<turn>> enter(clock& time);

  // Waits as long as it takes. Throws sdk::storage_timed_out.
  awaitable<turn> enter_patiently();

  // Does the work, and notes if storage keeps silent to it. Both have to outlive the work.
  template <class T>
  awaitable<T> noting_silence(awaitable<T> work) {
    try {
      co_return co_await std::move(work);
    } catch (const sdk::storage_timed_out&) {
      ++silences_;
      throw;
    }
  }

 private:
  void fail_if_silent_since(std::uint64_t silences) const;

  async_mutex mutex_;
  std::uint64_t silences_ = 0;  // times that storage gave no answer in time
};

}  // namespace rosey::playlist
