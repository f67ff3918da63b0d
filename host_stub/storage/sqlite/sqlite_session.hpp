// A connection to a SQLite file.
#pragma once

#include <memory>
#include <string>

#include "host_stub/storage/database.hpp"
#include "host_stub/storage/sqlite/sqlite_keeper.hpp"

namespace rosey::storage {

// A file that is not there is made only before the keeper trusts one. Throws sql_failure.
std::unique_ptr<session> connect_sqlite(std::shared_ptr<sqlite_keeper> keeper, access mode,
                                        const database_options& options);

}  // namespace rosey::storage
