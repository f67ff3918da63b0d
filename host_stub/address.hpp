// Addresses that people configure: how they are shown, split into a list, and read by libnats.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rosey::host {

// What may be shown of any address, or of a text that should be one: everything but users,
// passwords and tokens. Understands NATS' URLs and comma lists of them, PostgreSQL's URLs, libpq's
// "keyword=value" strings and "sqlite:PATH". Where a text is ambiguous it shows less.
std::string printable_address(std::string_view address);

// Whether a password or a token is in it. A lone user is one for NATS, which takes it as a token.
bool holds_secret(std::string_view address);

// The addresses of a comma list, without blanks around them; a comma in a password is written %2C.
std::vector<std::string> split_addresses(std::string_view list);

// One NATS URL with its user, password or token as they are: libnats 3.4.1 knows no %XX there.
// The result goes to natsOptions_SetServers, as natsOptions_SetURL would split it at a comma.
std::string with_plain_login(std::string_view url);

}  // namespace rosey::host
