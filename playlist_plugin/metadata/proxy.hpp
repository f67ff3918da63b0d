// Through which proxy a host is reached, as HTTPS_PROXY, ALL_PROXY and NO_PROXY say.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "playlist_plugin/domain/refusal.hpp"

namespace rosey::playlist {

struct proxy_address {
  std::string host;
  std::string port;
  std::string authorization;  // value of Proxy-Authorization; "" for none
};

class proxy_settings {
 public:
  // Null for a variable that is not set.
  using environment = std::function<const char*(const char* name)>;

  proxy_settings() = default;  // none
  explicit proxy_settings(const environment& read);

  // Nothing: directly. Fails when the variable holds something else than an http:// address.
  result<std::optional<proxy_address>> find(std::string_view host) const;

 private:
  std::string address_;
  std::string exceptions_;
};

}  // namespace rosey::playlist
