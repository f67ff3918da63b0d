// The variables as curl reads them: lower case first, host suffixes, "*" for all.
#include "playlist_plugin/metadata/proxy.hpp"

#include <boost/beast/core/detail/base64.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "playlist_plugin/domain/ascii.hpp"

namespace rosey::playlist {
namespace {

std::string first_set(const proxy_settings::environment& read,
                      std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = read(name);
    if (value && *value) return value;
  }
  return {};
}

bool is_exception(std::string_view host, std::string_view exceptions) {
  for (std::string_view each : ascii::split(exceptions, ',')) {
    each = ascii::trimmed(each);
    if (each == "*") return true;
    if (each.starts_with('.')) each.remove_prefix(1);
    if (each.empty() || !host.ends_with(ascii::lower(each))) continue;
    const std::size_t rest = host.size() - each.size();
    if (rest == 0 || host[rest - 1] == '.') return true;
  }
  return false;
}

std::string basic_authorization(const boost::urls::url_view& address) {
  if (!address.has_userinfo()) return {};
  const std::string secret = std::string(address.user()) + ":" + std::string(address.password());
  namespace base64 = boost::beast::detail::base64;
  std::string encoded(base64::encoded_size(secret.size()), '\0');
  encoded.resize(base64::encode(encoded.data(), secret.data(), secret.size()));
  return "Basic " + encoded;
}

}  // namespace

proxy_settings::proxy_settings(const environment& read)
    : address_(first_set(read, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})),
      exceptions_(first_set(read, {"no_proxy", "NO_PROXY"})) {}

result<std::optional<proxy_address>> proxy_settings::find(std::string_view host) const {
  if (address_.empty() || is_exception(ascii::lower(host), exceptions_)) {
    return std::optional<proxy_address>();
  }
  const std::string whole =
      address_.find("://") == std::string::npos ? "http://" + address_ : address_;
  const auto parsed = boost::urls::parse_uri(whole);
  if (!parsed || parsed->scheme_id() != boost::urls::scheme::http ||
      parsed->encoded_host().empty() ||
      (parsed->has_port() && !ascii::port_number(parsed->port()))) {
    return error{"bad_proxy", "the proxy in the environment is not an http:// address"};
  }
  proxy_address found;
  found.host = std::string(parsed->host_address());
  found.port = parsed->has_port() ? std::string(parsed->port()) : "80";
  found.authorization = basic_authorization(*parsed);
  return std::optional<proxy_address>(std::move(found));
}

}  // namespace rosey::playlist
