// Addresses that can be asked over HTTPS.
#pragma once

#include <optional>
#include <string>

namespace rosey::playlist {

struct https_address {
  std::string host;
  std::string port;    // of digits, 1 to 65535
  std::string target;  // begins with '/', without a fragment
};

// Nothing for what is no https:// URL, has no host or no such port, or names a user.
std::optional<https_address> parse_https_address(const std::string& url);

}  // namespace rosey::playlist
