// JSON from the web over HTTPS: certificates are verified, proxies respected, and no server can
// make us wait or read for ever.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "playlist_plugin/domain/refusal.hpp"
#include "playlist_plugin/metadata/proxy.hpp"
#include "playlist_plugin/metadata/resolver.hpp"

namespace rosey::playlist {

class http_client {
 public:
  struct settings {
    std::string ca_file;  // PEM, beside the system's authorities; "" for none
    std::chrono::milliseconds timeout = std::chrono::seconds(10);  // of a whole fetch
    proxy_settings proxies;
    resolver::name_servers name_servers;  // none: the system's
  };

  // Sockets live on the executor's context. Throws std::runtime_error if the file cannot be read.
  http_client(boost::asio::any_io_executor executor, settings options);
  ~http_client();

  // The body of a JSON answer. Whatever else a server does is a failure with one of fetch_codes and
  // a sentence for the log; unreachable when the site itself, not one that it redirects to, has
  // answered nothing. Cancelling throws boost::system::system_error with operation_aborted.
  boost::asio::awaitable<result<std::string>> get_json(std::string url);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace rosey::playlist
