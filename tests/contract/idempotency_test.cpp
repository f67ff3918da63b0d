// Requests with an id: applied once, however often and from wherever they come.
#include "contract/contract_test.hpp"

namespace rosey::storage {
namespace {

class storage_idempotency : public contract_test {
 protected:
  storage_idempotency() {
    sql("CREATE TABLE demo_log ({id}, line TEXT); "
        "CREATE TABLE demo_sum (name TEXT PRIMARY KEY, n BIGINT NOT NULL)");
  }

  static std::string request(const std::string& id) {
    return R"({"request_id": ")" + id + R"(", "reply": {"message": "Added )" + id + R"("}, "ops": [
        {"op": "insert", "table": "log", "values": {"line": ")" +
           id + R"("}},
        {"op": "update", "table": "sum", "filter": {"name": "all"}, "update": {"$inc": {"n": 1}},
         "upsert": true},
        {"op": "kv.set", "key": "last", "value": ")" +
           id + R"("}]})";
  }
};

// Ten senders, each of which sends the same hundred requests.
TEST_P(storage_idempotency, a_hundred_times_at_once_is_once) {
  constexpr int times = 100;
  std::vector<std::future<json::object>> answers(times);
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 10; ++sender) {
    senders.emplace_back([this, sender, &answers] {
      for (int i = sender; i < times; i += 10)
        answers[static_cast<std::size_t>(i)] = send("db.batch.demo", request("r"));
    });
  }
  for (auto& sender : senders) sender.join();
  int applied = 0;
  for (auto& each : answers) {
    const auto answer = each.get();
    ASSERT_EQ(error_code(answer), "none") << json::serialize(answer);
    if (answer.at("replayed").as_bool()) {
      EXPECT_EQ(json::serialize(answer.at("reply")), R"({"message":"Added r"})");
    } else {
      ++applied;
      EXPECT_EQ(answer.at("results").as_array().size(), 3U);
    }
  }
  EXPECT_EQ(applied, 1);
  EXPECT_EQ(selected("line", R"({"table": "log"})"), R"(["r"])");
  EXPECT_EQ(selected("n", R"({"table": "sum"})"), "[1]");
}

TEST_P(storage_idempotency, different_requests_do_not_lose_each_other) {
  constexpr int requests = 60;
  std::vector<std::future<json::object>> answers;
  for (int repeat = 0; repeat < 2; ++repeat) {
    for (int i = 0; i < requests; ++i) {
      answers.push_back(send("db.batch.demo", request("r" + std::to_string(i))));
    }
  }
  for (auto& each : answers) EXPECT_EQ(error_code(each.get()), "none");
  EXPECT_EQ(row("select", R"({"table": "log", "columns": ["id"]})").at("count"), requests);
  EXPECT_EQ(selected("n", R"({"table": "sum"})"), "[" + std::to_string(requests) + "]");
}

TEST_P(storage_idempotency, a_refused_one_leaves_the_id_free) {
  const std::string refused = R"({"request_id": "r", "ops": [
      {"op": "insert", "table": "log", "values": {"line": "x"}},
      {"op": "delete", "table": "log", "filter": {"line": "y"}, "expect": {"affected": 1}}]})";
  EXPECT_EQ(refusal("db.batch.demo", refused), "CONFLICT");
  EXPECT_FALSE(batch(request("r")).at("replayed").as_bool());
  EXPECT_EQ(selected("line", R"({"table": "log"})"), R"(["r"])");
}

TEST_P(storage_idempotency, it_is_known_as_long_as_configured) {
  close();
  options_.request_age = std::chrono::seconds(100);
  open();
  batch(request("r"));
  clock_.advance(std::chrono::seconds(99));
  kv("set", R"({"key": "x", "value": 1})");  // sweeps afterwards
  reopen();
  EXPECT_TRUE(batch(request("r")).at("replayed").as_bool());
  clock_.advance(std::chrono::seconds(61));
  kv("set", R"({"key": "x", "value": 1})");
  reopen();
  EXPECT_EQ(sql_value("SELECT COUNT(*) FROM rosey_request"), "0");
  EXPECT_FALSE(batch(request("r")).at("replayed").as_bool());
}

ON_EVERY_BACKEND(storage_idempotency);

}  // namespace
}  // namespace rosey::storage
