// Planning of inserts, updates and deletes.
#include <fmt/format.h>

#include <algorithm>

#include "host_stub/storage/column_value.hpp"
#include "host_stub/storage/filter.hpp"
#include "host_stub/storage/plan.hpp"

namespace rosey::storage {

namespace {

struct insert_parts {
  std::string sql;
  bindings bound;
};

insert_parts insert_into(column_values values, const table& into, const dialect& language) {
  bindings bound(language);
  std::string sql = "INSERT INTO ";
  sql.reserve(256);
  append_name(sql, into.name);
  if (values.empty()) return {sql + " DEFAULT VALUES", std::move(bound)};
  const char* separator = " (";
  for (const auto& [column, value] : values) {
    append_name(sql.append(separator), column->name);
    separator = ", ";
  }
  separator = ") VALUES (";
  for (auto& [column, value] : values) {
    sql.append(separator).append(bound.bind(std::move(value)));
    separator = ", ";
  }
  sql += ')';
  return {std::move(sql), std::move(bound)};
}

statement insert_statement(column_values values, const table& into, const dialect& language) {
  insert_parts parts = insert_into(std::move(values), into, language);
  if (!into.id_column.empty()) parts.sql += language.returning(quoted_name(into.id_column));
  return parts.bound.finish(std::move(parts.sql));
}

enum class change_kind { set, increase, multiply, maximum, minimum };

struct change {
  change_kind kind;
  const column* of;
  sql_value value;
};

constexpr std::pair<std::string_view, change_kind> change_kinds[] = {
    {"$set", change_kind::set},
    {"$inc", change_kind::increase},
    {"$mul", change_kind::multiply},
    {"$max", change_kind::maximum},
    {"$min", change_kind::minimum}};

std::optional<change_kind> change_from(std::string_view name) {
  for (const auto& [known, kind] : change_kinds) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

result<change> checked_change(change_kind kind, std::string_view name, const column& of,
                              const json::value& value) {
  const bool arithmetic = kind == change_kind::increase || kind == change_kind::multiply;
  const bool number = of.kind == column_kind::integer || of.kind == column_kind::real;
  if (arithmetic && !number) {
    return db::invalid(
        fmt::format("{} needs numbers, which column '{}' does not hold", name, of.name));
  }
  if (kind != change_kind::set && of.kind == column_kind::boolean) {
    return db::invalid(fmt::format("{} cannot compare column '{}'", name, of.name));
  }
  auto converted = to_sql(of, value);
  if (!converted) return converted.error();
  if (kind != change_kind::set && value.is_null()) {
    return db::invalid(fmt::format("{} of column '{}' takes a value, not null", name, of.name));
  }
  return change{kind, &of, std::move(*converted)};
}

result<std::vector<change>> changes_of(const json::object& update, const table& in) {
  std::vector<change> changes;
  for (const auto& entry : update) {
    const std::string_view name = entry.key();
    const auto kind = change_from(name);
    const auto* values = entry.value().if_object();
    if (!kind) {
      return db::invalid(fmt::format("'update' knows $set, $inc, $mul, $max and $min, but not '{}'",
                                     db::shortened(name)));
    }
    if (!values) return db::invalid(fmt::format("{} takes an object of columns", name));
    for (const auto& value : *values) {
      const auto column = in.find(value.key());
      if (!column) return column.error();
      auto checked = checked_change(*kind, name, **column, value.value());
      if (!checked) return checked.error();
      for (const change& earlier : changes) {
        if (earlier.of == *column) {
          return db::invalid(fmt::format("Column '{}' is changed twice", (*column)->name));
        }
      }
      changes.push_back(std::move(*checked));
    }
  }
  if (changes.empty()) return db::invalid("'update' changes nothing");
  return changes;
}

std::string new_value(const change& what, bindings& bound) {
  const dialect& language = bound.language();
  const std::string name = quoted_name(what.of->name);
  const std::string given = bound.bind(what.value);
  const std::string number = fmt::format("COALESCE({}, 0)", name);
  const std::string present =
      language.comparable(fmt::format("COALESCE({}, {})", name, given), what.of->kind);
  switch (what.kind) {
    case change_kind::set:
      return given;
    case change_kind::increase:
      return language.sum(number, given, what.of->kind);
    case change_kind::multiply:
      return language.product(number, given, what.of->kind);
    case change_kind::maximum:
      return language.greater_of(present, given);
    case change_kind::minimum:
      return language.lesser_of(present, given);
  }
  return given;
}

// What a change makes of a row that is not there.
sql_value first_value(const change& what) {
  if (what.kind != change_kind::multiply) return what.value;
  if (what.of->kind == column_kind::real) return 0.0;
  return std::int64_t{0};
}

result<statement> upsert_insert(const db::update_request& request,
                                const std::vector<change>& changes, const table& into,
                                const dialect& language) {
  auto values = equalities(request.filter, into);
  if (!values) return values.error();
  for (const change& what : changes) {
    const auto same = [&what](const auto& known) { return known.first == what.of; };
    const auto known = std::find_if(values->begin(), values->end(), same);
    if (known == values->end()) {
      values->emplace_back(what.of, first_value(what));
    } else if (what.kind == change_kind::set) {
      known->second = what.value;
    } else {
      return db::invalid(fmt::format(
          "An upsert can only $set column '{}', because its filter names it", what.of->name));
    }
  }
  insert_parts parts = insert_into(std::move(*values), into, language);
  return parts.bound.finish(std::move(parts.sql));
}

// Of an update or a delete: every row is touched only when that was said.
template <class Request>
result<std::string> guarded_condition(const Request& request, const table& of, bindings& bound) {
  auto where = condition(request.filter, of, bound);
  if (where && where->empty() && !request.all) {
    return db::invalid("An empty 'filter' means every row; if that is meant, add \"all\": true");
  }
  return where;
}

}  // namespace

std::vector<std::string_view> update_operators() {
  std::vector<std::string_view> names;
  for (const auto& known : change_kinds) names.push_back(known.first);
  return names;
}

result<insert_plan> plan(const db::insert_request& request, const table& of,
                         const dialect& language) {
  insert_plan planned;
  planned.fills_id = !of.id_column.empty();
  for (const json::object& row : request.rows) {
    column_values values;
    values.reserve(row.size());
    for (const auto& entry : row) {
      const auto column = of.find(entry.key());
      if (!column) return column.error();
      // A null id asks for the next one on every database.
      if (entry.value().is_null() && (*column)->name == of.id_column) continue;
      auto converted = to_sql(**column, entry.value());
      if (!converted) return converted.error();
      values.emplace_back(*column, std::move(*converted));
    }
    planned.rows.push_back(insert_statement(std::move(values), of, language));
  }
  return planned;
}

result<update_plan> plan(const db::update_request& request, const table& of,
                         const dialect& language) {
  const auto changes = changes_of(request.update, of);
  if (!changes) return changes.error();
  bindings bound(language);
  std::string assignments;
  for (const change& what : *changes) {
    if (!assignments.empty()) assignments += ", ";
    assignments += quoted_name(what.of->name) + " = " + new_value(what, bound);
  }
  const auto where = guarded_condition(request, of, bound);
  if (!where) return where.error();
  std::string sql = "UPDATE " + quoted_name(of.name) + " SET " + assignments;
  if (!where->empty()) sql += " WHERE " + *where;
  update_plan planned{bound.finish(std::move(sql))};
  if (request.upsert) {
    auto insert = upsert_insert(request, *changes, of, language);
    if (!insert) return insert.error();
    planned.insert = std::move(*insert);
  }
  return planned;
}

result<statement> plan(const db::delete_request& request, const table& of,
                       const dialect& language) {
  bindings bound(language);
  const auto where = guarded_condition(request, of, bound);
  if (!where) return where.error();
  std::string sql = "DELETE FROM " + quoted_name(of.name);
  if (!where->empty()) sql += " WHERE " + *where;
  return bound.finish(std::move(sql));
}

}  // namespace rosey::storage
