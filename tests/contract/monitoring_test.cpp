// What a service tells of itself: exact counts of what was done, also while nothing goes on.
#include <thread>

#include "contract/contract_test.hpp"

namespace rosey::storage {
namespace {

// Of one service, so that the counts are those of all requests.
class storage_monitoring : public ::testing::TestWithParam<backend>, protected storage_fixture {
 protected:
  storage_monitoring() {
    use(GetParam() == backend::sqlite ? make_sqlite_database(folder_.path().string())
                                      : make_postgresql_database());
    open();
    sql("CREATE TABLE demo_note ({id}, body TEXT)");
  }

  json::object monitor() { return object_of(storage().monitor()); }
  std::future<json::object> send_note(const std::string& body) {
    return send("db.row.demo.insert", R"({"table": "note", "values": {"body": ")" + body + "\"}}");
  }
};

TEST_P(storage_monitoring, counts_operations_by_kind) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(error_code(send_note("x").get()), "none");
  row("select", R"({"table": "note"})");
  kv("set", R"({"key": "k", "value": 1})");
  batch(R"({"ops": [{"op": "kv.get", "key": "k"}, {"op": "kv.get", "key": "k"},
                    {"op": "update", "table": "note", "all": true, "update": {"$set": {"body": "y"}}},
                    {"op": "kv.list"}, {"op": "kv.delete", "key": "k"},
                    {"op": "delete", "table": "note", "all": true}]})");
  refusal("db.migrate.demo.status", "{}");
  const auto told = monitor();
  EXPECT_EQ(told.at("requests"), 7);
  EXPECT_EQ(json::serialize(told.at("operations")),
            R"({"insert":3,"select":1,"update":1,"delete":1,"kv.get":2,"kv.set":1,"kv.delete":1,)"
            R"("kv.list":1,"batch":1,"migrate":1})");
}

TEST_P(storage_monitoring, counts_errors_by_code) {
  refusal("db.row.demo.select", "{");
  refusal("db.row.demo.select", "{}");
  refusal("db.row.demo.select", R"({"table": "nope"})");
  refusal("db.row.demo.insert", R"({"table": "nope", "values": {}})");
  refusal("db.row.demo.nope", "{}");
  refusal("db.batch.demo",
          R"({"ops": [{"op": "kv.set", "key": "k", "value": 1, "if_revision": 9}]})");
  EXPECT_EQ(json::serialize(monitor().at("errors")),
            R"({"INVALID_JSON":1,"MISSING_FIELD":1,"UNKNOWN_TABLE":2,"UNKNOWN_COLUMN":0,)"
            R"("VALIDATION_ERROR":1,"CONSTRAINT":0,"CONFLICT":1,"VALUE_TOO_LARGE":0,"BUSY":0,)"
            R"("DATABASE_ERROR":0})");
}

TEST_P(storage_monitoring, tells_how_long_requests_took) {
  for (int i = 0; i < 5; ++i) send_note("x").get();
  row("select", R"({"table": "note"})");
  const auto told = monitor().at("latency_us").as_object();
  EXPECT_EQ(told.at("write").at("count"), 5);
  EXPECT_EQ(told.at("read").at("count"), 1);
  for (const char* mode : {"read", "write"}) {
    const auto& each = told.at(mode);
    EXPECT_LE(each.at("p50").as_int64(), each.at("p90").as_int64());
    EXPECT_LE(each.at("p90").as_int64(), each.at("p99").as_int64());
    EXPECT_LE(each.at("p99").as_int64(), each.at("max").as_int64());
    EXPECT_GT(each.at("max").as_int64(), 0);
  }
}

TEST_P(storage_monitoring, tells_of_itself) {
  const auto told = monitor();
  EXPECT_TRUE(told.at("success").as_bool());
  EXPECT_EQ(told.at("database"), GetParam() == backend::sqlite ? "sqlite" : "postgresql");
  EXPECT_GT(told.at("resident_bytes").as_int64(), 1'000'000);
  EXPECT_GE(told.at("uptime_seconds").as_int64(), 0);
  const auto other = open_service(options_);
  EXPECT_NE(object_of(other->monitor()).at("node"), told.at("node"));
}

TEST_P(storage_monitoring, answers_while_the_queue_is_full) {
  close();
  options_.write_queue = 3;
  options_.writers = 1;
  open();
  std::vector<std::future<json::object>> answers;
  {
    const auto lock = lock_out_writers();
    // The writer takes the first, and then cannot go on.
    answers.push_back(send_note("x"));
    while (storage().stats().waiting_to_write > 0) std::this_thread::yield();
    while (storage().stats().busy == 0) answers.push_back(send_note("x"));
    const auto told = monitor();
    EXPECT_EQ(told.at("queue").at("write").at("waiting"), 3);
    EXPECT_EQ(told.at("queue").at("write").at("limit"), 3);
    EXPECT_EQ(told.at("errors").at("BUSY"), 1);
    EXPECT_GT(told.at("queue").at("bytes").at("waiting").as_int64(), 100);
  }
  int done = 0;
  for (auto& each : answers) done += error_code(each.get()) == "none" ? 1 : 0;
  const auto after = monitor();
  EXPECT_EQ(after.at("queue").at("write").at("waiting"), 0);
  EXPECT_EQ(after.at("queue").at("bytes").at("waiting"), 0);
  EXPECT_EQ(after.at("latency_us").at("write").at("count"), done);
}

TEST_P(storage_monitoring, tells_how_many_requests_share_a_transaction) {
  std::vector<std::future<json::object>> answers;
  {
    const auto lock = lock_out_writers();
    for (int i = 0; i < 20; ++i) answers.push_back(send_note("x"));
  }
  for (auto& each : answers) each.get();
  const auto sizes = monitor().at("group_size").as_object();
  if (GetParam() == backend::sqlite) {
    EXPECT_LE(sizes.at("count").as_int64(), 2);
    EXPECT_GE(sizes.at("max").as_int64(), 10);
  } else {
    EXPECT_EQ(sizes.at("count"), 20);
    EXPECT_EQ(sizes.at("max"), 1);
  }
}

INSTANTIATE_TEST_SUITE_P(contract, storage_monitoring,
                         ::testing::Values(backend::sqlite, backend::postgresql),
                         [](const auto& info) { return name_of(info); });

}  // namespace
}  // namespace rosey::storage
