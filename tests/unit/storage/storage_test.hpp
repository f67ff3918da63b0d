// A storage service on a SQLite file.
#pragma once

#include <SQLiteCpp/Database.h>

#include "storage/storage_fixture.hpp"

namespace rosey::storage {

class storage_test : public ::testing::Test, protected storage_fixture {
 protected:
  storage_test() { use(make_sqlite_database(folder_.path().string())); }

  std::string database_file() const { return options_.database.substr(sizeof "sqlite:" - 1); }
};

}  // namespace rosey::storage
