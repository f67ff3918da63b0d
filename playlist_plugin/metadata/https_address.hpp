// Addresses that can be asked over HTTPS.
#pragma once

#include <optional>
#include <string>

namespace rosey::playlist {

struct https_address {
  std::string host;    // a name, or an address without brackets
  std::string port;    // of digits, 1 to 65535
  std::string target;  // begins with '/', without a fragment
};

// "host:port" as HTTP writes it: an IPv6 address has brackets.
std::string authority_of(const https_address& address);

// Nothing for what is no https:// URL, has no host or no such port, or names a user. A host
// consists of letters, digits, '-', '.' and '_': what is encoded in it could end a line of a
// request.
std::optional<https_address> parse_https_address(const std::string& url);

}  // namespace rosey::playlist
