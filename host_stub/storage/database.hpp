// Where sessions come from: one database, named by a URL.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "host_stub/storage/session.hpp"

namespace rosey::storage {

struct database_options {
  std::chrono::milliseconds busy_timeout{5000};  // wait for a lock that another process holds
  bool synchronous = true;  // a commit survives power loss; without it, only a crash of ours
  // Of a transaction that reads, and of a statement in one that writes (on PostgreSQL only); what
  // takes longer is ended and fails as `busy`. 0: no limit.
  std::chrono::milliseconds read_timeout{0};
  std::chrono::milliseconds write_timeout{0};
};

// May be used from any thread.
class database {
 public:
  virtual ~database() = default;

  // The service's own tables exist. Throws sql_failure.
  virtual std::unique_ptr<session> connect(access mode) = 0;

  // "sqlite" or "postgresql": NNN_name.<dialect>.sql stands in for NNN_name.sql.
  virtual std::string_view dialect_name() const = 0;

  // Made with the service's own tables and kept in them: 32 hexadecimal digits.
  virtual const std::string& identity() const = 0;

  // Where it is, without secrets.
  virtual std::string shown() const = 0;

  // What tells a file from its copies, which have the same identity. "" where any number of
  // services may use the same database.
  virtual std::string copy() const = 0;

  // Whether sessions write side by side. If not, requests gain by sharing a transaction.
  virtual bool writes_in_parallel() const = 0;
};

// The server of the database is away, or somebody keeps it locked: later it may be usable.
struct database_unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// "sqlite:PATH" or a bare PATH: creates the file and its folder if missing. "postgresql://…" as
// libpq reads it: a database that exists. Throws std::runtime_error with one sentence that names
// what cannot be used, without a password; database_unavailable if trying again may help.
std::unique_ptr<database> open_database(const std::string& url, const database_options& options);

// What a service tells of the database: its identity, copy, location (without secrets) and host.
json::object describe(const database& opened);

// The file of a SQLite database that open_database would have to create; none if it is there.
std::optional<std::string> missing_file(const std::string& url);

// The service's own tables, created by open_database, but for the counter of revisions. CREATE …
// IF NOT EXISTS throughout, and an identity if there is none. `text` is the type of texts that sort
// by their bytes.
std::string own_tables(std::string_view text);

// Of a database that is used for the first time; at random.
std::string new_identity();

}  // namespace rosey::storage
