// The authorizer sees a statement while it is prepared: which table, which action. What a new name
// is (ALTER … RENAME), and what triggers will do later, is looked at behind the script.
#include "host_stub/storage/sqlite/sqlite_wall.hpp"

#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "host_stub/storage/own_objects.hpp"
#include "host_stub/storage/schema.hpp"
#include "host_stub/storage/session.hpp"

namespace rosey::storage {

namespace {

// They show the schema, or put the check of keys off to the end of the transaction.
constexpr std::string_view harmless_pragmas[] = {
    "defer_foreign_keys", "foreign_key_check", "foreign_key_list", "index_info", "index_list",
    "index_xinfo",        "table_info",        "table_list",       "table_xinfo"};

// Key and definition of each entry.
constexpr char sqlite_catalogue[] = R"(
SELECT type, name, tbl_name, COALESCE(sql, '') FROM sqlite_schema)";

std::string_view text_or_nothing(const char* text) {
  return text ? std::string_view(text) : std::string_view();
}

// SQLite's own, which nobody can create by this name.
bool is_of_sqlite(std::string_view name) {
  constexpr std::string_view prefix = "sqlite_";
  return name.size() > prefix.size() &&
         sqlite3_strnicmp(name.data(), prefix.data(), static_cast<int>(prefix.size())) == 0;
}

std::vector<std::string> names_from(SQLite::Database& in, const std::string& query) {
  SQLite::Statement rows(in, query);
  std::vector<std::string> all;
  while (rows.executeStep()) all.push_back(rows.getColumn(0).getString());
  return all;
}

// Nothing where there is no trigger that does it for a view.
void prepare_change(SQLite::Database& in, const std::string& sql) {
  try {
    SQLite::Statement(in, sql);
  } catch (const SQLite::Exception& failure) {
    if (!std::string_view(failure.what()).starts_with("cannot modify ")) throw;
  }
}

}  // namespace

bool sqlite_wall::no_case::operator()(std::string_view left, std::string_view right) const {
  const auto common = static_cast<int>(std::min(left.size(), right.size()));
  const int order = sqlite3_strnicmp(left.data(), right.data(), common);
  return order != 0 ? order < 0 : left.size() < right.size();
}

sqlite_wall::sqlite_wall(SQLite::Database& connection, std::string plugin)
    : connection_(connection), plugin_(std::move(plugin)), others_before_(others()) {
  SQLite::Statement rows(connection_, sqlite_catalogue);
  while (rows.executeStep()) {
    const std::string type = rows.getColumn(0).getString();
    const std::string name = rows.getColumn(1).getString();
    if ((type != "table" && type != "view") || is_own(name) || is_of_sqlite(name)) continue;
    kinds_.emplace(name, type);
    owners_.insert(std::string(owner_of(name)));
  }
  sqlite3* const handle = connection_.getHandle();
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_set_authorizer(handle, &sqlite_wall::authorize, this);
}

sqlite_wall::~sqlite_wall() {
  sqlite3* const handle = connection_.getHandle();
  sqlite3_set_authorizer(handle, nullptr, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
}

int sqlite_wall::authorize(void* self, int action, const char* first, const char* second,
                           const char*, const char*) {
  const bool permitted = static_cast<sqlite_wall*>(self)->permits(action, text_or_nothing(first),
                                                                  text_or_nothing(second));
  return permitted ? SQLITE_OK : SQLITE_DENY;
}

bool sqlite_wall::permits(int action, std::string_view first, std::string_view second) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
    case SQLITE_REINDEX:
      return true;
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_TEMP_TABLE:
    case SQLITE_DROP_VTABLE:
    case SQLITE_DROP_VIEW:
      return permits_use(first);
    case SQLITE_ALTER_TABLE:
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_TEMP_INDEX:
    case SQLITE_DROP_TRIGGER:
      return permits_use(second);
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_TEMP_TABLE:
      return permits_new("table", first);
    case SQLITE_CREATE_VIEW:
      return permits_new("view", first);
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TEMP_INDEX:
      return permits_new_part("index", first, second);
    case SQLITE_CREATE_TRIGGER:
      return permits_new_part("trigger", first, second);
    case SQLITE_FUNCTION:
      return second != "load_extension" || refuse("it may not load an extension");
    case SQLITE_PRAGMA:
      return std::find(std::begin(harmless_pragmas), std::end(harmless_pragmas), first) !=
                 std::end(harmless_pragmas) ||
             refuse(fmt::format("it may not use PRAGMA {}", first));
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return refuse(ends_transaction);
    case SQLITE_CREATE_VTABLE:
      return refuse(fmt::format("it may not make the virtual table '{}'", first));
    case SQLITE_ANALYZE:
      return refuse("it may not use ANALYZE, whose results are everybody's");
    default:
      return refuse("it may make no temporary view or trigger");
  }
}

// Also of a name that is nothing but a subquery's.
bool sqlite_wall::permits_use(std::string_view table) {
  const auto found = kinds_.find(table);
  return found == kinds_.end() || refuse(not_its_own(plugin_, found->second, found->first));
}

bool sqlite_wall::permits_new(std::string_view kind, std::string_view name) {
  return is_own(name) || is_of_sqlite(name) || refuse(not_its_own(plugin_, kind, name));
}

// Their names are free, as idx_demo_songs, but share one space with everybody's tables.
bool sqlite_wall::permits_new_part(std::string_view kind, std::string_view name,
                                   std::string_view table) {
  if (!permits_use(table)) return false;
  const bool names_us = name.find(fmt::format("_{}_", plugin_)) != name.npos;
  return is_own(name) || names_us || !owners_.contains(owner_of(name)) ||
         refuse(not_its_own(plugin_, kind, name));
}

bool sqlite_wall::refuse(std::string sentence) {
  if (refusal_.empty()) refusal_ = std::move(sentence);
  return false;
}

bool sqlite_wall::is_own(std::string_view name) const {
  const std::string_view owner = owner_of(name);
  return owner.size() == plugin_.size() &&
         sqlite3_strnicmp(owner.data(), plugin_.data(), static_cast<int>(owner.size())) == 0;
}

std::map<std::string, std::string> sqlite_wall::others() {
  std::map<std::string, std::string> all;
  bool has_sequence = false;
  SQLite::Statement rows(connection_, sqlite_catalogue);
  while (rows.executeStep()) {
    const std::string type = rows.getColumn(0).getString();
    const std::string name = rows.getColumn(1).getString();
    const std::string table = rows.getColumn(2).getString();
    if (is_of_sqlite(table)) {
      has_sequence = has_sequence || table == "sqlite_sequence";
    } else if (!is_own(table)) {
      all.emplace(fmt::format("{} '{}'", type, name), table + " " + rows.getColumn(3).getString());
    }
  }
  if (!has_sequence) return all;
  SQLite::Statement counters(connection_, "SELECT name, seq FROM sqlite_sequence");
  while (counters.executeStep()) {
    const std::string name = counters.getColumn(0).getString();
    if (!is_own(name)) all["counter '" + name + "'"] += counters.getColumn(1).getString() + " ";
  }
  return all;
}

std::string sqlite_wall::problem_after() {
  const std::map<std::string, std::string> now = others();
  std::vector<std::pair<std::string, std::string>> changed;
  std::set_symmetric_difference(now.begin(), now.end(), others_before_.begin(),
                                others_before_.end(), std::back_inserter(changed));
  if (!changed.empty()) {
    const std::string& what = changed.front().first;
    const auto quote = what.find('\'');
    return not_its_own(plugin_, what.substr(0, quote - 1),
                       what.substr(quote + 1, what.size() - quote - 2));
  }
  if (std::string problem = problem_with_keys(); !problem.empty()) return problem;
  prepare_all();
  return {};
}

// A key would keep its owner from deleting rows.
std::string sqlite_wall::problem_with_keys() {
  SQLite::Statement rows(connection_,
                         "SELECT t.name, k.\"table\" FROM sqlite_schema AS t "
                         "JOIN pragma_foreign_key_list(t.name) AS k WHERE t.type = 'table'");
  while (rows.executeStep()) {
    const std::string parent = rows.getColumn(1).getString();
    if (is_own(rows.getColumn(0).getString()) && !is_own(parent)) {
      return not_its_own(plugin_, "table", parent);
    }
  }
  return {};
}

// Only so does the authorizer see what views read, and what triggers will do later.
void sqlite_wall::prepare_all() {
  for (const auto& view :
       names_from(connection_, "SELECT name FROM sqlite_schema WHERE type = 'view'")) {
    if (is_own(view)) SQLite::Statement(connection_, "SELECT * FROM " + quoted_name(view));
  }
  for (const auto& table : names_from(
           connection_, "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger'")) {
    if (!is_own(table)) continue;
    std::string all;
    SQLite::Statement columns(connection_,
                              "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0");
    columns.bind(1, table);
    while (columns.executeStep()) {
      const std::string name = quoted_name(columns.getColumn(0).getString());
      all += fmt::format("{}{} = {}", all.empty() ? "" : ", ", name, name);
    }
    const std::string shown = quoted_name(table);
    prepare_change(connection_, "INSERT INTO " + shown + " DEFAULT VALUES");
    prepare_change(connection_, "UPDATE " + shown + " SET " + all);
    prepare_change(connection_, "DELETE FROM " + shown);
  }
}

}  // namespace rosey::storage
