// Reading of the schema from PostgreSQL's catalogue.
#pragma once

#include <string>

#include "host_stub/storage/postgresql/postgresql_connection.hpp"

namespace rosey::storage {

// Another text after every change to the tables of the current schema, but for a column's new name.
std::string schema_version(postgresql_connection& connection);

schema read_schema(postgresql_connection& connection);

}  // namespace rosey::storage
