// What passes between a request and the database: typed values, and statements that bind them.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "rosey/wire/storage.hpp"

namespace rosey::storage {

namespace db = wire::db;
namespace json = wire::json;

using sql_null = std::monostate;
using sql_value = std::variant<sql_null, bool, std::int64_t, double, std::string>;

// SQL with placeholders, and what is bound to them.
struct statement {
  std::string sql;
  std::vector<sql_value> parameters = {};
  bool many_rows = false;  // a query that may find far more than its reader takes
};

}  // namespace rosey::storage
