// Choice of the back end, and the tables that the service keeps for itself.
#include "host_stub/storage/database.hpp"

#include <fmt/format.h>

#include "host_stub/storage/sqlite/sqlite_database.hpp"

namespace rosey::storage {

std::unique_ptr<database> open_database(const std::string& url, const database_options& options) {
  constexpr std::string_view sqlite = "sqlite:";
  if (!url.starts_with(sqlite)) {
    throw std::runtime_error(
        fmt::format("The database must be given as sqlite:PATH, but is '{}'", url));
  }
  std::string path = url.substr(sqlite.size());
  if (path.starts_with("//")) path.erase(0, 2);
  return open_sqlite(path, options);
}

// Times are milliseconds since 1970, except applied_at, which people read.
std::string_view own_tables() {
  return R"(
CREATE TABLE IF NOT EXISTS schema_migrations (
    plugin TEXT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (plugin, version)
);
CREATE TABLE IF NOT EXISTS rosey_kv (
    plugin TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    revision BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (plugin, key)
);
CREATE INDEX IF NOT EXISTS rosey_kv_expires ON rosey_kv(expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS rosey_revision (
    only_row BIGINT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO rosey_revision (only_row, value) VALUES (1, 0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS rosey_request (
    plugin TEXT NOT NULL,
    request_id TEXT NOT NULL,
    reply TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (plugin, request_id)
);
CREATE INDEX IF NOT EXISTS rosey_request_created ON rosey_request(created_at);
)";
}

}  // namespace rosey::storage
