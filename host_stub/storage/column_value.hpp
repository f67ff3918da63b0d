// Values of JSON messages as values of columns, and back.
#pragma once

#include <cstddef>
#include <string>

#include "host_stub/storage/schema.hpp"

namespace rosey::storage {

// VALIDATION_ERROR names the column and what it takes; VALUE_TOO_LARGE. Null fits every column.
result<sql_value> to_sql(const column& into, const json::value& value);

// A value that the kind does not explain (a foreign program wrote it) is answered as it is.
json::value to_json(column_kind kind, const sql_value& value);

// What the service itself has stored as JSON.
json::value from_stored(const std::string& text);

// Bytes that the value takes in a reply, or a few more.
std::size_t encoded_size(const json::value& value);

}  // namespace rosey::storage
