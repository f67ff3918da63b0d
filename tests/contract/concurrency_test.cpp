// Requests at the same time end as if one had come after the other.
#include "contract/contract_test.hpp"

namespace rosey::storage {
namespace {

class storage_concurrency : public contract_test {
 protected:
  storage_concurrency() {
    sql("CREATE TABLE demo_seat ({id}, place TEXT, guest TEXT); "
        "CREATE TABLE demo_sum (name TEXT PRIMARY KEY, n BIGINT NOT NULL); "
        "CREATE TABLE demo_tally (name TEXT, n BIGINT)");
  }

  // Sends all of them before it waits for any; how many had which outcome.
  std::map<std::string, int> outcomes(const std::string& subject,
                                      const std::vector<std::string>& requests) {
    std::vector<std::future<json::object>> answers;
    for (const std::string& each : requests) answers.push_back(send(subject, each));
    std::map<std::string, int> counts;
    for (auto& each : answers) ++counts[error_code(each.get())];
    return counts;
  }
};

using counts = std::map<std::string, int>;

TEST_P(storage_concurrency, what_was_found_absent_stays_absent) {
  std::vector<std::string> requests;
  for (int i = 0; i < 40; ++i) {
    requests.push_back(R"({"ops": [
        {"op": "select", "table": "seat", "filter": {"place": "front"}, "expect": {"affected": 0}},
        {"op": "insert", "table": "seat", "values": {"place": "front", "guest": ")" +
                       std::to_string(i) + R"("}}]})");
  }
  EXPECT_EQ(outcomes("db.batch.demo", requests), (counts{{"none", 1}, {"CONFLICT", 39}}));
  EXPECT_EQ(row("select", R"({"table": "seat"})").at("count"), 1);
}

TEST_P(storage_concurrency, increments_are_all_counted) {
  const std::string increment = R"({"table": "sum", "filter": {"name": "x"},
                                    "update": {"$inc": {"n": 1}}, "upsert": true})";
  EXPECT_EQ(outcomes("db.row.demo.update", std::vector(60, increment)), (counts{{"none", 60}}));
  EXPECT_EQ(selected("n", R"({"table": "sum"})"), "[60]");
}

// Also where no rule of the schema forbids a second row.
TEST_P(storage_concurrency, an_upsert_inserts_once) {
  const std::string increment = R"({"table": "tally", "filter": {"name": "x"},
                                    "update": {"$inc": {"n": 1}}, "upsert": true})";
  EXPECT_EQ(outcomes("db.row.demo.update", std::vector(40, increment)), (counts{{"none", 40}}));
  EXPECT_EQ(selected("n", R"({"table": "tally"})"), "[40]");
}

TEST_P(storage_concurrency, opposite_orders_do_not_lock_each_other_out) {
  row("insert", R"({"table": "sum", "values": [{"name": "a", "n": 0}, {"name": "b", "n": 0}]})");
  const auto both = [](const std::string& first, const std::string& second) {
    const auto op = [](const std::string& name) {
      return R"({"op": "update", "table": "sum", "filter": {"name": ")" + name +
             R"("}, "update": {"$inc": {"n": 1}}})";
    };
    return R"({"ops": [)" + op(first) + ", " + op(second) + "]}";
  };
  std::vector<std::string> requests;
  for (int i = 0; i < 20; ++i) {
    requests.push_back(both("a", "b"));
    requests.push_back(both("b", "a"));
  }
  EXPECT_EQ(outcomes("db.batch.demo", requests), (counts{{"none", 40}}));
  EXPECT_EQ(selected("n", R"({"table": "sum"})"), "[40,40]");
}

TEST_P(storage_concurrency, a_revision_is_replaced_once) {
  const auto revision = kv("set", R"({"key": "k", "value": 0})").at("revision").as_int64();
  const std::string guarded =
      R"({"key": "k", "value": 1, "if_revision": )" + std::to_string(revision) + "}";
  EXPECT_EQ(outcomes("db.kv.demo.set", std::vector(30, guarded)),
            (counts{{"none", 1}, {"CONFLICT", 29}}));
  const std::string absent = R"({"key": "new", "value": 1, "if_revision": 0})";
  EXPECT_EQ(outcomes("db.kv.demo.set", std::vector(30, absent)),
            (counts{{"none", 1}, {"CONFLICT", 29}}));
}

TEST_P(storage_concurrency, a_batch_is_seen_whole_or_not_at_all) {
  row("insert", R"({"table": "sum", "values": [{"name": "a", "n": 50}, {"name": "b", "n": 50}]})");
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      const auto seen =
          ask("db.row.demo.select", R"({"table": "sum", "aggregates": {"total": {"$sum": "n"}}})");
      EXPECT_EQ(seen.at("rows").at(0).at("total"), 100);
    }
  });
  const std::string move = R"({"ops": [
      {"op": "update", "table": "sum", "filter": {"name": "a"}, "update": {"$inc": {"n": -1}}},
      {"op": "update", "table": "sum", "filter": {"name": "b"}, "update": {"$inc": {"n": 1}}}]})";
  EXPECT_EQ(outcomes("db.batch.demo", std::vector(50, move)), (counts{{"none", 50}}));
  done = true;
  reader.join();
  EXPECT_EQ(selected("n", R"({"table": "sum", "order": {"name": 1}})"), "[0,100]");
}

ON_EVERY_BACKEND(storage_concurrency);

}  // namespace
}  // namespace rosey::storage
