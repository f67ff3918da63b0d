// Keeps a migration's script to the tables of its own plugin, by SQLite's authorizer.
#pragma once

#include <SQLiteCpp/Database.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace rosey::storage {

// From its construction to its end every statement that the connection prepares is a migration's.
// One that reaches what is not the plugin's fails with SQLITE_AUTH. Inside of a transaction.
class sqlite_wall {
 public:
  // Throws SQLite::Exception.
  sqlite_wall(SQLite::Database& connection, std::string plugin);
  ~sqlite_wall();
  sqlite_wall(const sqlite_wall&) = delete;
  sqlite_wall& operator=(const sqlite_wall&) = delete;

  // What was refused, as a sentence; "" if nothing was.
  const std::string& refusal() const { return refusal_; }

  // Behind the script: finds what the authorizer could not see. A sentence, "" for nothing; throws
  // SQLite::Exception when a trigger or a view of the plugin does not work, or is refused.
  std::string problem_after();

 private:
  struct no_case {
    using is_transparent = void;
    bool operator()(std::string_view left, std::string_view right) const;
  };

  static int authorize(void* self, int action, const char* first, const char* second,
                       const char* database, const char* trigger);
  bool permits(int action, std::string_view first, std::string_view second);
  bool permits_use(std::string_view table);
  bool permits_new(std::string_view kind, std::string_view name);
  bool permits_new_part(std::string_view kind, std::string_view name, std::string_view table);
  bool refuse(std::string sentence);
  bool is_own(std::string_view name) const;
  // Of all that is not the plugin's: kind and definition by name.
  std::map<std::string, std::string> others();
  std::string problem_with_keys();
  void prepare_all();

  SQLite::Database& connection_;
  const std::string plugin_;
  std::map<std::string, std::string> others_before_;
  std::map<std::string, std::string, no_case> kinds_;  // of others' tables and views, by name
  std::set<std::string, no_case> owners_;              // of others' tables
  std::string refusal_;
};

}  // namespace rosey::storage
