// Opening of the database: whether it can be reached, and the service's own tables.
#include "host_stub/storage/postgresql/postgresql_database.hpp"

#include <fmt/format.h>

#include "host_stub/storage/postgresql/postgresql_connection.hpp"
#include "host_stub/storage/postgresql/postgresql_session.hpp"

namespace rosey::storage {

namespace {

class postgresql_database final : public database {
 public:
  postgresql_database(std::string url, const database_options& options)
      : url_(std::move(url)), options_(options) {}

  std::unique_ptr<session> connect(access mode) override {
    return connect_postgresql(url_, mode, options_);
  }

  std::string_view dialect_name() const override { return "postgresql"; }

  bool writes_in_parallel() const override { return true; }

 private:
  std::string url_;
  database_options options_;
};

}  // namespace

std::unique_ptr<database> open_postgresql(const std::string& url, const database_options& options) {
  const std::string shown = postgresql_connection::shown(url);
  try {
    postgresql_connection connection(url, access::write, options);
    // Several services may start at once, and CREATE … IF NOT EXISTS is no match for that. They
    // wait for each other longer than requests do.
    connection.execute(
        std::string("SET lock_timeout = '30s'; BEGIN; SELECT pg_advisory_xact_lock("
                    "hashtextextended('rosey ' || current_schema(), 0))"));
    connection.execute(own_tables("TEXT COLLATE \"C\""));
    connection.execute(std::string("CREATE SEQUENCE IF NOT EXISTS rosey_revision; COMMIT"));
  } catch (const sql_failure& failure) {
    throw std::runtime_error(
        fmt::format("Cannot use the database '{}': {}", shown, failure.what()));
  }
  return std::make_unique<postgresql_database>(url, options);
}

}  // namespace rosey::storage
