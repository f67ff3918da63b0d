// The schema through PostgreSQL's own catalogue: tables where new ones would be created.
#include "host_stub/storage/postgresql/postgresql_schema.hpp"

#include <string_view>

namespace rosey::storage {

namespace {

constexpr char version[] = R"(
SELECT COUNT(*) || ',' || COALESCE(SUM(oid::bigint), 0) || ',' ||
       COALESCE(SUM(xmin::text::bigint), 0)
FROM pg_catalog.pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p'))";

// With a column a row. The database fills a single integer key that is an identity or a serial.
constexpr char postgresql_columns[] = R"(
SELECT t.relname::text, c.attname::text, y.typname::text,
       COALESCE(k.indnatts = 1 AND k.indkey[0] = c.attnum AND
                (c.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%'), FALSE),
       c.attnotnull
FROM pg_catalog.pg_class AS t
JOIN pg_catalog.pg_attribute AS c
  ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
JOIN pg_catalog.pg_type AS y ON y.oid = c.atttypid
LEFT JOIN pg_catalog.pg_index AS k ON k.indrelid = t.oid AND k.indisprimary
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = t.oid AND d.adnum = c.attnum
WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p')
ORDER BY t.relname, c.attnum)";

column_kind kind_of_type(std::string_view name) {
  if (name == "bool") return column_kind::boolean;
  if (name == "int2" || name == "int4" || name == "int8") return column_kind::integer;
  if (name == "float4" || name == "float8") return column_kind::real;
  if (name == "text" || name == "varchar" || name == "bpchar") return column_kind::text;
  if (name == "timestamp" || name == "timestamptz") return column_kind::timestamp;
  return column_kind::unsupported;
}

}  // namespace

std::string schema_version(postgresql_connection& connection) {
  std::vector<sql_value> row;
  connection.execute(statement{version}).read(0, row);
  return std::get<std::string>(row.at(0));
}

schema read_schema(postgresql_connection& connection) {
  const postgresql_result rows = connection.execute(statement{postgresql_columns});
  schema all;
  table current;
  std::vector<sql_value> row;
  for (int i = 0; i < rows.rows(); ++i) {
    rows.read(i, row);
    const std::string& name = std::get<std::string>(row.at(0));
    if (name != current.name) {
      if (!current.name.empty()) all.add(std::move(current));
      current = table();
      current.name = name;
      current.shown = name.substr(name.find('_') + 1);
    }
    column described{std::get<std::string>(row.at(1)),
                     kind_of_type(std::get<std::string>(row.at(2))), !std::get<bool>(row.at(4))};
    const bool fills = std::get<bool>(row.at(3)) && described.kind == column_kind::integer;
    if (fills) current.id_column = described.name;
    current.columns.push_back(std::move(described));
  }
  if (!current.name.empty()) all.add(std::move(current));
  return all;
}

}  // namespace rosey::storage
