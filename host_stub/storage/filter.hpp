// Filters of requests as SQL conditions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host_stub/storage/dialect.hpp"

namespace rosey::storage {

inline constexpr std::size_t max_conditions = 500;  // databases read no deeper than some thousand
inline constexpr std::size_t max_listed = 1000;     // values of all lists of a filter together
inline constexpr std::size_t max_pattern = 1000;    // bytes

// The condition, "" for the empty filter. Refuses what it does not know by name.
result<std::string> condition(const json::object& filter, const table& of, bindings& bound);

// All that a filter may contain.
std::vector<std::string_view> filter_operators();

using column_values = std::vector<std::pair<const column*, sql_value>>;

// Columns that rows matching the filter have at one known value: those at the top with a plain
// value or $eq. What an upsert inserts.
result<column_values> equalities(const json::object& filter, const table& of);

}  // namespace rosey::storage
