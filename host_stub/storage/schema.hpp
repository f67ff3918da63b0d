// The tables that a database really has, and the kinds of their columns.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host_stub/storage/value.hpp"

namespace rosey::storage {

enum class column_kind { boolean, integer, real, text, timestamp, unsupported };

// From the type that a table declares: BIGINT is an integer, VARCHAR(20) a text.
column_kind kind_of(std::string_view declared_type);

struct column {
  std::string name;
  column_kind kind = column_kind::unsupported;
  bool nullable = true;  // as far as is known
};

struct table {
  std::string shown;            // as requests write it: "queue"
  std::string name;             // in the database: "playlist_queue"
  std::vector<column> columns;  // in their declared order
  std::string id_column;        // the integer primary key that the database fills; "" for none

  // UNKNOWN_COLUMN if there is none. The pointer is valid as long as the table.
  result<const column*> find(std::string_view column_name) const;
};

class schema {
 public:
  void add(table described) { tables_[described.name] = std::move(described); }

  // The table of a plugin by its name without prefix; UNKNOWN_TABLE if there is none. The pointer
  // is valid as long as the schema.
  result<const table*> find(std::string_view plugin, std::string_view shown) const;

 private:
  std::map<std::string, table, std::less<>> tables_;
};

// 1 to 32 of a-z, 0-9 and '-', a letter first; and not a name whose tables would be someone else's.
// Because ids have no '_', what stands before the first '_' of a table is its owner.
bool is_plugin_id(std::string_view id);

// For names that come from the schema.
std::string quoted_name(std::string_view identifier);
void append_name(std::string& sql, std::string_view identifier);

}  // namespace rosey::storage
