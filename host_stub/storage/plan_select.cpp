// Planning of selects: columns, aggregates, order, page.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "host_stub/storage/filter.hpp"
#include "host_stub/storage/plan.hpp"

namespace rosey::storage {

namespace {

// What stands between SELECT and FROM, and what each of it is called in the reply.
class output_list {
 public:
  void add(const std::string& expression, std::string name, column_kind kind) {
    if (!sql_.empty()) sql_ += ", ";
    sql_ += expression + " AS " + quoted_name(name);
    outputs_.push_back({std::move(name), kind});
  }

  bool has(std::string_view name) const {
    for (const auto& each : outputs_) {
      if (each.name == name) return true;
    }
    return false;
  }

  // But for the case of ASCII letters: in ORDER BY, SQLite takes the one for the other.
  bool has_like(std::string_view name) const {
    const auto same = [](unsigned char a, unsigned char b) {
      return std::tolower(a) == std::tolower(b);
    };
    return std::any_of(outputs_.begin(), outputs_.end(), [&](const select_plan::output& each) {
      return std::equal(each.name.begin(), each.name.end(), name.begin(), name.end(), same);
    });
  }

  const std::string& sql() const { return sql_; }
  std::vector<select_plan::output>& outputs() { return outputs_; }

 private:
  std::string sql_;
  std::vector<select_plan::output> outputs_;
};

bool is_alias(std::string_view name) {
  constexpr std::string_view first = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  constexpr std::string_view rest =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return !name.empty() && name.size() <= 63 && first.find(name.front()) != first.npos &&
         name.find_first_not_of(rest) == name.npos;
}

bool is_number(column_kind kind) {
  return kind == column_kind::integer || kind == column_kind::real;
}

struct aggregate_function {
  std::string_view name;
  bool of_numbers;
  std::string (*sql)(const dialect& language, const std::string& argument, column_kind kind);
  column_kind (*kind)(column_kind of);
};

column_kind same_kind(column_kind of) {
  return of;
}

template <column_kind Kind>
column_kind always(column_kind) {
  return Kind;
}

template <std::string (dialect::*Sql)(const std::string&, column_kind) const>
std::string spoken(const dialect& language, const std::string& argument, column_kind kind) {
  return (language.*Sql)(argument, kind);
}

std::string count_of(const dialect&, const std::string& argument, column_kind) {
  return fmt::format("COUNT({})", argument);
}

std::string sum_of(const dialect& language, const std::string& argument, column_kind kind) {
  return fmt::format("COALESCE({}, 0)", language.total(argument, kind));
}

constexpr aggregate_function aggregate_functions_known[] = {
    {"$count", false, count_of, always<column_kind::integer>},
    {"$sum", true, sum_of, same_kind},
    {"$avg", true, spoken<&dialect::mean>, always<column_kind::real>},
    {"$min", false, spoken<&dialect::minimum>, same_kind},
    {"$max", false, spoken<&dialect::maximum>, same_kind}};

std::optional<error> add_aggregate(output_list& list, const db::aggregate& asked, const table& of,
                                   const dialect& language) {
  if (!is_alias(asked.name) || list.has_like(asked.name)) {
    return db::invalid(
        fmt::format("The aggregate's name '{}' is not usable", db::shortened(asked.name)));
  }
  if (asked.function == "$count" && asked.column == "*") {
    if (asked.distinct) return db::invalid("$count of * cannot be distinct");
    list.add("COUNT(*)", asked.name, column_kind::integer);
    return std::nullopt;
  }
  const auto column = of.find(asked.column);
  if (!column) return column.error();
  const auto* end = std::end(aggregate_functions_known);
  const auto* function =
      std::find_if(std::begin(aggregate_functions_known), end,
                   [&asked](const auto& each) { return each.name == asked.function; });
  if (function == end) {
    return db::invalid(fmt::format("There is no aggregate '{}'", db::shortened(asked.function)));
  }
  if (function->of_numbers && !is_number((*column)->kind)) {
    return db::invalid(fmt::format("{} needs numbers, which column '{}' does not hold",
                                   asked.function, (*column)->name));
  }
  const std::string argument = (asked.distinct ? "DISTINCT " : "") +
                               language.comparable(quoted_name((*column)->name), (*column)->kind);
  list.add(function->sql(language, argument, (*column)->kind), asked.name,
           function->kind((*column)->kind));
  return std::nullopt;
}

std::optional<error> add_outputs(output_list& list, const db::select_request& request,
                                 const table& of, const dialect& language) {
  const auto add = [&](const column& of_table) {
    list.add(language.comparable(quoted_name(of_table.name), of_table.kind), of_table.name,
             of_table.kind);
  };
  if (request.columns.empty() && request.aggregates.empty()) {
    for (const column& each : of.columns) {
      if (each.kind != column_kind::unsupported) add(each);
    }
  }
  for (const std::string& name : request.columns) {
    const auto column = of.find(name);
    if (!column) return column.error();
    if (!list.has(name)) add(**column);
  }
  for (const db::aggregate& each : request.aggregates) {
    if (auto refused = add_aggregate(list, each, of, language)) return refused;
  }
  return std::nullopt;
}

bool has_aggregate(const db::select_request& request, std::string_view name) {
  return std::any_of(request.aggregates.begin(), request.aggregates.end(),
                     [name](const db::aggregate& each) { return each.name == name; });
}

result<std::string> order_clause(const db::select_request& request, const output_list& list,
                                 const table& of, const dialect& language) {
  // Rows that are merged have only what the reply shows of them.
  const bool only_outputs = request.distinct || !request.aggregates.empty();
  std::string clause;
  for (const db::order_by& by : request.order) {
    std::string value = quoted_name(by.column);
    const auto column = of.find(by.column);
    if (!list.has(by.column)) {
      if (!column) return column.error();
      if (only_outputs) {
        return db::invalid(fmt::format("The order's column '{}' must be among the selected ones",
                                       (*column)->name));
      }
      value = language.comparable(value, (*column)->kind);
    }
    // An aggregate may be called like a column that is not selected.
    const bool is_column = column && !has_aggregate(request, by.column);
    const bool nullable = !is_column || (*column)->nullable;
    clause += clause.empty() ? " ORDER BY " : ", ";
    clause += language.ordered(value, by.descending, nullable);
  }
  return clause;
}

std::string page_clause(const db::select_request& request, bindings& bound) {
  if (!request.limit && request.offset == 0) return {};
  const std::int64_t limit = request.limit.value_or(std::numeric_limits<std::int64_t>::max());
  std::string clause = " LIMIT " + bound.bind(limit);
  if (request.offset != 0) clause += " OFFSET " + bound.bind(request.offset);
  return clause;
}

std::string group_clause(const db::select_request& request) {
  if (request.aggregates.empty()) return {};
  std::string clause;
  const auto& columns = request.columns;
  for (auto name = columns.begin(); name != columns.end(); ++name) {
    if (std::find(columns.begin(), name, *name) != name) continue;  // named before
    clause += clause.empty() ? " GROUP BY " : ", ";
    clause += quoted_name(*name);
  }
  return clause;
}

}  // namespace

std::vector<std::string_view> aggregate_functions() {
  std::vector<std::string_view> names;
  for (const auto& known : aggregate_functions_known) names.push_back(known.name);
  return names;
}

result<select_plan> plan(const db::select_request& request, const table& of,
                         const dialect& language) {
  if (request.distinct && !request.aggregates.empty()) {
    return db::invalid("'distinct' and 'aggregates' exclude each other; group by 'columns'");
  }
  bindings bound(language);
  output_list list;
  if (auto refused = add_outputs(list, request, of, language)) return *refused;
  if (list.outputs().empty()) {
    return db::invalid(fmt::format("Table '{}' has no column to select", of.shown));
  }
  const auto where = condition(request.filter, of, bound);
  if (!where) return where.error();
  const auto order = order_clause(request, list, of, language);
  if (!order) return order.error();

  std::string sql = request.distinct ? "SELECT DISTINCT " : "SELECT ";
  sql += list.sql() + " FROM " + quoted_name(of.name);
  if (!where->empty()) sql += " WHERE " + *where;
  sql += group_clause(request);
  sql += *order;
  sql += page_clause(request, bound);
  select_plan planned{bound.finish(std::move(sql)), std::move(list.outputs())};
  constexpr std::int64_t few = 100;
  planned.query.many_rows = request.limit.value_or(few + 1) > few;
  return planned;
}

}  // namespace rosey::storage
