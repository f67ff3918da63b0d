// Filters of requests as SQL conditions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host_stub/storage/dialect.hpp"

namespace rosey::storage {

// The condition, "" for the empty filter. Refuses what it does not know by name.
result<std::string> condition(const json::object& filter, const table& of, bindings& bound);

using column_values = std::vector<std::pair<column, sql_value>>;

// Columns that rows matching the filter have at one known value: those at the top with a plain
// value or $eq. What an upsert inserts.
result<column_values> equalities(const json::object& filter, const table& of);

}  // namespace rosey::storage
