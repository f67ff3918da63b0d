// Look-up of tables and columns by the names that requests use.
#include "host_stub/storage/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "host_stub/plugin_id.hpp"

namespace rosey::storage {

column_kind kind_of(std::string_view declared_type) {
  std::string type(declared_type);
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto contains = [&type](std::string_view part) {
    return type.find(part) != std::string::npos;
  };
  if (contains("BOOL")) return column_kind::boolean;
  if (contains("TIMESTAMP") || contains("DATETIME")) return column_kind::timestamp;
  if (contains("INT")) return column_kind::integer;
  if (contains("CHAR") || contains("CLOB") || contains("TEXT")) return column_kind::text;
  if (contains("REAL") || contains("FLOA") || contains("DOUB")) return column_kind::real;
  return column_kind::unsupported;
}

result<const column*> table::find(std::string_view column_name) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(),
                   [column_name](const column& each) { return each.name == column_name; });
  if (found == columns.end()) {
    return error{db::codes::unknown_column,
                 fmt::format("Table '{}' has no column '{}'", shown, db::shortened(column_name))};
  }
  if (found->kind == column_kind::unsupported) {
    return db::invalid(
        fmt::format("Column '{}' has a type that the storage API does not carry", column_name));
  }
  return &*found;
}

result<const table*> schema::find(std::string_view plugin, std::string_view shown) const {
  std::string name;
  name.reserve(plugin.size() + 1 + shown.size());
  name.append(plugin).append("_").append(shown);
  const auto found = tables_.find(name);
  if (found == tables_.end()) {
    return error{db::codes::unknown_table,
                 fmt::format("Plugin '{}' has no table '{}'", plugin, db::shortened(shown))};
  }
  return &found->second;
}

bool is_plugin_id(std::string_view id) {
  return host::is_plugin_id(id);
}

void append_name(std::string& sql, std::string_view identifier) {
  sql += '"';
  for (std::size_t quote; (quote = identifier.find('"')) != identifier.npos;) {
    sql.append(identifier.substr(0, quote)).append("\"\"");
    identifier.remove_prefix(quote + 1);
  }
  sql.append(identifier).append("\"");
}

std::string quoted_name(std::string_view identifier) {
  std::string text;
  append_name(text, identifier);
  return text;
}

}  // namespace rosey::storage
