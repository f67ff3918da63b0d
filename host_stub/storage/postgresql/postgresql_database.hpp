// A database of a PostgreSQL server.
#pragma once

#include <memory>
#include <string>

#include "host_stub/storage/database.hpp"

namespace rosey::storage {

// Throws std::runtime_error; see open_database.
std::unique_ptr<database> open_postgresql(const std::string& url, const database_options& options);

}  // namespace rosey::storage
