// Boost.Beast over Asio's TLS streams.
#include "playlist_plugin/metadata/http_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>

#include "playlist_plugin/domain/ascii.hpp"
#include "playlist_plugin/metadata/fetch_codes.hpp"
#include "playlist_plugin/metadata/https_address.hpp"
#include "rosey/sdk/task_scope.hpp"

namespace rosey::playlist {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::awaitable;
using asio::use_awaitable;
using tcp = asio::ip::tcp;
using moment = std::chrono::steady_clock::time_point;

constexpr std::size_t largest_body = 1024 * 1024;  // bytes
constexpr int most_redirects = 3;

error failed(std::string why) {
  return {fetch_codes::failed, std::move(why)};
}

std::string redirected(const std::string& from, const std::string& location) {
  boost::urls::url target;
  const auto base = boost::urls::parse_uri(from);
  const auto reference = boost::urls::parse_uri_reference(location);
  if (!base || !reference || !boost::urls::resolve(*base, *reference, target)) return {};
  return std::string(target.buffer());
}

error refused_with(http::status status) {
  const std::string why = "the site answers " + std::to_string(static_cast<unsigned>(status));
  const bool for_now = status == http::status::request_timeout ||
                       status == http::status::too_many_requests ||
                       static_cast<unsigned>(status) == 425;  // too early
  const bool ours = http::to_status_class(status) == http::status_class::client_error;
  return {ours && !for_now ? fetch_codes::refused : fetch_codes::failed, why};
}

bool is_json(std::string_view content_type) {
  const std::string type =
      ascii::lower(ascii::trimmed(content_type.substr(0, content_type.find(';'))));
  return type == "application/json" || type == "text/json" || type == "text/javascript" ||
         type.ends_with("+json");
}

// What OpenSSL queued first often says less than why the certificate was refused.
[[noreturn]] void throw_refusal(boost::system::error_code failure, long verified) {
  if (verified == X509_V_OK || failure == asio::error::operation_aborted) {
    throw boost::system::system_error(failure);
  }
  throw std::runtime_error(std::string("the certificate is refused: ") +
                           X509_verify_cert_error_string(verified));
}

awaitable<void> open_tunnel(beast::tcp_stream& stream, const https_address& to,
                            const proxy_address& proxy) {
  const std::string authority = authority_of(to);
  http::request<http::empty_body> request(http::verb::connect, authority, 11);
  request.set(http::field::host, authority);
  if (!proxy.authorization.empty()) {
    request.set(http::field::proxy_authorization, proxy.authorization);
  }
  co_await http::async_write(stream, request, use_awaitable);
  http::response_parser<http::empty_body> parser;
  parser.skip(true);  // no body follows, whatever the header says
  beast::flat_buffer buffer;
  co_await http::async_read_header(stream, buffer, parser, use_awaitable);
  if (parser.get().result() != http::status::ok) {
    throw std::runtime_error("the proxy answers " + std::to_string(parser.get().result_int()));
  }
}

}  // namespace

struct http_client::parts {
  parts(asio::any_io_executor on, settings chosen)
      : executor(std::move(on)),
        options(std::move(chosen)),
        names(executor, options.name_servers),
        tls(ssl::context::tls_client) {
    boost::system::error_code ignored;  // a system without authorities may have a ca_file
    tls.set_default_verify_paths(ignored);
    tls.set_verify_mode(ssl::verify_peer);
    if (options.ca_file.empty()) return;
    boost::system::error_code failure;
    tls.load_verify_file(options.ca_file, failure);
    if (failure) {
      throw std::runtime_error("playlist: the file of 'metadata.ca_file' cannot be read: " +
                               failure.message());
    }
  }

  using response = http::response<http::string_body>;

  // `answered` becomes true with the first byte of an answer.
  awaitable<result<response>> exchange(https_address to, std::optional<proxy_address> proxy,
                                       moment deadline, bool& answered) {
    std::string host = proxy ? proxy->host : to.host;
    // 0, which nobody listens on, for what is none.
    const std::uint16_t port = ascii::port_number(proxy ? proxy->port : to.port).value_or(0);
    const auto endpoints = co_await names.find(std::move(host), port, deadline);
    if (!endpoints) co_return endpoints.error();
    beast::tcp_stream plain(executor);
    plain.expires_at(deadline);
    co_await plain.async_connect(*endpoints, use_awaitable);
    if (proxy) co_await open_tunnel(plain, to, *proxy);

    beast::ssl_stream<beast::tcp_stream> stream(std::move(plain), tls);
    beast::get_lowest_layer(stream).expires_at(deadline);
    SSL_set_tlsext_host_name(stream.native_handle(), to.host.c_str());
    stream.set_verify_callback(ssl::host_name_verification(to.host));
    auto [refused] =
        co_await stream.async_handshake(ssl::stream_base::client, asio::as_tuple(use_awaitable));
    if (refused) throw_refusal(refused, SSL_get_verify_result(stream.native_handle()));

    http::request<http::empty_body> request(http::verb::get, to.target, 11);
    const std::string authority = authority_of(to);
    const std::size_t usual_port = to.port == "443" ? std::string_view(":443").size() : 0;
    request.set(http::field::host, authority.substr(0, authority.size() - usual_port));
    request.set(http::field::user_agent, "rosey-playlist");
    request.set(http::field::accept, "application/json");
    request.set(http::field::connection, "close");
    co_await http::async_write(stream, request, use_awaitable);

    http::response_parser<http::string_body> parser;
    parser.body_limit(largest_body);
    beast::flat_buffer buffer;
    auto [broken, header_size] =
        co_await http::async_read_header(stream, buffer, parser, asio::as_tuple(use_awaitable));
    answered = answered || parser.got_some();
    if (broken) throw boost::system::system_error(broken);
    co_await http::async_read(stream, buffer, parser, use_awaitable);
    co_return parser.release();
  }

  asio::any_io_executor executor;
  settings options;
  resolver names;
  ssl::context tls;
};

http_client::http_client(asio::any_io_executor executor, settings options)
    : parts_(std::make_unique<parts>(std::move(executor), std::move(options))) {}

http_client::~http_client() = default;

awaitable<result<std::string>> http_client::get_json(std::string url) {
  const moment deadline = std::chrono::steady_clock::now() + parts_->options.timeout;
  bool answered = false;
  const auto broken = [&answered](std::string why) {
    return error{answered ? fetch_codes::failed : fetch_codes::unreachable, std::move(why)};
  };
  try {
    for (int hop = 0; hop <= most_redirects; ++hop) {
      const auto address = parse_https_address(url);
      if (!address) co_return failed("not an https:// address");
      const auto proxy = parts_->options.proxies.find(address->host);
      if (!proxy) co_return broken(proxy.error().message);
      auto exchanged = co_await parts_->exchange(*address, *proxy, deadline, answered);
      if (!exchanged) co_return broken(exchanged.error().message);
      parts::response& answer = *exchanged;
      const auto location = answer.find(http::field::location);
      if (http::to_status_class(answer.result()) == http::status_class::redirection &&
          location != answer.end()) {
        url = redirected(url, std::string(location->value()));
        continue;
      }
      if (answer.result() != http::status::ok) {
        co_return refused_with(answer.result());
      }
      if (!is_json(answer[http::field::content_type])) co_return failed("the answer is not JSON");
      co_return std::move(answer.body());
    }
  } catch (const boost::system::system_error& failure) {
    if (sdk::is_cancellation(failure)) throw;
    co_return broken(failure.code().message());
  } catch (const std::runtime_error& failure) {
    co_return broken(failure.what());
  }
  co_return failed("too many redirects");
}

}  // namespace rosey::playlist
