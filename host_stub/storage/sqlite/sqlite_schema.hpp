// Reading of the schema from a SQLite file.
#pragma once

#include <SQLiteCpp/Database.h>

#include "host_stub/storage/schema.hpp"

namespace rosey::storage {

// Throws SQLite::Exception.
schema read_schema(SQLite::Database& connection);

}  // namespace rosey::storage
