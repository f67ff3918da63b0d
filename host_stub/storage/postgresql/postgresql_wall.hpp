// Keeps a migration's script to the tables of its own plugin: finds afterwards, in its transaction,
// what it has reached. Needs no rights of the database's role.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "host_stub/storage/postgresql/postgresql_connection.hpp"

namespace rosey::storage {

// A statement locks each table that it reads, writes or alters, and each counter, to the end of the
// transaction: pg_locks knows them all. What has no locks (functions, types, rights, settings) is
// compared in the catalogue. Throws sql_failure.
class postgresql_wall {
 public:
  // In front of the script, in its transaction.
  postgresql_wall(postgresql_connection& connection, std::string plugin);

  // Behind the script: a sentence about what it may not do; "" for nothing.
  std::string problem_after();

 private:
  struct object {
    std::string kind;  // "table", "view", "function", …
    std::string name;
    std::string version;  // another after each change
    bool here = false;    // in our schema; others of the database are other programs'
    bool own = false;
  };
  using objects = std::map<std::string, object>;  // by catalogue and key

  std::string settings();
  objects read_objects();
  std::set<std::string> read_locks();
  std::string problem_with_changes(const objects& now) const;
  std::string problem_with_locks();
  std::string problem_with_functions();
  std::string not_own(const object& what) const;

  postgresql_connection& connection_;
  const std::string plugin_;
  const std::string settings_before_;
  const std::string schema_;
  const objects before_;
  const std::set<std::string> locks_before_;
};

}  // namespace rosey::storage
