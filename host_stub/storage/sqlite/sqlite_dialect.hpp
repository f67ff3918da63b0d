// SQLite's words for what databases say differently.
#pragma once

#include <SQLiteCpp/Database.h>

#include "host_stub/storage/dialect.hpp"

namespace rosey::storage {

const dialect& sqlite_dialect();

// The functions that the dialect's SQL calls; on every connection.
void register_functions(SQLite::Database& connection);

// What the functions fail with, and SQLite's own SUM.
inline constexpr char integer_overflow[] = "integer overflow";
inline constexpr char real_overflow[] = "real overflow";

}  // namespace rosey::storage
