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
  // On a busy machine the short limit may strike again.
  std::string code = "BUSY";
  while (code == "BUSY") code = error_code(send_note("a").get());
  EXPECT_EQ(code, "none");
  EXPECT_EQ(notes(), 1);
}

// Few requests, but large ones.
TEST_P(storage_bounds, past_the_bytes_of_all_requests_the_answer_is_busy_at_once) {
  close();
  options_.memory = 10'000;
  open();
  const std::string large(6000, 'x');
  const std::size_t services = GetParam() == backend::two_services ? 2 : 1;
  std::vector<std::future<json::object>> waiting;
  {
    const auto lock = lock_out_writers();
    for (std::size_t i = 0; i < services; ++i) waiting.push_back(send_note(large));
    for (std::size_t i = 0; i < services; ++i) {
      auto refused = send_note(large);
      ASSERT_EQ(refused.wait_for(std::chrono::seconds(0)), std::future_status::ready);
      EXPECT_EQ(error_code(refused.get()), "BUSY");
    }
    EXPECT_EQ(notes(), 0);
    EXPECT_EQ(refusal("db.row.demo.select",
                      R"({"table": "note", "filter": {"body": ")" + large + R"("}})"),
              "BUSY");
    waiting.push_back(send_note("small"));
  }
  for (auto& each : waiting) EXPECT_EQ(error_code(each.get()), "none");
  // What was answered does not count any more.
  for (int i = 0; i < 10; ++i) EXPECT_EQ(error_code(send_note(large).get()), "none");
}

TEST_P(storage_bounds, what_waited_too_long_is_not_carried_out) {
  close();
  options_.longest_wait = std::chrono::milliseconds(0);
  open();
  const auto answer = send_note("late").get();
  EXPECT_EQ(error_code(answer), "BUSY");
  EXPECT_EQ(error_message(answer), "The request has waited too long, and nothing was done");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "note"})"), "BUSY");
  close();
  options_.longest_wait = options().longest_wait;
  open();
  EXPECT_EQ(notes(), 0);
}

// The reader that a slow one occupies is not needed for anything else. Here it is slow to take its
// answer, which happens on the same thread.
TEST_P(storage_bounds, a_slow_read_holds_up_nobody_else) {
  std::promise<void> begun;
  std::promise<void> end;
  std::promise<void> ended;
  storage().handle("db.row.demo.select", R"({"table": "note"})", [&](const std::string&) {
    begun.set_value();
    end.get_future().wait();
    ended.set_value();
  });
  begun.get_future().wait();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(error_code(send_note("x").get()), "none");
    EXPECT_EQ(notes(), i + 1);
  }
  end.set_value();
  ended.get_future().wait();
}

TEST_P(storage_bounds, a_read_that_takes_too_long_is_ended) {
  const std::string body(60'000, 'x');
  for (int i = 0; i < 60; ++i) ASSERT_EQ(error_code(send_note(body).get()), "none");
  std::string patterns;
  for (int i = 0; i < 200; ++i) {
    patterns += std::string(i == 0 ? "" : ", ") + R"({"body": {"$ilike": "%y)" + std::to_string(i) +
                R"(%"}})";
  }
  const std::string slow = R"({"table": "note", "filter": {"$or": [)" + patterns + "]}}";
  close();
  options_.read_timeout = std::chrono::milliseconds(50);
  open();
  const auto answer = ask("db.row.demo.select", slow);
  EXPECT_EQ(error_code(answer), "BUSY");
  EXPECT_EQ(error_message(answer),
            "It took too long and was ended; ask for less at a time, or give the table an index");
  // The connection is as good as before, and changes have their own limit.
  const std::string quick = R"({"table": "note", "columns": ["id"], "limit": 1})";
  while (error_code(ask("db.row.demo.select", quick)) == "BUSY") {
  }
  EXPECT_EQ(error_code(send_note("after").get()), "none");
}

TEST_P(storage_bounds, lists_are_counted_together) {
  const auto list = [](int values) {
    std::string text = "[0";
    for (int i = 1; i < values; ++i) text += "," + std::to_string(i);
    return text + "]";
  };
  const auto filter = [&](int first, int second) {
    return R"({"table": "note", "filter": {"$or": [{"id": {"$in": )" + list(first) +
           R"(}}, {"id": {"$nin": )" + list(second) + "}}]}}";
  };
  EXPECT_EQ(row("select", filter(500, 500)).at("count"), 0);
  EXPECT_EQ(refusal("db.row.demo.select", filter(500, 501)), "VALIDATION_ERROR");
}

TEST_P(storage_bounds, a_select_has_a_number_of_columns_and_aggregates) {
  const auto columns = [](int count) {
    std::string text = R"({"table": "note", "columns": ["id")";
    for (int i = 1; i < count; ++i) text += R"(, "id")";
    return text + "]}";
  };
  const auto aggregates = [](int count) {
    std::string text = R"({"table": "note", "aggregates": {"n0": {"$count": "*"})";
    for (int i = 1; i < count; ++i) text += ", \"n" + std::to_string(i) + R"(": {"$count": "*"})";
    return text + "}}";
  };
  EXPECT_EQ(row("select", columns(100)).at("count"), 0);
  EXPECT_EQ(refusal("db.row.demo.select", columns(101)), "VALIDATION_ERROR");
  EXPECT_EQ(row("select", aggregates(100)).at("rows").at(0).at("n99"), 0);
  EXPECT_EQ(refusal("db.row.demo.select", aggregates(101)), "VALIDATION_ERROR");
}

// What a request says is quoted, but not at any length: also a refusal has to fit into a message.
TEST_P(storage_bounds, refusals_quote_only_the_beginning) {
  const std::string endless(500'000, 'n');
  const std::string quoted = '"' + endless + '"';
  const std::string note = R"({"table": "note", )";
  const auto expect_short = [this](const std::string& subject, const std::string& payload) {
    const auto answer = ask(subject, payload);
    EXPECT_FALSE(answer.at("success").as_bool());
    EXPECT_LE(json::serialize(answer).size(), 1200U);
    EXPECT_NE(error_message(answer), "");
  };
  expect_short("db.row.demo.select", note + R"("columns": [)" + quoted + "]}");
  expect_short("db.row.demo.select", note + R"("filter": {)" + quoted + ": 1}}");
  expect_short("db.row.demo.select", note + R"("filter": {"id": {)" + quoted + ": 1}}}");
  expect_short("db.row.demo.select", note + R"("filter": {"$)" + endless + R"(": 1}})");
  expect_short("db.row.demo.select", note + R"("order": {)" + quoted + ": 1}}");
  expect_short("db.row.demo.select",
               note + R"("aggregates": {)" + quoted + R"(: {"$max": "id"}}})");
  expect_short("db.row.demo.select",
               note + R"("aggregates": {"n": {"$)" + endless + R"(": "id"}}})");
  expect_short("db.row.demo.select", R"({"table": )" + quoted + "}");
  expect_short("db.row.demo.insert", note + R"("values": {)" + quoted + ": 1}}");
  expect_short("db.row.demo.update",
               note + R"("filter": {"id": 1}, "update": {)" + quoted + ": {}}}");
  expect_short("db.batch.demo", R"({"ops": [{"op": )" + quoted + "}]}");
  expect_short("db.kv.demo.get", R"({"key": )" + quoted + "}");
  expect_short("db.row." + endless + ".select", "{}");
  EXPECT_NE(
      error_message(ask("db.row.demo.select", note + R"("columns": ["short"]})")).find("'short'"),
      std::string::npos);
}

TEST_P(storage_bounds, answers_stay_under_the_limit_that_they_were_given) {
  close();
  options_.reply_limit = 4096;
  open();
  const std::string body(1500, 'x');
  for (int i = 0; i < 4; ++i) send_note(body).get();
  const auto page = row("select", R"({"table": "note"})");
  EXPECT_EQ(page.at("count"), 2);
  EXPECT_TRUE(page.at("truncated").as_bool());
  EXPECT_LE(json::serialize(page).size(), 4096U);
  send_note(std::string(5000, 'x')).get();
  const auto endless =
      ask("db.row.demo.select", R"({"table": "note", "order": {"id": -1}, "limit": 1})");
  EXPECT_EQ(error_code(endless), "VALUE_TOO_LARGE");
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
