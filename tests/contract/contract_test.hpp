// What holds for the storage service whichever database is behind it: each case runs on SQLite, on
// PostgreSQL, and on two services that share one PostgreSQL.
#pragma once

#include <thread>

#include "storage/storage_fixture.hpp"

namespace rosey::storage {

enum class backend { sqlite, postgresql, two_services };

class contract_test : public ::testing::TestWithParam<backend>, protected storage_fixture {
 protected:
  contract_test() : storage_fixture(GetParam() == backend::two_services ? 2 : 1) {
    use(GetParam() == backend::sqlite ? make_sqlite_database(folder_.path().string())
                                      : make_postgresql_database());
    open();
  }
};

inline std::string name_of(const ::testing::TestParamInfo<backend>& info) {
  switch (info.param) {
    case backend::sqlite:
      return "sqlite";
    case backend::postgresql:
      return "postgresql";
    case backend::two_services:
      break;
  }
  return "two_services";
}

// In every file of cases, once for each suite.
#define ON_EVERY_BACKEND(suite)                                                       \
  INSTANTIATE_TEST_SUITE_P(                                                           \
      contract, suite,                                                                \
      ::testing::Values(backend::sqlite, backend::postgresql, backend::two_services), \
      [](const auto& info) { return name_of(info); })

}  // namespace rosey::storage
