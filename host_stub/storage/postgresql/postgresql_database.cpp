// Opening of the database: whether it can be reached, and the service's own tables.
#include "host_stub/storage/postgresql/postgresql_database.hpp"

#include <fmt/format.h>

#include "host_stub/storage/postgresql/postgresql_connection.hpp"
#include "host_stub/storage/postgresql/postgresql_session.hpp"

namespace rosey::storage {

namespace {

class postgresql_database final : public database {
 public:
  postgresql_database(std::string url, const database_options& options, std::string identity)
      : url_(std::move(url)), options_(options), identity_(std::move(identity)) {}

  std::unique_ptr<session> connect(access mode) override {
    return connect_postgresql(url_, mode, options_, health_, identity_);
  }

  std::string_view dialect_name() const override { return "postgresql"; }

  const std::string& identity() const override { return identity_; }

  std::string shown() const override { return postgresql_connection::shown(url_); }

  std::string copy() const override { return {}; }

  bool writes_in_parallel() const override { return true; }

 private:
  std::string url_;
  database_options options_;
  std::string identity_;
  const std::shared_ptr<server_health> health_ = std::make_shared<server_health>();
};

// To databases of before it was there.
void add_column(postgresql_connection& in, const char* table, const char* column,
                const char* type) {
  const auto there = in.execute(
      fmt::format("SELECT 1 FROM pg_catalog.pg_attribute WHERE attname = '{}' AND attrelid = "
                  "'{}'::regclass AND NOT attisdropped",
                  column, table));
  if (there.rows() > 0) return;
  in.execute(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", table, column, type));
}

struct unreachable : sql_failure {
  using sql_failure::sql_failure;
};

// Tells a server that is away from one that does not want us.
postgresql_connection connect(const std::string& url, const database_options& options) {
  try {
    return {url, access::write, options};
  } catch (const server_silent& failure) {
    throw unreachable(failure.kind, failure.what());
  } catch (const sql_failure& failure) {
    const PGPing state = PQping(url.c_str());
    if (state != PQPING_NO_RESPONSE && state != PQPING_REJECT) throw;
    throw unreachable(failure.kind, failure.what());
  }
}

std::string cannot_use(const std::string& shown, const sql_failure& failure) {
  return fmt::format("Cannot use the database '{}': {}", shown, failure.what());
}

}  // namespace

std::unique_ptr<database> open_postgresql(const std::string& url, const database_options& options) {
  const std::string shown = postgresql_connection::shown(url);
  std::string identity;
  try {
    postgresql_connection connection = connect(url, options);
    // Several services may start at once, and CREATE … IF NOT EXISTS is no match for that. They
    // wait for each other longer than requests do.
    connection.set_time_limit(std::chrono::minutes(1));
    connection.execute(
        std::string("SET lock_timeout = '30s'; BEGIN; SELECT pg_advisory_xact_lock("
                    "hashtextextended('rosey ' || current_schema(), 0))"));
    connection.execute(own_tables("TEXT COLLATE \"C\""));
    add_column(connection, "rosey_request", "results", "TEXT COLLATE \"C\"");
    add_column(connection, "rosey_kv", "set_at", "BIGINT");
    connection.execute(std::string("CREATE SEQUENCE IF NOT EXISTS rosey_revision; COMMIT"));
    identity = connection.identity();
  } catch (const unreachable& failure) {
    throw database_unavailable(cannot_use(shown, failure));
  } catch (const sql_failure& failure) {
    throw std::runtime_error(cannot_use(shown, failure));
  }
  return std::make_unique<postgresql_database>(url, options, std::move(identity));
}

}  // namespace rosey::storage
