// A connection to a SQLite file.
#pragma once

#include <memory>
#include <string>

#include "host_stub/storage/database.hpp"

namespace rosey::storage {

// Throws sql_failure.
std::unique_ptr<session> connect_sqlite(const std::string& path, access mode,
                                        const database_options& options);

}  // namespace rosey::storage
