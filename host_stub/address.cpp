#include "host_stub/address.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>

#include "host_stub/text.hpp"

namespace rosey::host {
namespace {

constexpr std::string_view hidden = "***";
constexpr std::string_view scheme_end = "://";

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.' || c == '+' || c == '%';
  });
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '%' && at + 2 < text.size() && digit(text[at + 1]) >= 0 &&
                        digit(text[at + 2]) >= 0;
    if (!escape) {
      decoded += text[at];
      continue;
    }
    decoded += static_cast<char>(digit(text[at + 1]) * 16 + digit(text[at + 2]));
    at += 2;
  }
  return decoded;
}

// What libpq takes and need not be hidden; anything else may be a password under any name.
constexpr std::string_view harmless_keywords[] = {"application_name",
                                                  "channel_binding",
                                                  "client_encoding",
                                                  "connect_timeout",
                                                  "dbname",
                                                  "host",
                                                  "hostaddr",
                                                  "keepalives",
                                                  "keepalives_count",
                                                  "keepalives_idle",
                                                  "keepalives_interval",
                                                  "load_balance_hosts",
                                                  "options",
                                                  "passfile",
                                                  "port",
                                                  "requirepeer",
                                                  "service",
                                                  "sslcert",
                                                  "sslkey",
                                                  "sslmode",
                                                  "sslrootcert",
                                                  "tcp_user_timeout",
                                                  "target_session_attrs",
                                                  "user"};

bool is_harmless(std::string_view keyword) {
  return std::find(std::begin(harmless_keywords), std::end(harmless_keywords), keyword) !=
         std::end(harmless_keywords);
}

// Of a URL that may have none: where what follows "scheme://" begins.
std::size_t authority_of(std::string_view url) {
  const auto found = url.find(scheme_end);
  return found == std::string_view::npos ? 0 : found + scheme_end.size();
}

// Where the host begins, behind user and password. Both may hold an unescaped '@', '/' or '?'.
std::size_t host_of(std::string_view url) {
  const std::size_t begin = authority_of(url);
  const auto at = url.substr(0, url.find('/', begin)).rfind('@');
  return at == std::string_view::npos || at < begin ? begin : at + 1;
}

// "a=1&password=x" with "password=***"; none if it is no query.
std::optional<std::string> printable_query(std::string_view query) {
  std::string shown;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    if (equals == std::string_view::npos || !is_word(key)) return std::nullopt;
    if (!shown.empty()) shown += '&';
    shown.append(key).append("=");
    shown.append(is_harmless(percent_decoded(key)) ? pair.substr(equals + 1) : hidden);
  }
  return shown;
}

std::string printable_url(std::string_view url) {
  std::string shown(url.substr(0, authority_of(url)));
  std::string_view rest = url.substr(host_of(url));
  const auto mark = rest.find('?');
  std::optional<std::string> query;
  if (mark != std::string_view::npos) query = printable_query(rest.substr(mark + 1));
  if (query) rest = rest.substr(0, mark);
  // Of a password with a '/' in it, or of a path that has an '@': not to be told from each other.
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  shown += rest;
  if (query) shown.append("?").append(*query);
  return shown;
}

// Where a value of libpq's ends: it may be quoted, and a backslash takes away a character's
// meaning.
std::size_t end_of_value(std::string_view text) {
  const bool quoted = text.starts_with('\'');
  for (std::size_t at = quoted ? 1 : 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (quoted ? text[at] == '\'' : std::isspace(static_cast<unsigned char>(text[at]))) {
      return quoted ? at + 1 : at;
    }
  }
  return text.size();
}

bool is_keywords(std::string_view address) {
  const auto equals = address.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view key = trimmed(address.substr(0, equals));
  return is_harmless(key) || key == "password";
}

// "host=h password='x y'" with "password=***".
std::string printable_keywords(std::string_view text) {
  std::string shown;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    if (!shown.empty()) shown += ' ';
    const auto equals = text.find('=');
    // What cannot be read may be the end of a password.
    if (equals == std::string_view::npos) return shown.append(hidden);
    const std::string_view key = trimmed(text.substr(0, equals));
    text = trimmed(text.substr(equals + 1));
    const std::string_view value = text.substr(0, end_of_value(text));
    text.remove_prefix(value.size());
    if (!is_harmless(key)) {
      shown.append(is_word(key) ? key : hidden).append("=").append(hidden);
    } else {
      const bool is_url = value.find(scheme_end) != std::string_view::npos;
      shown.append(key).append("=").append(is_url ? printable_url(value) : std::string(value));
    }
  }
  return shown;
}

// Where the next address of a list begins: behind a comma, with a scheme of its own. Without one it
// may be the rest of a password.
std::size_t end_of_first(std::string_view list) {
  for (auto comma = list.find(','); comma != std::string_view::npos;
       comma = list.find(',', comma + 1)) {
    const std::string_view next = trimmed(list.substr(comma + 1));
    const auto scheme = next.find(scheme_end);
    if (scheme != std::string_view::npos && is_word(next.substr(0, scheme))) return comma;
  }
  return list.size();
}

bool is_postgresql(std::string_view address) {
  return address.starts_with("postgresql://") || address.starts_with("postgres://");
}

bool is_sqlite(std::string_view address) {
  return address.starts_with("sqlite:");
}

}  // namespace

std::string printable_address(std::string_view address) {
  if (is_sqlite(address)) return std::string(address);
  if (is_keywords(address)) return printable_keywords(address);
  std::string shown;
  while (!address.empty()) {
    const std::string_view first = address.substr(0, end_of_first(address));
    address.remove_prefix(std::min(first.size() + 1, address.size()));
    if (!shown.empty()) shown += ',';
    shown += printable_url(trimmed(first));
  }
  return shown;
}

bool holds_secret(std::string_view address) {
  if (is_sqlite(address)) return false;
  if (printable_address(address).find(hidden) != std::string::npos) return true;
  if (!is_postgresql(address)) return address.find('@') != std::string_view::npos;
  const auto at = address.rfind('@');
  return at != std::string_view::npos &&
         address.substr(authority_of(address), at - authority_of(address)).find(':') !=
             std::string_view::npos;
}

std::vector<std::string> split_addresses(std::string_view list) {
  std::vector<std::string> addresses;
  while (!list.empty()) {
    const std::string_view each = list.substr(0, list.find(','));
    list.remove_prefix(std::min(each.size() + 1, list.size()));
    if (const std::string_view address = trimmed(each); !address.empty()) {
      addresses.emplace_back(address);
    }
  }
  return addresses;
}

std::string with_plain_login(std::string_view url) {
  const std::size_t begin = authority_of(url);
  const auto at = url.rfind('@');
  if (at == std::string_view::npos || at < begin) return std::string(url);
  return std::string(url.substr(0, begin)) + percent_decoded(url.substr(begin, at - begin)) +
         std::string(url.substr(at));
}

}  // namespace rosey::host
