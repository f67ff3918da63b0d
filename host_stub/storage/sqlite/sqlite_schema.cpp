// The schema through SQLite's own catalogue.
#include "host_stub/storage/sqlite/sqlite_schema.hpp"

#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

namespace rosey::storage {

namespace {

// Tables that hold their own rows, with a column a row.
constexpr char sqlite_columns[] = R"(
SELECT t.name, c.name, c.type, c.pk,
       (SELECT COUNT(*) FROM pragma_table_info(t.name) WHERE pk > 0) AS key_columns,
       (SELECT wr FROM pragma_table_list(t.name) WHERE schema = 'main') AS without_rowid
FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'
      AND t.sql NOT LIKE 'CREATE VIRTUAL%'
ORDER BY t.name, c.cid)";

bool same_but_for_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         sqlite3_strnicmp(left.data(), right.data(), static_cast<int>(left.size())) == 0;
}

}  // namespace

schema read_schema(SQLite::Database& connection) {
  schema all;
  table current;
  SQLite::Statement rows(connection, sqlite_columns);
  while (rows.executeStep()) {
    const std::string name = rows.getColumn(0).getString();
    if (name != current.name) {
      if (!current.name.empty()) all.add(std::move(current));
      current = table();
      current.name = name;
      current.shown = name.substr(name.find('_') + 1);
    }
    const std::string type = rows.getColumn(2).getString();
    column described{rows.getColumn(1).getString(), kind_of(type)};
    // SQLite fills a single key of exactly this type, and no other, where it is the row's id.
    const bool fills = rows.getColumn(5).getInt() == 0 && rows.getColumn(3).getInt() == 1 &&
                       rows.getColumn(4).getInt() == 1 && same_but_for_case(type, "INTEGER");
    if (fills) current.id_column = described.name;
    current.columns.push_back(std::move(described));
  }
  if (!current.name.empty()) all.add(std::move(current));
  return all;
}

}  // namespace rosey::storage
