// Batches: all or nothing, expectations, and requests that are applied once.
#include <atomic>
#include <set>

#include "contract/contract_test.hpp"

namespace rosey::storage {
namespace {

class storage_batch : public contract_test {
 protected:
  storage_batch() {
    sql(R"(CREATE TABLE demo_queue ({id}, channel TEXT NOT NULL,
                                    title TEXT NOT NULL UNIQUE);
           CREATE TABLE demo_channel (channel TEXT PRIMARY KEY, version BIGINT NOT NULL);
           INSERT INTO demo_channel VALUES ('#a', 1);)");
  }

  // What a change to a channel looks like.
  static std::string guarded_add(int version, const std::string& title,
                                 const std::string& rest = "") {
    return R"({"ops": [
        {"op": "update", "table": "channel",
         "filter": {"channel": "#a", "version": )" +
           std::to_string(version) + R"(},
         "update": {"$inc": {"version": 1}}, "expect": {"affected": 1}},
        {"op": "insert", "table": "queue", "values": {"channel": "#a", "title": ")" +
           title + R"("}}])" + rest + "}";
  }
  std::string titles() { return selected("title", R"({"table": "queue", "order": {"id": 1}})"); }
  std::string version() { return selected("version", R"({"table": "channel"})"); }
};

TEST_P(storage_batch, answers_each_operation) {
  const auto answer = batch(R"({"ops": [
      {"op": "insert", "table": "queue", "values": {"channel": "#a", "title": "x"}},
      {"op": "insert", "table": "queue", "values": [{"channel": "#a", "title": "y"}]},
      {"op": "update", "table": "queue", "filter": {"title": "x"}, "update": {"$set": {"title": "z"}}},
      {"op": "select", "table": "queue", "columns": ["title"], "order": {"title": 1}},
      {"op": "delete", "table": "queue", "filter": {"title": "z"}},
      {"op": "kv.set", "key": "k", "value": [1]},
      {"op": "kv.get", "key": "k"},
      {"op": "kv.list", "prefix": "k"},
      {"op": "kv.delete", "key": "k"}]})");
  EXPECT_EQ(json::serialize(answer),
            R"({"results":[{"created":1,"id":1},{"created":1,"ids":[2]},)"
            R"({"affected":1,"upserted":false},)"
            R"({"rows":[{"title":"y"},{"title":"z"}],"count":2,"truncated":false},)"
            R"({"deleted":1},{"revision":1},{"exists":true,"value":[1],"revision":1},)"
            R"({"entries":[{"key":"k","value":[1],"revision":1}],"truncated":false},)"
            R"({"deleted":true}],"replayed":false,"success":true})");
}

TEST_P(storage_batch, a_conflict_names_the_operation_and_leaves_nothing) {
  batch(guarded_add(1, "first"));
  const auto answer = ask("db.batch.demo", guarded_add(1, "second"));
  EXPECT_EQ(error_code(answer), "CONFLICT");
  EXPECT_EQ(answer.at("error").at("op"), 0);
  EXPECT_EQ(titles(), R"(["first"])");
  EXPECT_EQ(version(), "[2]");
}

TEST_P(storage_batch, a_constraint_names_the_operation_and_leaves_nothing) {
  batch(guarded_add(1, "first"));
  const auto answer = ask("db.batch.demo", guarded_add(2, "first"));
  EXPECT_EQ(error_code(answer), "CONSTRAINT");
  EXPECT_EQ(answer.at("error").at("op"), 1);
  EXPECT_EQ(version(), "[2]");
}

TEST_P(storage_batch, a_list_stands_between_other_operations) {
  const auto with_list = [](int first, const std::string& last) {
    json::array rows;
    for (int i = first; i < first + 600; ++i) {
      rows.push_back(json::object{{"channel", "#a"}, {"title", "title" + std::to_string(i)}});
    }
    return R"({"ops": [
        {"op": "update", "table": "channel", "all": true, "update": {"$inc": {"version": 1}}},
        {"op": "insert", "table": "queue", "values": )" +
           json::serialize(rows) + R"(, "expect": {"affected": 600}}, )" + last + "]}";
  };
  const std::string count =
      R"({"op": "select", "table": "queue", "aggregates": {"n": {"$count": "*"}}})";
  const auto answer = batch(with_list(0, count));
  EXPECT_EQ(answer.at("results").at(1).at("ids").as_array().size(), 600U);
  EXPECT_EQ(answer.at("results").at(2).at("rows").at(0).at("n"), 600);
  // Row 500 of the second list is there already.
  const auto refused = ask("db.batch.demo", with_list(-500, count));
  EXPECT_EQ(error_code(refused), "CONSTRAINT");
  EXPECT_EQ(refused.at("error").at("op"), 1);
  EXPECT_EQ(refusal("db.batch.demo", with_list(600, R"({"op": "kv.get"})")), "MISSING_FIELD");
  EXPECT_EQ(refusal("db.batch.demo",
                    with_list(600, R"({"op": "insert", "table": "queue", "values": [{}]})")),
            "CONSTRAINT");
  EXPECT_EQ(version(), "[2]");
  EXPECT_EQ(batch(with_list(600, count)).at("results").at(2).at("rows").at(0).at("n"), 1200);
  EXPECT_EQ(version(), "[3]");
}

TEST_P(storage_batch, every_kind_of_refusal_names_the_operation) {
  const auto refused_at = [this](const std::string& last) {
    const auto answer = ask("db.batch.demo",
                            R"({"ops": [{"op": "kv.set", "key": "k", "value": 1}, )" + last + "]}");
    EXPECT_EQ(answer.at("error").at("op"), 1) << last;
    return error_code(answer);
  };
  EXPECT_EQ(refused_at(R"({"op": "insert", "table": "nope", "values": {}})"), "UNKNOWN_TABLE");
  EXPECT_EQ(refused_at(R"({"op": "insert", "table": "queue", "values": {"nope": 1}})"),
            "UNKNOWN_COLUMN");
  EXPECT_EQ(refused_at(R"({"op": "delete", "table": "queue", "filter": {}})"), "VALIDATION_ERROR");
  EXPECT_EQ(refused_at(R"({"op": "drop", "table": "queue"})"), "VALIDATION_ERROR");
  EXPECT_EQ(refused_at(R"({"table": "queue"})"), "MISSING_FIELD");
  EXPECT_EQ(refused_at("5"), "VALIDATION_ERROR");
  EXPECT_EQ(refused_at(R"({"op": "kv.get", "key": "k", "expect": {}})"), "MISSING_FIELD");
  EXPECT_EQ(refused_at(R"({"op": "kv.get", "key": "k", "expect": {"affected": -1}})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(refused_at(R"({"op": "kv.set", "key": "k", "value": 2, "if_revision": 0})"),
            "CONFLICT");
  EXPECT_EQ(refused_at(R"({"op": "kv.set", "key": "k", "value": ")" +
                       std::string(db::max_value, 'x') + "\"}"),
            "VALUE_TOO_LARGE");
  EXPECT_FALSE(kv("get", R"({"key": "k"})").at("exists").as_bool());
}

TEST_P(storage_batch, expectations_of_every_operation) {
  const auto refused = [this](const std::string& op) {
    return refusal("db.batch.demo", R"({"ops": [)" + op + R"(, "expect": {"affected": 9}}]})");
  };
  EXPECT_EQ(
      refused(R"({"op": "insert", "table": "queue", "values": {"channel": "#a", "title": "x"})"),
      "CONFLICT");
  EXPECT_EQ(refused(R"({"op": "select", "table": "queue")"), "CONFLICT");
  EXPECT_EQ(refused(R"({"op": "delete", "table": "queue", "all": true)"), "CONFLICT");
  EXPECT_EQ(refused(R"({"op": "kv.get", "key": "k")"), "CONFLICT");
  EXPECT_EQ(refused(R"({"op": "kv.set", "key": "k", "value": 1)"), "CONFLICT");
  EXPECT_EQ(refused(R"({"op": "kv.delete", "key": "k")"), "CONFLICT");
  EXPECT_EQ(refused(R"({"op": "kv.list")"), "CONFLICT");
  EXPECT_EQ(titles(), "[]");
}

// Only what was found can be compared, and here not all of it was looked at.
TEST_P(storage_batch, an_expectation_of_what_does_not_fit_is_refused) {
  const std::string title(50'000, 'x');
  for (int i = 0; i < 12; ++i) {
    row("insert", R"({"table": "queue", "values": {"channel": "#a", "title": ")" + title +
                      std::to_string(i) + "\"}}");
    kv("set", R"({"key": "k)" + std::to_string(i) + R"(", "value": ")" + title + "\"}");
  }
  const auto fitted = row("select", R"({"table": "queue"})");
  ASSERT_TRUE(fitted.at("truncated").as_bool());
  const auto expecting = [](const std::string& op, std::int64_t count) {
    return R"({"ops": [{)" + op + R"(, "expect": {"affected": )" + std::to_string(count) + "}}]}";
  };
  const std::string select = R"("op": "select", "table": "queue")";
  const std::string list = R"("op": "kv.list")";
  for (const std::int64_t count : {fitted.at("count").as_int64(), std::int64_t{12}}) {
    EXPECT_EQ(refusal("db.batch.demo", expecting(select, count)), "VALUE_TOO_LARGE");
    EXPECT_EQ(refusal("db.batch.demo", expecting(list, count)), "VALUE_TOO_LARGE");
  }
  batch(expecting(select + R"(, "columns": ["id"])", 12));
  batch(expecting(list + R"(, "limit": 3)", 3));
}

TEST_P(storage_batch, batches_that_make_no_sense_are_refused) {
  EXPECT_EQ(refusal("db.batch.demo", "{}"), "MISSING_FIELD");
  EXPECT_EQ(refusal("db.batch.demo", R"({"ops": []})"), "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.batch.demo", R"({"ops": {}})"), "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.batch.demo", R"({"ops": [], "request_id": ""})"), "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.batch.demo", R"({"ops": [], "request_id": 5})"), "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.batch.demo",
                    guarded_add(1, "x", R"(, "request_id": ")" + std::string(257, 'x') + '"')),
            "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.batch.demo", guarded_add(1, "x",
                                                 R"(, "request_id": "r", "reply": ")" +
                                                     std::string(db::max_value, 'x') + '"')),
            "VALUE_TOO_LARGE");
  std::string many = R"({"ops": [{"op": "kv.get", "key": "k"})";
  for (int i = 0; i < 1000; ++i) many += R"(, {"op": "kv.get", "key": "k"})";
  EXPECT_EQ(refusal("db.batch.demo", many + "]}"), "VALIDATION_ERROR");
  EXPECT_EQ(titles(), "[]");
}

TEST_P(storage_batch, answers_share_the_limit_of_one_reply) {
  kv("set", R"({"key": "k", "value": ")" + std::string(60'000, 'x') + "\"}");
  std::string many = R"({"ops": [{"op": "kv.get", "key": "k"})";
  for (int i = 0; i < 9; ++i) many += R"(, {"op": "kv.get", "key": "k"})";
  EXPECT_EQ(refusal("db.batch.demo", many + "]}"), "VALUE_TOO_LARGE");
}

TEST_P(storage_batch, a_long_select_leaves_room_for_those_behind_it) {
  const std::string longest(60'000, 'x');
  for (int i = 0; i < 8; ++i) {
    row("insert", R"({"table": "queue", "values": {"channel": "#a", "title": ")" +
                      std::to_string(i) + longest + "\"}}");
  }
  // About what is left in a reply of 512 KiB: some of these rows just fit.
  for (int size = 42'500; size < 44'600; size += 30) {
    const auto last =
        row("insert", R"({"table": "queue", "values": {"channel": "#a", "title": "9)" +
                          std::string(static_cast<std::size_t>(size), 'x') + "\"}}");
    const auto answer = batch(R"({"ops": [{"op": "select", "table": "queue", "order": {"title": 1}},
                                          {"op": "select", "table": "channel"},
                                          {"op": "kv.get", "key": "none"}]})");
    EXPECT_EQ(answer.at("results").as_array().size(), 3U);
    row("delete", R"({"table": "queue", "filter": {"id": )" +
                      std::to_string(last.at("id").as_int64()) + "}}");
  }
}

TEST_P(storage_batch, a_replay_is_answered_however_deep_its_results_are) {
  kv("set", R"({"key": "deep", "value": )" + std::string(31, '[') + std::string(31, ']') + "}");
  const std::string request = R"({"ops": [{"op": "kv.set", "key": "w", "value": 1},
                                          {"op": "kv.get", "key": "deep"}], "request_id": "r"})";
  const auto first = batch(request);
  EXPECT_EQ(batch(request).at("results"), first.at("results"));
}

TEST_P(storage_batch, a_request_is_applied_once) {
  const std::string request =
      guarded_add(1, "x", R"(, "request_id": "r1", "reply": {"message": "Added"})");
  const auto first = batch(request);
  EXPECT_FALSE(first.at("replayed").as_bool());
  EXPECT_FALSE(first.contains("reply"));
  const auto again = batch(request);
  EXPECT_EQ(json::serialize(again),
            R"({"results":[{"affected":1,"upserted":false},{"created":1,"id":1}],)"
            R"("replayed":true,"reply":{"message":"Added"},"success":true})");
  EXPECT_EQ(again.at("results"), first.at("results"));
  EXPECT_EQ(titles(), R"(["x"])");
  reopen();
  EXPECT_TRUE(batch(request).at("replayed").as_bool());
  EXPECT_EQ(version(), "[2]");
}

TEST_P(storage_batch, a_request_id_belongs_to_its_plugin) {
  batch(R"({"ops": [{"op": "kv.set", "key": "k", "value": 1}], "request_id": "r"})");
  const auto other =
      successful("db.batch.other",
                 R"({"ops": [{"op": "kv.set", "key": "k", "value": 1}], "request_id": "r"})");
  EXPECT_FALSE(other.at("replayed").as_bool());
}

TEST_P(storage_batch, a_refused_request_is_not_recorded) {
  EXPECT_EQ(refusal("db.batch.demo", guarded_add(9, "x", R"(, "request_id": "r")")), "CONFLICT");
  EXPECT_FALSE(batch(guarded_add(1, "x", R"(, "request_id": "r")")).at("replayed").as_bool());
}

TEST_P(storage_batch, without_operations_it_is_a_look_up) {
  const std::string look_up = R"({"ops": [], "request_id": "r"})";
  EXPECT_FALSE(batch(look_up).at("replayed").as_bool());
  EXPECT_FALSE(batch(look_up).at("replayed").as_bool());
  batch(guarded_add(1, "x", R"(, "request_id": "r", "reply": 5)"));
  const auto seen = batch(look_up);
  EXPECT_TRUE(seen.at("replayed").as_bool());
  EXPECT_EQ(seen.at("reply"), 5);
  EXPECT_EQ(json::serialize(seen.at("results")),
            R"([{"affected":1,"upserted":false},{"created":1,"id":1}])");
}

// An answer without an effect: a refusal that stands.
TEST_P(storage_batch, without_operations_a_reply_is_kept_alone) {
  const auto first = batch(R"({"ops": [], "request_id": "r", "reply": "refused"})");
  EXPECT_FALSE(first.at("replayed").as_bool());
  EXPECT_EQ(json::serialize(batch(R"({"ops": [], "request_id": "r"})")),
            R"({"results":[],"replayed":true,"reply":"refused","success":true})");
  const auto other = batch(R"({"ops": [], "request_id": "r", "reply": "second"})");
  EXPECT_EQ(other.at("reply"), "refused");
  const auto late = batch(guarded_add(1, "x", R"(, "request_id": "r", "reply": "added")"));
  EXPECT_TRUE(late.at("replayed").as_bool());
  EXPECT_EQ(late.at("reply"), "refused");
  EXPECT_EQ(titles(), "[]");
}

// A client that decides anew before it tries again is told of what was applied.
TEST_P(storage_batch, the_id_alone_decides) {
  const auto first = batch(guarded_add(1, "x", R"(, "request_id": "r", "reply": "first")"));
  const auto again = batch(R"({"request_id": "r", "reply": "second", "ops": [
      {"op": "insert", "table": "queue", "values": {"channel": "#a", "title": "y"}}]})");
  EXPECT_TRUE(again.at("replayed").as_bool());
  EXPECT_EQ(again.at("reply"), "first");
  EXPECT_EQ(again.at("results"), first.at("results"));
  EXPECT_EQ(titles(), R"(["x"])");
}

TEST_P(storage_batch, results_that_are_too_long_are_not_kept) {
  kv("set", R"({"key": "k", "value": ")" + std::string(60'000, 'x') + "\"}");
  const std::string request = R"({"request_id": "r", "reply": "done", "ops": [
      {"op": "kv.get", "key": "k"}, {"op": "kv.get", "key": "k"}]})";
  EXPECT_EQ(batch(request).at("results").as_array().size(), 2U);
  EXPECT_EQ(json::serialize(batch(request)),
            R"({"results":[],"replayed":true,"reply":"done","success":true})");
}

TEST_P(storage_batch, a_database_of_before_results_were_kept_is_extended) {
  close();
  sql("ALTER TABLE rosey_request DROP COLUMN results");
  sql("INSERT INTO rosey_request (plugin, request_id, reply, created_at) "
      "VALUES ('demo', 'old', '\"done\"', 1700000000000)");
  open();
  EXPECT_EQ(json::serialize(batch(R"({"ops": [], "request_id": "old"})")),
            R"({"results":[],"replayed":true,"reply":"done","success":true})");
  const std::string request =
      R"({"request_id": "new", "ops": [{"op": "kv.set", "key": "k", "value": 1}]})";
  EXPECT_EQ(batch(request).at("results"), batch(request).at("results"));
}

TEST_P(storage_batch, of_equal_requests_at_once_one_is_applied) {
  constexpr int senders = 8;
  std::atomic<int> applied{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < senders; ++i) {
    threads.emplace_back([this, &applied] {
      const auto answer = send("db.batch.demo", R"({"request_id": "r", "reply": "done", "ops": [
              {"op": "insert", "table": "queue", "values": {"channel": "#a", "title": "once"}}]})")
                              .get();
      EXPECT_TRUE(answer.at("success").as_bool()) << json::serialize(answer);
      if (!answer.at("replayed").as_bool()) ++applied;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(applied, 1);
  EXPECT_EQ(titles(), R"(["once"])");
}

TEST_P(storage_batch, of_competing_changes_each_version_is_won_once) {
  constexpr int senders = 4;
  constexpr int each = 25;
  std::vector<std::thread> threads;
  for (int sender = 0; sender < senders; ++sender) {
    threads.emplace_back([this, sender] {
      for (int i = 0, known = 1; i < each;) {
        const std::string title = std::to_string(sender) + "-" + std::to_string(i);
        const auto answer = send("db.batch.demo", guarded_add(known, title)).get();
        const std::string code = error_code(answer);
        if (code == "none") ++i;
        if (code != "BUSY") ++known;  // after a conflict someone else was faster
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(version(), "[" + std::to_string(senders * each + 1) + "]");
  EXPECT_EQ(row("select", R"({"table": "queue", "limit": 1000})").at("count"), senders * each);
}

TEST_P(storage_batch, old_requests_are_forgotten) {
  const std::string request =
      R"({"ops": [{"op": "kv.set", "key": "k", "value": 1}], "request_id": "r"})";
  batch(request);
  clock_.advance(options_.request_age);
  kv("set", R"({"key": "x", "value": 1})");  // sweeps afterwards
  reopen();
  EXPECT_FALSE(batch(request).at("replayed").as_bool());
}

TEST_P(storage_batch, old_requests_are_forgotten_also_when_nobody_asks) {
  close();
  options_.sweep_interval = std::chrono::seconds(1);
  open();
  batch(R"({"ops": [{"op": "kv.set", "key": "k", "value": 1}], "request_id": "r"})");
  EXPECT_EQ(sql_value("SELECT COUNT(*) FROM rosey_request"), "1");
  clock_.advance(options_.request_age);
  while (sql_value("SELECT COUNT(*) FROM rosey_request") != "0") std::this_thread::yield();
}

ON_EVERY_BACKEND(storage_batch);

}  // namespace
}  // namespace rosey::storage
