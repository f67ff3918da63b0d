// The session: transactions, statements, and the schema as the transaction sees it.
#include "host_stub/storage/postgresql/postgresql_session.hpp"

#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "host_stub/storage/postgresql/postgresql_connection.hpp"
#include "host_stub/storage/postgresql/postgresql_dialect.hpp"
#include "host_stub/storage/postgresql/postgresql_schema.hpp"
#include "host_stub/storage/postgresql/postgresql_wall.hpp"

namespace rosey::storage {

namespace {

class postgresql_session final : public session {
 public:
  postgresql_session(std::string url, access mode, const database_options& options,
                     std::shared_ptr<server_health> health, std::string identity)
      : url_(std::move(url)),
        mode_(mode),
        options_(options),
        health_(std::move(health)),
        identity_(std::move(identity)) {}

  const dialect& language() const override { return postgresql_dialect(); }

  const schema& tables() override {
    if (!schema_is_current_) {
      guarded([this] {
        std::string version = schema_version(connection());
        if (version != schema_version_) {
          schema_ = read_schema(connection());
          schema_version_ = std::move(version);
        }
      });
      schema_is_current_ = true;
    }
    return schema_;
  }

  const schema& tables_anew() override {
    guarded([this] { schema_ = read_schema(connection()); });
    return schema_;
  }

  // Where it is found out whether the server answers at all: nothing in it takes long.
  void begin(access mode) override {
    schema_is_current_ = false;
    deadline_ = std::chrono::steady_clock::now() + options_.read_timeout;
    health_->admit();
    if (connection_ && (connection_->lost() || outdated_)) connection_.reset();
    guarded([&] {
      if (!connection_) connect();
      const char* sql = mode == access::write ? "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
                                              : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
      if (options_.write_timeout.count() > 0) {
        connection().execute_within(options_.write_timeout, sql);
      } else {
        connection().execute(std::string(sql));
      }
    });
    health_->answered();
  }

  void commit() override {
    guarded([this] {
      const postgresql_result ended = connection().execute(std::string("COMMIT"));
      // What the server answers to the COMMIT of a transaction in which a statement has failed.
      if (std::strcmp(PQcmdStatus(ended.native()), "COMMIT") != 0) {
        throw sql_failure(sql_failure_kind::broken, "the server has taken the transaction back");
      }
    });
  }

  void rollback() noexcept override {
    schema_is_current_ = false;
    if (!in_transaction()) return;
    try {
      connection().execute(std::string("ROLLBACK"));
    } catch (const std::exception&) {
      connection_.reset();  // the server rolls back what nobody can commit
    }
  }

  bool in_transaction() const noexcept override {
    if (!connection_ || connection_->lost()) return false;
    const auto status = connection_->transaction_status();
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
  }

  void savepoint() override { run("SAVEPOINT request"); }
  void release() override { run("RELEASE request"); }
  void rollback_to_savepoint() override { run("ROLLBACK TO request"); }

  std::int64_t execute(const statement& what) override {
    return guarded([&] { return connection().execute(what).affected(); });
  }

  std::vector<std::int64_t> insert_all(const std::vector<statement>& rows, bool fills_id) override {
    std::vector<std::int64_t> ids;
    ids.reserve(rows.size());
    guarded([&] {
      connection().execute_all(rows, [&](const postgresql_result& inserted) {
        if (inserted.affected() == 0) throw sql_failure(sql_failure_kind::constraint, row_ignored);
        ids.push_back(fills_id ? id_of(inserted) : 0);
      });
    });
    return ids;
  }

  void query(const statement& what, const row_handler& each) override {
    guarded([&] {
      check_time();
      if (what.many_rows) {
        query_by_cursor(what, each);
      } else {
        pass(connection().execute(what), each);
      }
    });
  }

  void run_migration(const std::string& plugin, const std::string& sql) override {
    schema_is_current_ = false;
    postgresql_wall wall(connection(), plugin);
    run_script(sql);
    const std::string problem = wall.problem_after();
    if (!problem.empty()) throw sql_failure(sql_failure_kind::broken, problem);
  }

  void lock_migrations(const std::string& plugin, std::chrono::milliseconds patience) override {
    migration_lock_ = migration_lock{plugin, patience};
    if (!connection_) return connect();
    take_migration_lock();
  }

 private:
  postgresql_connection& connection() { return *connection_; }

  // Inside of EXECUTE the server refuses what would end the transaction.
  void run_script(const std::string& sql) {
    const std::string body = fmt::format("BEGIN EXECUTE {}; END", connection().literal(sql));
    try {
      connection().execute("DO " + connection().literal(body));
    } catch (const sql_failure& failure) {
      // A script that names what is not there is wrong, and not late.
      const bool its_fault = failure.kind == sql_failure_kind::interrupted && !connection_->lost();
      const std::string_view why = failure.what();
      const bool ends = its_fault && why == "EXECUTE of transaction commands is not implemented";
      throw sql_failure(its_fault ? sql_failure_kind::broken : failure.kind,
                        ends ? ends_transaction : failure.what());
    }
  }

  void connect() {
    connection_.emplace(url_, mode_, options_);
    check_identity();
    outdated_ = false;
    schema_version_.clear();
    if (migration_lock_) take_migration_lock();
  }

  // Behind the same name there may be another database by now.
  void check_identity() {
    const std::string found = connection().identity();
    if (found == identity_) return;
    connection_.reset();
    throw sql_failure(
        sql_failure_kind::broken,
        found.empty() ? "it is not the database that was there: it has no identity"
                      : fmt::format("it is another database, with the identity {} instead of {}",
                                    found, identity_));
  }

  // The server gives it back with the connection.
  void take_migration_lock() {
    const auto& [plugin, patience] = *migration_lock_;
    connection().set_time_limit(std::chrono::milliseconds(0));  // a migration may take its time
    connection().execute(fmt::format("SET lock_timeout = {}", patience.count()));
    try {
      // By schema, because one database may hold several of ours.
      connection().execute_once(
          {"SELECT pg_advisory_lock(hashtextextended('rosey ' || current_schema() || ' ' || $1, "
           "0))",
           {plugin}});
    } catch (const sql_failure& failure) {
      if (failure.kind != sql_failure_kind::conflict) throw;
      throw sql_failure(sql_failure_kind::busy, migration_at_work);
    }
  }

  void run(const char* sql) {
    guarded([&] { connection().execute(std::string(sql)); });
  }

  // After an interruption all that was read or prepared before is in doubt.
  template <class Action>
  auto guarded(Action action) -> decltype(action()) {
    try {
      return action();
    } catch (const server_silent&) {
      health_->silent();
      throw;
    } catch (const sql_failure& failure) {
      if (failure.kind == sql_failure_kind::interrupted) outdated_ = true;
      health_->answered();  // a refusal is an answer
      throw;
    }
  }

  static std::int64_t id_of(const postgresql_result& inserted) {
    std::vector<sql_value> row;
    inserted.read(0, row);
    return std::get<std::int64_t>(row.at(0));
  }

  // The server's own limit is that of each statement.
  void check_time() const {
    const bool limited = mode_ == access::read && options_.read_timeout.count() > 0;
    if (limited && std::chrono::steady_clock::now() > deadline_) {
      throw sql_failure(sql_failure_kind::busy, took_too_long);
    }
  }

  // False when `each` wants no more.
  static bool pass(const postgresql_result& rows, const row_handler& each) {
    std::vector<sql_value> row;
    for (int i = 0; i < rows.rows(); ++i) {
      rows.read(i, row);
      if (!each(row)) return false;
    }
    return true;
  }

  // In portions, so that neither side holds all rows.
  void query_by_cursor(const statement& what, const row_handler& each) {
    connection().execute_once(
        {"DECLARE rosey_rows NO SCROLL CURSOR FOR " + what.sql, what.parameters});
    while (true) {
      check_time();
      const postgresql_result rows = connection().execute(std::string("FETCH 100 FROM rosey_rows"));
      if (rows.rows() == 0 || !pass(rows, each)) break;
    }
    connection().execute(std::string("CLOSE rosey_rows"));
  }

  struct migration_lock {
    std::string plugin;
    std::chrono::milliseconds patience;
  };

  const std::string url_;
  const access mode_;
  const database_options options_;
  const std::shared_ptr<server_health> health_;
  const std::string identity_;
  std::optional<postgresql_connection> connection_;
  std::chrono::steady_clock::time_point deadline_;
  std::optional<migration_lock> migration_lock_;
  bool outdated_ = false;
  schema schema_;
  std::string schema_version_;
  bool schema_is_current_ = false;
};

}  // namespace

std::unique_ptr<session> connect_postgresql(const std::string& url, access mode,
                                            const database_options& options,
                                            std::shared_ptr<server_health> health,
                                            const std::string& identity) {
  return std::make_unique<postgresql_session>(url, mode, options, std::move(health), identity);
}

}  // namespace rosey::storage
