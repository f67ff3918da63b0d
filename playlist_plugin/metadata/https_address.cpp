// Boost.URL knows the syntax; the rest is what a request needs.
#include "playlist_plugin/metadata/https_address.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <string_view>

#include "playlist_plugin/domain/ascii.hpp"

namespace rosey::playlist {

namespace {

bool is_plain(std::string_view host) {
  return std::all_of(host.begin(), host.end(),
                     [](char c) { return ascii::is_slug(c) || c == '.'; });
}

}  // namespace

std::string authority_of(const https_address& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return (brackets ? "[" + address.host + "]" : address.host) + ":" + address.port;
}

std::optional<https_address> parse_https_address(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  const bool good = parsed && parsed->scheme_id() == boost::urls::scheme::https &&
                    !parsed->encoded_host().empty() && !parsed->has_userinfo();
  if (!good) return std::nullopt;
  const bool has_port = parsed->has_port();
  if (has_port && !ascii::port_number(parsed->port())) return std::nullopt;
  https_address address;
  address.host = std::string(parsed->host_address());
  const bool is_ipv6 = parsed->host_type() == boost::urls::host_type::ipv6;
  if (!is_ipv6 && !is_plain(address.host)) return std::nullopt;
  address.port = has_port ? std::string(parsed->port()) : "443";
  address.target = std::string(parsed->encoded_resource());
  if (const auto fragment = address.target.find('#'); fragment != std::string::npos) {
    address.target.resize(fragment);
  }
  if (!address.target.starts_with('/')) address.target.insert(0, "/");
  return address;
}

}  // namespace rosey::playlist
