// A connection to PostgreSQL that comes back by itself.
#pragma once

#include <memory>
#include <string>

#include "host_stub/storage/database.hpp"
#include "host_stub/storage/postgresql/server_health.hpp"

namespace rosey::storage {

// Connects when the first transaction begins, and again when the connection was lost; only to the
// database of this identity.
std::unique_ptr<session> connect_postgresql(const std::string& url, access mode,
                                            const database_options& options,
                                            std::shared_ptr<server_health> health,
                                            const std::string& identity);

}  // namespace rosey::storage
