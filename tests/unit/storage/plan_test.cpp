// The SQL that a database's indexes have to serve.
#include "host_stub/storage/plan.hpp"

#include <gmock/gmock.h>

#include "host_stub/storage/postgresql/postgresql_dialect.hpp"

namespace rosey::storage {
namespace {

using testing::EndsWith;

// PostgreSQL's have nulls at the other end.
TEST(storage_plan, says_nothing_of_nulls_where_there_are_none) {
  const table queue{
      .shown = "queue",
      .name = "demo_queue",
      .columns = {{"place", column_kind::integer, false}, {"length", column_kind::integer, true}},
      .id_column = ""};
  const auto sql = [&](db::select_request request) {
    request.table = "queue";
    return plan(request, queue, postgresql_dialect())->query.sql;
  };
  db::select_request request;
  request.order = {{"place", false}, {"length", true}};
  EXPECT_THAT(sql(request), EndsWith(R"(ORDER BY "place" ASC, "length" DESC NULLS LAST)"));
  request.columns = {"place"};
  request.order = {{"place", true}};
  EXPECT_THAT(sql(request), EndsWith(R"(ORDER BY "place" DESC)"));
  request.columns = {};
  request.aggregates = {{"place", "$max", "length"}};
  EXPECT_THAT(sql(request), EndsWith(R"(ORDER BY "place" DESC NULLS LAST)"));
}

}  // namespace
}  // namespace rosey::storage
