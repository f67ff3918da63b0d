// Inserts, updates and deletes, and what each refuses.
#include "contract/contract_test.hpp"

namespace rosey::storage {
namespace {

class storage_change : public contract_test {
 protected:
  storage_change() {
    sql(R"(CREATE TABLE demo_stats ({id}, "user" TEXT NOT NULL UNIQUE,
                                    plays BIGINT DEFAULT 0, "time" BIGINT, rating DOUBLE PRECISION,
                                    seen TIMESTAMP, banned BOOLEAN DEFAULT FALSE);
           CREATE TABLE demo_word (word TEXT PRIMARY KEY, n BIGINT CHECK (n < 10));)");
  }

  std::string stats(const std::string& user, const std::string& column) {
    return selected(column, R"({"table": "stats", "filter": {"user": ")" + user + R"("}})");
  }
  // Users "user<first>" to "user<last>".
  static std::string users(int first, int last) {
    json::array rows;
    for (int i = first; i <= last; ++i) {
      rows.push_back(json::object{{"user", "user" + std::to_string(i)}});
    }
    return json::serialize(rows);
  }
  json::object update(const std::string& change, const std::string& filter = R"({"user": "ann"})",
                      bool upsert = false) {
    return row("update", R"({"table": "stats", "filter": )" + filter + R"(, "update": )" + change +
                             R"(, "upsert": )" + (upsert ? "true" : "false") + "}");
  }
  std::string update_error(const std::string& change, const std::string& rest = "") {
    return refusal("db.row.demo.update", R"({"table": "stats", "filter": {"user": "ann"}, )" +
                                             std::string(R"("update": )") + change + rest + "}");
  }
};

TEST_P(storage_change, inserts_one_and_tells_its_id) {
  const auto first = row("insert", R"({"table": "stats", "values": {"user": "ann"}})");
  const auto second = row("insert", R"({"table": "stats", "values": {"user": "bob", "id": 77}})");
  EXPECT_EQ(json::serialize(first), R"({"created":1,"id":1,"success":true})");
  EXPECT_EQ(second.at("id").as_int64(), 77);
}

TEST_P(storage_change, a_null_id_asks_for_the_next_one) {
  row("insert", R"({"table": "stats", "values": {"user": "ann"}})");
  const auto second = row("insert", R"({"table": "stats", "values": {"id": null, "user": "bob"}})");
  EXPECT_EQ(second.at("id").as_int64(), 2);
}

TEST_P(storage_change, inserts_many) {
  const auto answer = row("insert", R"({"table": "stats", "values": [
      {"user": "ann"}, {"plays": 3, "user": "bob"}, {"user": "cid"}]})");
  EXPECT_EQ(json::serialize(answer), R"({"created":3,"ids":[1,2,3],"success":true})");
  EXPECT_EQ(json::serialize(row("insert", R"({"table": "stats", "values": []})")),
            R"({"created":0,"ids":[],"success":true})");
}

TEST_P(storage_change, a_long_list_gets_its_ids_in_order) {
  const auto answer = row("insert", R"({"table": "stats", "values": )" + users(1, 1000) + "}");
  EXPECT_EQ(answer.at("created").as_int64(), 1000);
  const json::array& ids = answer.at("ids").as_array();
  ASSERT_EQ(ids.size(), 1000U);
  const auto stored = row("select", R"({"table": "stats", "order": {"id": 1}, "limit": 1000})");
  const json::array& rows = stored.at("rows").as_array();
  ASSERT_EQ(rows.size(), 1000U);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(ids[i].as_int64(), static_cast<std::int64_t>(i + 1));
    EXPECT_EQ(rows[i].at("id"), ids[i]);
    EXPECT_EQ(rows[i].at("user").as_string(), "user" + std::to_string(i + 1));
  }
}

// More of them than a connection keeps prepared, and each comes back when it may be forgotten.
TEST_P(storage_change, a_list_may_name_other_columns_in_each_row) {
  sql(R"(CREATE TABLE demo_wide ({id}, c0 BIGINT, c1 BIGINT, c2 BIGINT, c3 BIGINT, c4 BIGINT,
                                 c5 BIGINT, c6 BIGINT, c7 BIGINT, subset BIGINT))");
  json::array rows;
  for (int i = 0; i < 600; ++i) {
    const int subset = i % 200;
    json::object values{{"subset", subset}};
    for (int column = 0; column < 8; ++column) {
      if (subset >> column & 1) values["c" + std::to_string(column)] = i;
    }
    rows.push_back(values);
    if (i % 7 == 0) rows.push_back(values);  // alike, one behind the other
  }
  const auto answer =
      row("insert", R"({"table": "wide", "values": )" + json::serialize(rows) + "}");
  EXPECT_EQ(answer.at("created"), rows.size());
  const auto stored = row("select", R"({"table": "wide", "order": {"id": 1}, "limit": 1000})");
  ASSERT_EQ(stored.at("count"), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    json::object expected{{"id", i + 1}};
    for (int column = 0; column < 8; ++column) expected["c" + std::to_string(column)] = nullptr;
    for (const auto& [name, value] : rows[i].as_object()) expected[name] = value;
    EXPECT_EQ(stored.at("rows").at(i), expected);
  }
}

TEST_P(storage_change, a_table_without_a_numeric_key_has_no_ids) {
  const auto answer = row("insert", R"({"table": "word", "values": {"word": "a"}})");
  EXPECT_TRUE(answer.at("id").is_null());
}

TEST_P(storage_change, of_many_rows_none_remains_when_one_is_refused) {
  const auto answer = ask("db.row.demo.insert", R"({"table": "stats", "values": [
      {"user": "ann"}, {"user": "bob"}, {"user": "ann"}]})");
  EXPECT_EQ(error_code(answer), "CONSTRAINT");
  EXPECT_NE(error_message(answer).find("demo_stats"), std::string::npos);
  EXPECT_EQ(selected("id", R"({"table": "stats"})"), "[]");
}

TEST_P(storage_change, of_a_long_list_the_first_row_that_is_refused_is_told) {
  row("insert", R"({"table": "stats", "values": {"user": "user700"}})");
  json::array list = json::parse(users(1, 1000)).as_array();
  list[700] = json::object{{"plays", 1}};  // without a user: the next one would be refused as well
  const auto refused =
      ask("db.row.demo.insert", R"({"table": "stats", "values": )" + json::serialize(list) + "}");
  const auto alone =
      ask("db.row.demo.insert", R"({"table": "stats", "values": {"user": "user700"}})");
  EXPECT_EQ(error_code(refused), "CONSTRAINT");
  EXPECT_EQ(error_message(refused), error_message(alone));
  EXPECT_EQ(selected("user", R"({"table": "stats"})"), R"(["user700"])");
  const auto next = row("insert", R"({"table": "stats", "values": )" + users(701, 1300) + "}");
  EXPECT_EQ(next.at("created").as_int64(), 600);
  EXPECT_EQ(row("select", R"({"table": "stats", "limit": 1000})").at("count").as_int64(), 601);
}

TEST_P(storage_change, rules_of_the_schema_are_constraints) {
  EXPECT_EQ(refusal("db.row.demo.insert", R"({"table": "stats", "values": {"plays": 1}})"),
            "CONSTRAINT");
  EXPECT_EQ(refusal("db.row.demo.insert", R"({"table": "word", "values": {"word": "a", "n": 10}})"),
            "CONSTRAINT");
}

TEST_P(storage_change, inserts_that_make_no_sense_are_refused) {
  EXPECT_EQ(refusal("db.row.demo.insert", R"({"table": "stats", "values": 5})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.row.demo.insert", R"({"table": "stats", "values": [5]})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.row.demo.insert", R"({"table": "stats"})"), "MISSING_FIELD");
  EXPECT_EQ(refusal("db.row.demo.insert", R"({"values": {}})"), "MISSING_FIELD");
  EXPECT_EQ(refusal("db.row.demo.insert", R"({"table": "stats", "values": {"nope": 1}})"),
            "UNKNOWN_COLUMN");
  EXPECT_EQ(refusal("db.row.demo.insert", R"({"table": "nope", "values": {}})"), "UNKNOWN_TABLE");
}

TEST_P(storage_change, update_operators) {
  row("insert", R"({"table": "stats", "values": {"user": "ann", "plays": 5, "rating": 2.5}})");
  EXPECT_EQ(update(R"({"$inc": {"plays": 2}, "$set": {"seen": 0}})").at("affected"), 1);
  EXPECT_EQ(stats("ann", "plays"), "[7]");
  EXPECT_EQ(stats("ann", "seen"), R"(["1970-01-01T00:00:00Z"])");
  update(R"({"$mul": {"plays": 3, "rating": 2}})");
  EXPECT_EQ(stats("ann", "plays"), "[21]");
  EXPECT_EQ(stats("ann", "rating"), "[5E0]");
  update(R"({"$max": {"plays": 20}, "$min": {"rating": 1}})");
  EXPECT_EQ(stats("ann", "plays"), "[21]");
  EXPECT_EQ(stats("ann", "rating"), "[1E0]");
  update(R"({"$max": {"plays": 22, "seen": "2024-01-01T00:00:00Z"}, "$inc": {"rating": -0.5}})");
  EXPECT_EQ(stats("ann", "plays"), "[22]");
  EXPECT_EQ(stats("ann", "rating"), "[5E-1]");
  EXPECT_EQ(stats("ann", "seen"), R"(["2024-01-01T00:00:00Z"])");
  update(R"({"$set": {"plays": null, "banned": true}})");
  EXPECT_EQ(stats("ann", "plays"), "[null]");
  EXPECT_EQ(stats("ann", "banned"), "[true]");
}

TEST_P(storage_change, a_missing_value_counts_as_nothing) {
  row("insert", R"({"table": "stats", "values": [{"user": "ann"}, {"user": "bob"}]})");
  update(R"({"$inc": {"time": 5}, "$max": {"rating": -3}})");
  update(R"({"$mul": {"time": 5}, "$min": {"rating": 7}})", R"({"user": "bob"})");
  EXPECT_EQ(stats("ann", "time"), "[5]");
  EXPECT_EQ(stats("ann", "rating"), "[-3E0]");
  EXPECT_EQ(stats("bob", "time"), "[0]");
  EXPECT_EQ(stats("bob", "rating"), "[7E0]");
}

TEST_P(storage_change, update_tells_how_many_rows_matched) {
  row("insert", R"({"table": "stats", "values": [{"user": "ann"}, {"user": "bob"}]})");
  EXPECT_EQ(update(R"({"$set": {"plays": 1}})", R"({"user": {"$lt": "c"}})").at("affected"), 2);
  const auto none = update(R"({"$set": {"plays": 1}})", R"({"user": "eve"})");
  EXPECT_EQ(json::serialize(none), R"({"affected":0,"upserted":false,"success":true})");
}

TEST_P(storage_change, upsert_inserts_equalities_and_changes) {
  const auto first =
      update(R"({"$inc": {"plays": 1, "time": 30}, "$mul": {"rating": 4}, "$max": {"seen": 60}})",
             R"({"user": {"$eq": "ann"}, "banned": false})", true);
  EXPECT_EQ(json::serialize(first), R"({"affected":1,"upserted":true,"success":true})");
  const auto answer = row("select", R"({"table": "stats"})");
  EXPECT_EQ(json::serialize(answer.at("rows")),
            R"([{"id":1,"user":"ann","plays":1,"time":30,"rating":0E0,)"
            R"("seen":"1970-01-01T00:01:00Z","banned":false}])");
  const auto second = update(R"({"$inc": {"plays": 1}})", R"({"user": "ann"})", true);
  EXPECT_EQ(json::serialize(second), R"({"affected":1,"upserted":false,"success":true})");
  EXPECT_EQ(stats("ann", "plays"), "[2]");
}

TEST_P(storage_change, an_upsert_may_set_a_column_of_its_filter) {
  update(R"({"$set": {"plays": 8}})", R"({"user": "ann", "plays": 7})", true);
  EXPECT_EQ(stats("ann", "plays"), "[8]");
  EXPECT_EQ(refusal("db.row.demo.update", R"({"table": "stats", "filter": {"plays": 7},
                    "update": {"$inc": {"plays": 1}}, "upsert": true})"),
            "VALIDATION_ERROR");
}

TEST_P(storage_change, arithmetic_never_leaves_64_bits) {
  row("insert", R"({"table": "stats", "values": {"user": "ann", "time": 9223372036854775806}})");
  update(R"({"$inc": {"time": 1}})");
  EXPECT_EQ(stats("ann", "time"), "[9223372036854775807]");
  EXPECT_EQ(update_error(R"({"$inc": {"time": 1}})"), "VALIDATION_ERROR");
  EXPECT_EQ(update_error(R"({"$mul": {"time": 2}})"), "VALIDATION_ERROR");
  EXPECT_EQ(stats("ann", "time"), "[9223372036854775807]");
}

TEST_P(storage_change, updates_that_make_no_sense_are_refused) {
  for (const char* change :
       {"{}", R"({"$set": {}})", R"({"$set": 5})", R"({"$push": {"plays": 1}})", R"({"plays": 1})",
        R"({"$inc": {"user": "x"}})", R"({"$inc": {"plays": "1"}})", R"({"$inc": {"plays": 1.5}})",
        R"({"$inc": {"plays": null}})", R"({"$inc": {"seen": 1}})", R"({"$max": {"banned": true}})",
        R"({"$max": {"plays": null}})", R"({"$set": {"plays": 1}, "$inc": {"plays": 1}})",
        R"({"$set": {"banned": 1}})"}) {
    EXPECT_EQ(update_error(change), "VALIDATION_ERROR") << change;
  }
  EXPECT_EQ(update_error(R"({"$set": {"nope": 1}})"), "UNKNOWN_COLUMN");
  EXPECT_EQ(update_error(R"({"$set": {"plays": 1}})", R"(, "upsert": 1)"), "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.row.demo.update", R"({"table": "stats", "filter": {}})"), "MISSING_FIELD");
  EXPECT_EQ(
      refusal("db.row.demo.update", R"({"table": "stats", "update": {"$set": {"plays": 1}}})"),
      "MISSING_FIELD");
}

TEST_P(storage_change, deletes_what_matches) {
  row("insert", R"({"table": "stats", "values": [{"user": "a"}, {"user": "b"}, {"user": "c"}]})");
  EXPECT_EQ(row("delete", R"({"table": "stats", "filter": {"user": {"$in": ["a", "c", "z"]}}})")
                .at("deleted"),
            2);
  EXPECT_EQ(selected("user", R"({"table": "stats"})"), R"(["b"])");
}

TEST_P(storage_change, deletes_everything_only_when_told_so) {
  row("insert", R"({"table": "stats", "values": [{"user": "a"}, {"user": "b"}]})");
  EXPECT_EQ(refusal("db.row.demo.delete", R"({"table": "stats", "filter": {}})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.row.demo.delete", R"({"table": "stats"})"), "MISSING_FIELD");
  EXPECT_EQ(refusal("db.row.demo.delete", R"({"table": "stats", "filter": {}, "all": "yes"})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(row("delete", R"({"table": "stats", "all": true})").at("deleted"), 2);
}

TEST_P(storage_change, updates_everything_only_when_told_so) {
  row("insert", R"({"table": "stats", "values": [{"user": "a"}, {"user": "b"}]})");
  const std::string change = R"({"table": "stats", "update": {"$set": {"plays": 9}})";
  EXPECT_EQ(refusal("db.row.demo.update", change + R"(, "filter": {}})"), "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.row.demo.update", change + R"(, "filter": {}, "upsert": true})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.row.demo.update", change + "}"), "MISSING_FIELD");
  EXPECT_EQ(stats("a", "plays"), "[0]");
  EXPECT_EQ(row("update", change + R"(, "filter": {}, "all": true})").at("affected"), 2);
  EXPECT_EQ(stats("b", "plays"), "[9]");
}

// By every connection, also those that have read the table before.
TEST_P(storage_change, new_names_are_seen_at_once) {
  sql("CREATE TABLE demo_name ({id}, first TEXT, second BIGINT)");
  row("insert", R"({"table": "name", "values": {"first": "x", "second": 2}})");
  const auto all_answer = [this](const std::string& subject, const std::string& payload) {
    std::vector<std::future<json::object>> answers;
    for (int i = 0; i < 20; ++i) answers.push_back(send(subject, payload));
    for (auto& each : answers) {
      const auto answer = each.get();
      EXPECT_EQ(error_code(answer), "none") << json::serialize(answer);
    }
  };
  const std::string old_update =
      R"({"table": "name", "filter": {"first": "y"}, "update": {"$set": {"second": 3}}})";
  all_answer("db.row.demo.select", R"({"table": "name", "columns": ["first", "second"]})");
  all_answer("db.row.demo.update", old_update);
  sql("ALTER TABLE demo_name RENAME COLUMN first TO third");
  all_answer("db.row.demo.select", R"({"table": "name", "columns": ["third", "second"]})");
  all_answer("db.row.demo.update",
             R"({"table": "name", "filter": {"third": "y"}, "update": {"$set": {"second": 3}}})");
  EXPECT_EQ(json::serialize(row("select", R"({"table": "name"})").at("rows")),
            R"([{"id":1,"third":"x","second":2}])");
  EXPECT_EQ(refusal("db.row.demo.update", old_update), "UNKNOWN_COLUMN");
  sql("ALTER TABLE demo_name RENAME TO demo_other");
  all_answer("db.row.demo.select", R"({"table": "other", "columns": ["third"]})");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "name"})"), "UNKNOWN_TABLE");
}

TEST_P(storage_change, new_tables_and_columns_are_seen_at_once) {
  EXPECT_EQ(refusal("db.row.demo.insert", R"({"table": "late", "values": {}})"), "UNKNOWN_TABLE");
  sql("CREATE TABLE demo_late ({id})");
  row("insert", R"({"table": "late", "values": {}})");
  sql("ALTER TABLE demo_late ADD COLUMN more TEXT");
  row("update", R"({"table": "late", "all": true, "update": {"$set": {"more": "x"}}})");
  EXPECT_EQ(selected("more", R"({"table": "late"})"), R"(["x"])");
  sql("DROP TABLE demo_late");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "late"})"), "UNKNOWN_TABLE");
}

ON_EVERY_BACKEND(storage_change);

}  // namespace
}  // namespace rosey::storage
