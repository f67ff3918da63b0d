// Choice of the back end, and the tables that the service keeps for itself.
#include "host_stub/storage/database.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <random>
#include <system_error>

#include "host_stub/address.hpp"
#include "host_stub/storage/postgresql/postgresql_database.hpp"
#include "host_stub/storage/sqlite/sqlite_database.hpp"

namespace rosey::storage {

namespace {

bool is_postgresql(const std::string& url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

std::string sqlite_path(const std::string& url) {
  constexpr std::string_view sqlite = "sqlite:";
  if (url.find_first_of(":=") == std::string::npos) return url;
  if (!url.starts_with(sqlite)) {
    throw std::runtime_error(
        fmt::format("The database must be given as sqlite:PATH or postgresql://USER@HOST/NAME, but "
                    "is '{}'",
                    host::printable_address(url)));
  }
  std::string path = url.substr(sqlite.size());
  if (path.starts_with("//")) path.erase(0, 2);
  return path;
}

}  // namespace

std::unique_ptr<database> open_database(const std::string& url, const database_options& options) {
  if (is_postgresql(url)) return open_postgresql(url, options);
  return open_sqlite(sqlite_path(url), options);
}

std::optional<std::string> missing_file(const std::string& url) {
  if (is_postgresql(url)) return std::nullopt;
  std::string path = sqlite_path(url);
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return std::nullopt;
  return path;
}

json::object describe(const database& opened) {
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return {{"identity", opened.identity()},
          {"copy", opened.copy()},
          {"location", opened.shown()},
          {"host", host}};
}

std::string new_identity() {
  std::random_device random;
  std::string digits;
  for (int i = 0; i < 4; ++i) digits += fmt::format("{:08x}", std::uint32_t{random()});
  return digits;
}

// Times are milliseconds since 1970, except applied_at, which people read.
std::string own_tables(std::string_view text) {
  return fmt::format(R"(
CREATE TABLE IF NOT EXISTS schema_migrations (
    plugin {0} NOT NULL,
    version BIGINT NOT NULL,
    name {0} NOT NULL,
    checksum {0} NOT NULL,
    applied_at TIMESTAMP(0) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (plugin, version)
);
CREATE TABLE IF NOT EXISTS rosey_kv (
    plugin {0} NOT NULL,
    key {0} NOT NULL,
    value {0} NOT NULL,
    revision BIGINT NOT NULL,
    expires_at BIGINT,
    set_at BIGINT,
    PRIMARY KEY (plugin, key)
);
CREATE INDEX IF NOT EXISTS rosey_kv_expires ON rosey_kv(expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS rosey_request (
    plugin {0} NOT NULL,
    request_id {0} NOT NULL,
    reply {0} NOT NULL,
    created_at BIGINT NOT NULL,
    results {0},
    PRIMARY KEY (plugin, request_id)
);
CREATE INDEX IF NOT EXISTS rosey_request_created ON rosey_request(created_at);
CREATE TABLE IF NOT EXISTS rosey_identity (
    only_row BIGINT PRIMARY KEY,
    identity {0} NOT NULL
);
INSERT INTO rosey_identity (only_row, identity) VALUES (1, '{1}') ON CONFLICT DO NOTHING;
)",
                     text, new_identity());
}

}  // namespace rosey::storage
