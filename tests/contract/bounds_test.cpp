// Too much at once, and somebody else's locks: a refusal each, and service afterwards.
#include "contract/contract_test.hpp"

namespace rosey::storage {
namespace {

class storage_bounds : public contract_test {
 protected:
  storage_bounds() { sql("CREATE TABLE demo_note ({id}, body TEXT)"); }

  std::future<json::object> send_note(const std::string& body) {
    return send("db.row.demo.insert", R"({"table": "note", "values": {"body": ")" + body + "\"}}");
  }
  std::int64_t notes() {
    return row("select", R"({"table": "note", "aggregates": {"n": {"$count": "*"}}})")
        .at("rows")
        .at(0)
        .at("n")
        .as_int64();
  }
};

TEST_P(storage_bounds, past_a_full_queue_the_answer_is_busy_at_once) {
  close();
  options_.write_queue = 5;
  open();
  std::vector<std::future<json::object>> waiting;
  int refused = 0;
  {
    const auto lock = lock_out_writers();
    for (int i = 0; i < 60; ++i) {
      auto answer = send_note(std::to_string(i));
      if (answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
        EXPECT_EQ(error_code(answer.get()), "BUSY");
        ++refused;
      } else {
        waiting.push_back(std::move(answer));
      }
    }
    // Reads are not behind the writes.
    EXPECT_EQ(notes(), 0);
  }
  EXPECT_GE(refused, 20);
  for (auto& each : waiting) EXPECT_EQ(error_code(each.get()), "none");
  EXPECT_EQ(notes(), 60 - refused);
}

TEST_P(storage_bounds, a_lock_that_stays_is_busy_and_then_forgotten) {
  close();
  options_.busy_timeout = std::chrono::milliseconds(50);
  open();
  {
    const auto lock = lock_out_writers();
    EXPECT_EQ(error_code(send_note("a").get()), "BUSY");
    EXPECT_EQ(refusal("db.kv.demo.set", R"({"key": "k", "value": 1})"), "BUSY");
    EXPECT_EQ(notes(), 0);
  }
  EXPECT_EQ(error_code(send_note("a").get()), "none");
  EXPECT_EQ(notes(), 1);
}

TEST_P(storage_bounds, filters_have_a_size) {
  const auto junction = [](std::size_t filters) {
    std::string list;
    for (std::size_t i = 0; i < filters; ++i) {
      list += std::string(i == 0 ? "" : ", ") + R"({"id": )" + std::to_string(i) + "}";
    }
    return R"({"table": "note", "filter": {"$or": [)" + list + "]}}";
  };
  EXPECT_EQ(row("select", junction(500)).at("count"), 0);
  EXPECT_EQ(refusal("db.row.demo.select", junction(501)), "VALIDATION_ERROR");
  std::string many = R"({"table": "note", "filter": {"id": {"$in": [0)";
  for (int i = 1; i < 1000; ++i) many += "," + std::to_string(i);
  EXPECT_EQ(row("select", many + "]}}}").at("count"), 0);
  EXPECT_EQ(refusal("db.row.demo.select", many + ",1000]}}}"), "VALIDATION_ERROR");
}

TEST_P(storage_bounds, answers_stay_under_half_of_what_nats_takes) {
  const std::string body(60'000, 'x');
  for (int i = 0; i < 20; ++i) ASSERT_EQ(error_code(send_note(body).get()), "none");
  constexpr std::size_t nats_payload = 1024 * 1024;
  std::size_t rows = 0;
  for (bool more = true; more;) {
    const auto page = row("select", R"({"table": "note", "order": {"id": 1}, "offset": )" +
                                        std::to_string(rows) + "}");
    EXPECT_LE(json::serialize(page).size(), nats_payload / 2);
    EXPECT_GT(page.at("count").as_int64(), 0);
    rows += static_cast<std::size_t>(page.at("count").as_int64());
    more = page.at("truncated").as_bool();
  }
  EXPECT_EQ(rows, 20U);
}

TEST_P(storage_bounds, a_large_table_is_read_page_by_page) {
  std::string values;
  for (int i = 0; i < 1000; ++i) values += std::string(i == 0 ? "" : ", ") + R"({"body": "x"})";
  for (int i = 0; i < 20; ++i) row("insert", R"({"table": "note", "values": [)" + values + "]}");
  const auto page = row("select", R"({"table": "note", "order": {"id": 1}})");
  EXPECT_TRUE(page.at("truncated").as_bool());
  const auto count = page.at("count").as_int64();
  EXPECT_EQ(page.at("rows").as_array().back().at("id"), count);
  const auto exact = row(
      "select", R"({"table": "note", "order": {"id": 1}, "limit": )" + std::to_string(count) + "}");
  EXPECT_EQ(exact.at("count"), count);
  EXPECT_FALSE(exact.at("truncated").as_bool());
}

ON_EVERY_BACKEND(storage_bounds);

}  // namespace
}  // namespace rosey::storage
