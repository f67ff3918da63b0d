// Boost.URL knows the syntax; the rest is what a request needs.
#include "playlist_plugin/metadata/https_address.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace rosey::playlist {

std::optional<https_address> parse_https_address(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  const bool good = parsed && parsed->scheme_id() == boost::urls::scheme::https &&
                    !parsed->encoded_host().empty() && !parsed->has_userinfo();
  if (!good || (parsed->has_port() && parsed->port_number() == 0)) return std::nullopt;
  https_address address;
  address.host = std::string(parsed->host_address());
  address.port = parsed->has_port() ? std::string(parsed->port()) : "443";
  address.target = std::string(parsed->encoded_resource());
  if (const auto fragment = address.target.find('#'); fragment != std::string::npos) {
    address.target.resize(fragment);
  }
  if (!address.target.starts_with('/')) address.target.insert(0, "/");
  return address;
}

}  // namespace rosey::playlist
