// The connection: statements, transactions, and the schema as the file has it now.
#include "host_stub/storage/sqlite/sqlite_session.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "host_stub/storage/sqlite/migration_gate.hpp"
#include "host_stub/storage/sqlite/sqlite_dialect.hpp"
#include "host_stub/storage/sqlite/sqlite_schema.hpp"
#include "host_stub/storage/sqlite/sqlite_wall.hpp"
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

bool tells_of_damage(const SQLite::Exception& failure) {
  const int code = failure.getErrorCode() & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

sql_failure translation_of(const SQLite::Exception& failure) {
  const bool ended = failure.getErrorCode() == SQLITE_INTERRUPT;
  return {kind_of(failure), ended ? took_too_long : failure.what()};
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

// A migration that does nothing is over by then; another may take minutes.
constexpr std::chrono::milliseconds patience_at_gate{50};

// What SQLite's own limit is, after which the log is written into the file.
constexpr int most_log_pages = 1000;

int open_flags(access mode, bool creates) {
  // One thread at a time uses a session, so SQLite need not lock.
  constexpr int unlocked = SQLITE_OPEN_NOMUTEX;
  if (mode == access::read) return SQLite::OPEN_READONLY | unlocked;
  return SQLite::OPEN_READWRITE | (creates ? SQLite::OPEN_CREATE : 0) | unlocked;
}

// What is made anew when the file was replaced.
struct sqlite_connection {
  sqlite_connection(const std::string& path, int flags, std::chrono::milliseconds busy_timeout)
      : connection(path, flags, static_cast<int>(busy_timeout.count())),
        statements(connection, cached_statements, cached_bytes) {}

  SQLite::Database connection;
  statement_cache statements;
  std::optional<companions> beside;  // none before the first transaction that writes
  int log_pages = 0;                 // after the last commit
  schema tables;
  std::int64_t schema_version = -1;
};

class sqlite_session final : public session, private sqlite_client {
 public:
  sqlite_session(std::shared_ptr<sqlite_keeper> keeper, access mode,
                 const database_options& options)
      : keeper_(std::move(keeper)),
        mode_(mode),
        options_(options),
        time_limit_(mode == access::read ? options.read_timeout : std::chrono::milliseconds(0)) {
    keeper_->add(*this);
    try {
      enter();
      if (mode == access::write) gate_.emplace(keeper_->path());
    } catch (...) {
      stay_.reset();
      keeper_->remove(*this);
      throw;
    }
    stay_.reset();
  }
  sqlite_session(const sqlite_session&) = delete;
  sqlite_session& operator=(const sqlite_session&) = delete;
  ~sqlite_session() override {
    {
      const sqlite_keeper::stay here(*keeper_);
      // The last connection would write the log into the file: not into one that is not ours.
      if (opened_ && !keeper_->is_writable()) close();
      opened_.reset();
    }
    keeper_->remove(*this);
  }

  const dialect& language() const override { return sqlite_dialect(); }

  const schema& tables() override {
    if (!schema_is_current_) {
      translated([this] { refresh_schema(); });
      schema_is_current_ = true;
    }
    return opened_->tables;
  }

  const schema& tables_anew() override { return tables(); }  // they miss nothing

  void begin(access mode) override {
    schema_is_current_ = false;
    if (mode == access::write) gate_->pass(std::min(options_.busy_timeout, patience_at_gate));
    enter();
    try {
      deadline_ = std::chrono::steady_clock::now() + time_limit_;
      run(mode == access::write ? "BEGIN IMMEDIATE" : "BEGIN");
      if (mode == access::write) note_files();
    } catch (...) {
      rollback();
      throw;
    }
  }

  // Success means that what was written can be found at the path.
  void commit() override {
    run("COMMIT");
    const bool writes = mode_ == access::write;
    const bool lost = writes && (!keeper_->is_writable() || log_lost());
    if (writes && !lost) shorten_log();
    stay_.reset();
    if (lost) {
      throw sql_failure(sql_failure_kind::broken,
                        fmt::format("the file '{}' or what belongs to it was deleted, replaced or "
                                    "written to by somebody else meanwhile",
                                    keeper_->path()));
    }
  }

  void rollback() noexcept override {
    take_back();
    stay_.reset();
  }
  bool in_transaction() const noexcept override {
    return stay_ && opened_ && sqlite3_get_autocommit(opened_->connection.getHandle()) == 0;
  }

  void savepoint() override { run("SAVEPOINT request"); }
  void release() override { run("RELEASE request"); }
  void rollback_to_savepoint() override { run("ROLLBACK TO request"); }

  std::int64_t execute(const statement& what) override {
    sqlite3* const handle = opened_->connection.getHandle();
    const std::int64_t before = sqlite3_total_changes64(handle);
    try {
      return translated([&]() -> std::int64_t {
        running active(opened_->statements.prepare(what.sql), what.parameters);
        while (active.step()) {
        }
        return sqlite3_changes64(handle);
      });
    } catch (const sql_failure&) {
      // A rule may end a statement (FAIL) and leave what it has done: it is all or nothing here.
      if (sqlite3_total_changes64(handle) != before) take_back();
      throw;
    }
  }

  std::vector<std::int64_t> insert_all(const std::vector<statement>& rows, bool fills_id) override {
    std::vector<std::int64_t> ids;
    ids.reserve(rows.size());
    for (const statement& row : rows) {
      if (execute(row) == 0) throw sql_failure(sql_failure_kind::constraint, row_ignored);
      ids.push_back(fills_id ? opened_->connection.getLastInsertRowid() : 0);
    }
    return ids;
  }

  void query(const statement& what, const row_handler& each) override {
    translated([&] {
      running active(opened_->statements.prepare(what.sql), what.parameters);
      std::vector<sql_value> row;
      while (active.step()) {
        active.read(row);
        if (!each(row)) return;
      }
    });
  }

  void run_migration(const std::string& plugin, const std::string& sql) override {
    schema_is_current_ = false;
    translated([&] {
      sqlite_wall wall(opened_->connection, plugin);
      std::string problem;
      try {
        opened_->connection.exec(sql);
        problem = wall.problem_after();
      } catch (const SQLite::Exception&) {
        if (wall.refusal().empty()) throw;
        problem = wall.refusal();
      }
      if (!problem.empty()) throw sql_failure(sql_failure_kind::broken, problem);
    });
  }

  // For all plugins: a file has one writer anyway.
  void lock_migrations(const std::string&, std::chrono::milliseconds patience) override {
    gate_->hold(patience);
  }

 private:
  template <class Action>
  auto translated(Action action) -> decltype(action()) {
    try {
      return action();
    } catch (const SQLite::Exception& failure) {
      if (tells_of_damage(failure)) keeper_->suspect();
      throw translation_of(failure);
    }
  }

  static int is_over(void* self) {
    return std::chrono::steady_clock::now() > static_cast<sqlite_session*>(self)->deadline_ ? 1 : 0;
  }

  // Stays in the database from here on, with a connection to the file that is at the path.
  void enter() {
    constexpr int most_tries = 3;  // others may write it meanwhile
    for (int tries = 0;; ++tries) {
      stay_.emplace(*keeper_);
      if (is_usable()) {
        if (opened_) return;
        translated([this] { open(); });
        if (is_usable()) return;
      }
      const bool lost = opened_ && log_lost();
      stay_.reset();
      keeper_->restore(generation_, lost);
      if (tries == most_tries) {
        throw sql_failure(sql_failure_kind::busy, "the database's file changes all the time");
      }
    }
  }

  bool is_usable() const {
    if (mode_ == access::read) return keeper_->is_readable();
    return keeper_->is_writable() && !log_lost();
  }

  bool log_lost() const {
    return opened_ && opened_->beside && companions_of(keeper_->path()) != opened_->beside;
  }

  void open() {
    generation_ = keeper_->generation();
    const bool creates = keeper_->identity().empty();
    opened_.emplace(keeper_->path(), open_flags(mode_, creates), options_.busy_timeout);
    try {
      if (mode_ == access::write) prepare_for_writing();
      opened_->connection.exec("PRAGMA foreign_keys = ON");
      register_functions(opened_->connection);
    } catch (...) {
      opened_.reset();
      throw;
    }
    sqlite3* const handle = opened_->connection.getHandle();
    if (time_limit_.count() > 0) {
      constexpr int instructions = 10'000;  // some tenths of a millisecond
      sqlite3_progress_handler(handle, instructions, &sqlite_session::is_over, this);
    }
    // In place of SQLite's own, which shortens the log inside of COMMIT.
    sqlite3_wal_hook(handle, &sqlite_session::note_log_pages, this);
  }

  void prepare_for_writing() {
    if (sqlite3_db_readonly(opened_->connection.getHandle(), "main") == 1) {
      throw SQLite::Exception("the file cannot be written", SQLITE_READONLY);
    }
    switch_to_wal();
    opened_->connection.exec(options_.synchronous ? "PRAGMA synchronous = FULL"
                                                  : "PRAGMA synchronous = NORMAL");
  }

  // Two processes that open a new file at once: the switch does not wait for the other's lock by
  // itself.
  void switch_to_wal() {
    const auto deadline = std::chrono::steady_clock::now() + options_.busy_timeout;
    while (true) {
      try {
        opened_->connection.exec("PRAGMA journal_mode = WAL");
        return;
      } catch (const SQLite::Exception& failure) {
        const bool busy = kind_of(failure) == sql_failure_kind::busy;
        if (!busy || std::chrono::steady_clock::now() > deadline) throw;
        sqlite3_sleep(5);
      }
    }
  }

  // Once the transaction has begun, SQLite has all its files.
  void note_files() {
    if (opened_->beside) return;
    opened_->beside = companions_of(keeper_->path());
    keeper_->note_first();
  }

  static int note_log_pages(void* self, sqlite3*, const char*, int pages) {
    static_cast<sqlite_session*>(self)->opened_->log_pages = pages;
    return SQLITE_OK;
  }

  // A log that cannot be shortened now grows until it can be.
  void shorten_log() {
    if (opened_->log_pages < most_log_pages) return;
    sqlite3_wal_checkpoint_v2(opened_->connection.getHandle(), "main", SQLITE_CHECKPOINT_PASSIVE,
                              nullptr, nullptr);
    opened_->log_pages = 0;
    keeper_->note_change();
  }

  void close() noexcept override {
    if (!opened_) return;
    sqlite3_db_config(opened_->connection.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                      nullptr);
    opened_.reset();
  }

  bool empty_log() override {
    if (!opened_ || mode_ != access::write) return false;
    const int ended = sqlite3_wal_checkpoint_v2(opened_->connection.getHandle(), "main",
                                                SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if (ended == SQLITE_OK) return true;
    throw sql_failure(ended == SQLITE_BUSY ? sql_failure_kind::busy : sql_failure_kind::broken,
                      fmt::format("the log of '{}' is gone, and what it held cannot be saved: {}",
                                  keeper_->path(), sqlite3_errstr(ended)));
  }

  void take_back() noexcept {
    if (in_transaction()) {
      sqlite3_exec(opened_->connection.getHandle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
    schema_is_current_ = false;
  }

  void run(const std::string& sql) {
    translated([&] {
      running active(opened_->statements.prepare(sql), {});
      active.step();
    });
  }

  void refresh_schema() {
    running active(opened_->statements.prepare("PRAGMA schema_version"), {});
    active.step();
    std::vector<sql_value> row;
    active.read(row);
    const auto version = std::get<std::int64_t>(row.at(0));
    if (version == opened_->schema_version) return;
    opened_->tables = read_schema(opened_->connection);
    opened_->schema_version = version;
  }

  const std::shared_ptr<sqlite_keeper> keeper_;
  const access mode_;
  const database_options options_;
  const std::chrono::milliseconds time_limit_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  std::optional<migration_gate> gate_;       // of sessions that write
  std::optional<sqlite_connection> opened_;  // others may close it while we are not inside
  std::optional<sqlite_keeper::stay> stay_;  // from begin() to the end of the transaction
  std::uint64_t generation_ = 0;             // of the keeper, when the connection was opened
  bool schema_is_current_ = false;
};

}  // namespace

std::unique_ptr<session> connect_sqlite(std::shared_ptr<sqlite_keeper> keeper, access mode,
                                        const database_options& options) {
  return std::make_unique<sqlite_session>(std::move(keeper), mode, options);
}

}  // namespace rosey::storage
