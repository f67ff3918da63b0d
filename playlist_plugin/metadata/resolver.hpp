// Addresses of hosts, looked up on the plugin's own thread, so that a name server that never
// answers holds up nothing: a look-up ends at its deadline, and at once when it is cancelled.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "playlist_plugin/domain/refusal.hpp"

namespace rosey::playlist {

// "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353".
std::optional<boost::asio::ip::udp::endpoint> parse_name_server(std::string_view text);

// Must outlive its look-ups.
class resolver {
 public:
  using name_servers = std::vector<boost::asio::ip::udp::endpoint>;
  using endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
  using moment = std::chrono::steady_clock::time_point;

  // Asks these servers, over UDP and TCP; none: those of /etc/resolv.conf, read at each look-up.
  explicit resolver(boost::asio::any_io_executor executor, name_servers servers = {});

  // The address itself if that is what it is, else what /etc/hosts says, else DNS: never empty, of
  // both families, what is likely to be reached first (RFC 6724). Fails with fetch_codes::failed,
  // and not later than at `deadline`. Cancelling throws boost::system::system_error with
  // operation_aborted.
  boost::asio::awaitable<result<endpoints>> find(std::string host, std::uint16_t port,
                                                 moment deadline) const;

 private:
  boost::asio::any_io_executor executor_;
  name_servers servers_;
};

}  // namespace rosey::playlist
