// The connection: statements, transactions, and the schema as the file has it now.
#include "host_stub/storage/sqlite/sqlite_session.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <optional>

#include "host_stub/storage/sqlite/migration_gate.hpp"
#include "host_stub/storage/sqlite/sqlite_dialect.hpp"
#include "host_stub/storage/sqlite/sqlite_schema.hpp"
#include "host_stub/storage/sqlite/statement_cache.hpp"

namespace rosey::storage {

namespace {

constexpr std::size_t cached_statements = 128;
constexpr std::size_t cached_bytes = 512 * 1024;

sql_failure_kind kind_of(const SQLite::Exception& failure) {
  switch (failure.getErrorCode() & 0xff) {  // without the extended part
    case SQLITE_CONSTRAINT:
      return sql_failure_kind::constraint;
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return sql_failure_kind::invalid;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
      return sql_failure_kind::busy;
    default:
      break;
  }
  const std::string_view message = failure.what();
  const bool overflow = message == integer_overflow || message == real_overflow;
  return overflow ? sql_failure_kind::invalid : sql_failure_kind::broken;
}

template <class Action>
auto translated(Action action) {
  try {
    return action();
  } catch (const SQLite::Exception& failure) {
    const int code = failure.getErrorCode();
    throw sql_failure(kind_of(failure), code == SQLITE_INTERRUPT ? took_too_long
                                        : code == SQLITE_AUTH    ? ends_transaction
                                                                 : failure.what());
  }
}

// A statement that gives its locks and values back at the end of the scope.
class running {
 public:
  running(SQLite::Statement& prepared, const std::vector<sql_value>& parameters)
      : prepared_(prepared) {
    int position = 0;
    for (const sql_value& value : parameters) {
      std::visit(binder{prepared_, ++position}, value);
    }
  }
  running(const running&) = delete;
  running& operator=(const running&) = delete;
  ~running() { prepared_.tryReset(); }

  bool step() { return prepared_.executeStep(); }

  void read(std::vector<sql_value>& row) const {
    row.resize(static_cast<std::size_t>(prepared_.getColumnCount()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = value_of(prepared_.getColumn(static_cast<int>(i)));
    }
  }

 private:
  struct binder {
    SQLite::Statement& into;
    int position;

    void operator()(sql_null) const { into.bind(position); }
    void operator()(bool value) const { into.bind(position, value ? 1 : 0); }
    void operator()(std::int64_t value) const { into.bind(position, value); }
    void operator()(double value) const { into.bind(position, value); }
    void operator()(const std::string& value) const { into.bindNoCopy(position, value); }
  };

  static sql_value value_of(const SQLite::Column& value) {
    switch (value.getType()) {
      case SQLITE_INTEGER:
        return std::int64_t{value.getInt64()};
      case SQLITE_FLOAT:
        return value.getDouble();
      case SQLITE_NULL:
        return sql_null();
      default:
        return value.getString();
    }
  }

  SQLite::Statement& prepared_;
};

// Refuses what would end the migration's transaction or reach into other files.
int authorize_script(void*, int action, const char*, const char*, const char*, const char*) {
  const bool forbidden = action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT ||
                         action == SQLITE_ATTACH || action == SQLITE_DETACH;
  return forbidden ? SQLITE_DENY : SQLITE_OK;
}

class script_guard {
 public:
  explicit script_guard(sqlite3* connection) : connection_(connection) {
    sqlite3_set_authorizer(connection_, authorize_script, nullptr);
  }
  script_guard(const script_guard&) = delete;
  script_guard& operator=(const script_guard&) = delete;
  ~script_guard() { sqlite3_set_authorizer(connection_, nullptr, nullptr); }

 private:
  sqlite3* connection_;
};

int open_flags(access mode) {
  // One thread at a time uses a session, so SQLite need not lock.
  constexpr int unlocked = SQLITE_OPEN_NOMUTEX;
  if (mode == access::read) return SQLite::OPEN_READONLY | unlocked;
  return SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | unlocked;
}

class sqlite_session final : public session {
 public:
  sqlite_session(const std::string& path, access mode, const database_options& options)
      : connection_(path, open_flags(mode), static_cast<int>(options.busy_timeout.count())),
        statements_(connection_, cached_statements, cached_bytes),
        busy_timeout_(options.busy_timeout),
        time_limit_(mode == access::read ? options.read_timeout : std::chrono::milliseconds(0)) {
    if (mode == access::write) {
      prepare_for_writing(options);
      gate_.emplace(path);
    }
    connection_.exec("PRAGMA foreign_keys = ON");
    register_functions(connection_);
    if (time_limit_.count() > 0) {
      constexpr int instructions = 10'000;  // some tenths of a millisecond
      sqlite3_progress_handler(connection_.getHandle(), instructions, &sqlite_session::is_over,
                               this);
    }
  }

  const dialect& language() const override { return sqlite_dialect(); }

  const schema& tables() override {
    if (!schema_is_current_) {
      translated([this] { refresh_schema(); });
      schema_is_current_ = true;
    }
    return schema_;
  }

  const schema& tables_anew() override { return tables(); }  // they miss nothing

  void begin(access mode) override {
    schema_is_current_ = false;
    deadline_ = std::chrono::steady_clock::now() + time_limit_;
    if (mode == access::write) gate_->pass(busy_timeout_);
    run(mode == access::write ? "BEGIN IMMEDIATE" : "BEGIN");
  }
  void commit() override { run("COMMIT"); }
  void rollback() noexcept override {
    if (in_transaction())
      sqlite3_exec(connection_.getHandle(), "ROLLBACK", nullptr, nullptr, nullptr);
    schema_is_current_ = false;
  }
  bool in_transaction() const noexcept override {
    return sqlite3_get_autocommit(connection_.getHandle()) == 0;
  }

  void savepoint() override { run("SAVEPOINT request"); }
  void release() override { run("RELEASE request"); }
  void rollback_to_savepoint() override { run("ROLLBACK TO request"); }

  std::int64_t execute(const statement& what) override {
    const std::int64_t before = sqlite3_total_changes64(connection_.getHandle());
    try {
      return translated([&]() -> std::int64_t {
        running active(statements_.prepare(what.sql), what.parameters);
        while (active.step()) {
        }
        return sqlite3_changes64(connection_.getHandle());
      });
    } catch (const sql_failure&) {
      // A rule may end a statement (FAIL) and leave what it has done: it is all or nothing here.
      if (sqlite3_total_changes64(connection_.getHandle()) != before) rollback();
      throw;
    }
  }

  std::vector<std::int64_t> insert_all(const std::vector<statement>& rows, bool fills_id) override {
    std::vector<std::int64_t> ids;
    ids.reserve(rows.size());
    for (const statement& row : rows) {
      if (execute(row) == 0) throw sql_failure(sql_failure_kind::constraint, row_ignored);
      ids.push_back(fills_id ? connection_.getLastInsertRowid() : 0);
    }
    return ids;
  }

  void query(const statement& what, const row_handler& each) override {
    translated([&] {
      running active(statements_.prepare(what.sql), what.parameters);
      std::vector<sql_value> row;
      while (active.step()) {
        active.read(row);
        if (!each(row)) return;
      }
    });
  }

  void run_script(const std::string& sql) override {
    translated([&] {
      const script_guard guard(connection_.getHandle());
      connection_.exec(sql);
    });
    schema_is_current_ = false;
  }

  // For all plugins: a file has one writer anyway.
  void lock_migrations(const std::string&, std::chrono::milliseconds patience) override {
    gate_->hold(patience);
  }

 private:
  static int is_over(void* self) {
    return std::chrono::steady_clock::now() > static_cast<sqlite_session*>(self)->deadline_ ? 1 : 0;
  }

  void prepare_for_writing(const database_options& options) {
    if (sqlite3_db_readonly(connection_.getHandle(), "main") == 1) {
      throw SQLite::Exception("the file cannot be written", SQLITE_READONLY);
    }
    switch_to_wal(options.busy_timeout);
    connection_.exec(options.synchronous ? "PRAGMA synchronous = FULL"
                                         : "PRAGMA synchronous = NORMAL");
  }

  // Two processes that open a new file at once: the switch does not wait for the other's lock by
  // itself.
  void switch_to_wal(std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
      try {
        connection_.exec("PRAGMA journal_mode = WAL");
        return;
      } catch (const SQLite::Exception& failure) {
        const bool busy = kind_of(failure) == sql_failure_kind::busy;
        if (!busy || std::chrono::steady_clock::now() > deadline) throw;
        sqlite3_sleep(5);
      }
    }
  }

  void run(const std::string& sql) {
    translated([&] {
      running active(statements_.prepare(sql), {});
      active.step();
    });
  }

  void refresh_schema() {
    running active(statements_.prepare("PRAGMA schema_version"), {});
    active.step();
    std::vector<sql_value> row;
    active.read(row);
    const auto version = std::get<std::int64_t>(row.at(0));
    if (version == schema_version_) return;
    schema_ = read_schema(connection_);
    schema_version_ = version;
  }

  SQLite::Database connection_;
  statement_cache statements_;
  const std::chrono::milliseconds busy_timeout_;
  const std::chrono::milliseconds time_limit_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  std::optional<migration_gate> gate_;  // of sessions that write
  schema schema_;
  std::int64_t schema_version_ = -1;
  bool schema_is_current_ = false;
};

}  // namespace

std::unique_ptr<session> connect_sqlite(const std::string& path, access mode,
                                        const database_options& options) {
  return translated([&]() -> std::unique_ptr<session> {
    return std::make_unique<sqlite_session>(path, mode, options);
  });
}

}  // namespace rosey::storage
