// Row operations as statements: checked against the schema, every value bound.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host_stub/storage/dialect.hpp"

namespace rosey::storage {

struct select_plan {
  struct output {
    std::string name;
    column_kind kind;
  };
  statement query;
  std::vector<output> outputs;  // the columns of the query's rows
};

// Rows with the same columns share the same SQL.
struct insert_plan {
  std::vector<statement> rows;
  bool fills_id = false;
};

struct update_plan {
  statement update;
  std::optional<statement> insert = {};  // of an upsert: what to do when nothing was updated
};

// All that an update, and the aggregates of a select, may contain.
std::vector<std::string_view> update_operators();
std::vector<std::string_view> aggregate_functions();

result<select_plan> plan(const db::select_request& request, const table& of,
                         const dialect& language);
result<insert_plan> plan(const db::insert_request& request, const table& of,
                         const dialect& language);
result<update_plan> plan(const db::update_request& request, const table& of,
                         const dialect& language);
result<statement> plan(const db::delete_request& request, const table& of, const dialect& language);

}  // namespace rosey::storage
