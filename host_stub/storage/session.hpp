// A connection to a database, as the operations see it whichever database it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "host_stub/storage/dialect.hpp"
#include "host_stub/storage/schema.hpp"

namespace rosey::storage {

// What a statement can fail with. The first two are the request's fault; after any of them the
// transaction is only good for rollback_to_savepoint() or rollback().
enum class sql_failure_kind {
  constraint,   // a rule of the schema
  invalid,      // a number that leaves its range, a value that is too large
  busy,         // somebody else holds the lock
  conflict,     // another transaction was faster: the same again may succeed
  interrupted,  // the connection was lost, or the tables changed: begin() puts that right
  broken,       // the disk, the file, the server
};

struct sql_failure : std::runtime_error {
  sql_failure(sql_failure_kind why, const std::string& message)
      : std::runtime_error(message), kind(why) {}
  sql_failure_kind kind;
};

// Of a statement that was ended because its time was up; its kind is `busy`.
inline constexpr char took_too_long[] =
    "It took too long and was ended; ask for less at a time, or give the table an index";

// Of an insert that a trigger or a rule of the table passed over; its kind is `constraint`.
inline constexpr char row_ignored[] = "a rule of the table does not take the row";

// Of what has to wait for a migration; its kind is `busy`.
inline constexpr char migration_at_work[] = "A migration is at work; try again later";

// Of a migration's script.
inline constexpr char ends_transaction[] =
    "it may neither begin nor end a transaction, nor attach a file: it runs in a transaction";

enum class access { read, write };

// Used by one thread at a time. Every function may throw sql_failure unless it says noexcept.
class session {
 public:
  // Gets the values of one row, valid during the call; false ends the query.
  using row_handler = std::function<bool(const std::vector<sql_value>&)>;

  virtual ~session() = default;

  virtual const dialect& language() const = 0;

  // As the current transaction sees them; valid until it ends.
  virtual const schema& tables() = 0;
  // Read again: tables() may miss a column's new name.
  virtual const schema& tables_anew() = 0;

  // Transactions that write are serialisable: by a lock that begin() takes, or by failing with
  // `conflict`. Those that read see one snapshot.
  virtual void begin(access mode) = 0;
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;
  // False also after the database has rolled a transaction back by itself.
  virtual bool in_transaction() const noexcept = 0;

  // One level: what came after savepoint() can be taken back, or kept by release().
  virtual void savepoint() = 0;
  virtual void release() = 0;
  virtual void rollback_to_savepoint() = 0;

  // Rows affected.
  virtual std::int64_t execute(const statement& what) = 0;
  // Each of one row, in this order, up to the first that fails. The ids that the database gave to
  // them; 0 unless `fills_id`.
  virtual std::vector<std::int64_t> insert_all(const std::vector<statement>& rows,
                                               bool fills_id) = 0;
  virtual void query(const statement& what, const row_handler& each) = 0;

  // Several statements of a plugin's migration, inside of a transaction that they must leave alone.
  // They may reach what is the plugin's: tables, and what belongs to them, that begin with its id
  // and '_'. If they reach anything else, it fails with a sentence that names it (not_its_own), and
  // the transaction must be rolled back.
  virtual void run_migration(const std::string& plugin, const std::string& sql) = 0;

  // Outside of a transaction. Keeps other migrations of the plugin out as long as the session
  // lives; fails with `busy` when one is still at work after `patience`.
  virtual void lock_migrations(const std::string& plugin, std::chrono::milliseconds patience) = 0;
};

// Rolls back unless committed.
class transaction {
 public:
  transaction(session& in, access mode) : session_(in) { session_.begin(mode); }
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction() {
    if (!done_) session_.rollback();
  }

  void commit() {
    session_.commit();
    done_ = true;
  }

  void take_back() noexcept {
    session_.rollback();
    done_ = true;
  }

  // Committed or taken back.
  bool done() const { return done_; }

 private:
  session& session_;
  bool done_ = false;
};

}  // namespace rosey::storage
