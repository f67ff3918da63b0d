// Selects: every filter, order, pages, columns, aggregates, and long answers.
#include "contract/contract_test.hpp"

namespace rosey::storage {
namespace {

class storage_select : public contract_test {
 protected:
  storage_select() {
    sql(R"(CREATE TABLE demo_song ({id}, title TEXT, artist TEXT, seconds BIGINT,
                                   played TIMESTAMP, loved BOOLEAN, score DOUBLE PRECISION);
           INSERT INTO demo_song VALUES
             (1, 'Alpha',   'Ann', 100,  '2024-01-01 00:00:00',     TRUE, 1.5),
             (2, 'beta',    'Bob', 200,  '2024-01-02 00:00:00',     FALSE, 2.5),
             (3, 'Gamma_1', 'Ann', 300,  '2024-01-02 00:00:00.500', TRUE, NULL),
             (4, '50% off', 'Bob', NULL, NULL,                      NULL, 4.0),
             (5, NULL,      'Cid', 100,  '2024-01-03 00:00:00',     FALSE, -1.0);)");
  }

  std::string ids(const std::string& filter) {
    return selected("id", R"({"table": "song", "filter": )" + filter + R"(, "order": {"id": 1}})");
  }
  std::string filter_error(const std::string& filter) {
    return refusal("db.row.demo.select", R"({"table": "song", "filter": )" + filter + "}");
  }
};

TEST_P(storage_select, equality_and_its_negation) {
  EXPECT_EQ(ids(R"({"artist": "Ann"})"), "[1,3]");
  EXPECT_EQ(ids(R"({"artist": {"$eq": "Ann"}})"), "[1,3]");
  EXPECT_EQ(ids(R"({"artist": "Ann", "seconds": 300})"), "[3]");
  EXPECT_EQ(ids(R"({"seconds": null})"), "[4]");
  EXPECT_EQ(ids(R"({"seconds": {"$eq": null}})"), "[4]");
  EXPECT_EQ(ids(R"({"seconds": {"$ne": null}})"), "[1,2,3,5]");
  EXPECT_EQ(ids(R"({"seconds": {"$ne": 100}})"), "[2,3,4]");
  EXPECT_EQ(ids(R"({"loved": true})"), "[1,3]");
  EXPECT_EQ(ids(R"({"score": 4})"), "[4]");
  EXPECT_EQ(ids("{}"), "[1,2,3,4,5]");
}

TEST_P(storage_select, comparisons) {
  EXPECT_EQ(ids(R"({"seconds": {"$gt": 100}})"), "[2,3]");
  EXPECT_EQ(ids(R"({"seconds": {"$gte": 200}})"), "[2,3]");
  EXPECT_EQ(ids(R"({"seconds": {"$lt": 200}})"), "[1,5]");
  EXPECT_EQ(ids(R"({"seconds": {"$lte": 200, "$gt": 100}})"), "[2]");
  EXPECT_EQ(ids(R"({"score": {"$lt": 0.5}})"), "[5]");
  EXPECT_EQ(ids(R"({"title": {"$gt": "B"}})"), "[2,3]");
}

TEST_P(storage_select, timestamps_compare_as_times) {
  EXPECT_EQ(ids(R"({"played": {"$gt": "2024-01-02T00:00:00Z"}})"), "[3,5]");
  EXPECT_EQ(ids(R"({"played": {"$gte": "2024-01-02T01:00:00+01:00"}})"), "[2,3,5]");
  EXPECT_EQ(ids(R"({"played": 1704067200})"), "[1]");
}

TEST_P(storage_select, lists) {
  EXPECT_EQ(ids(R"({"id": {"$in": [1, 4, 9]}})"), "[1,4]");
  EXPECT_EQ(ids(R"({"id": {"$in": []}})"), "[]");
  EXPECT_EQ(ids(R"({"seconds": {"$nin": [100, 200]}})"), "[3,4]");
  EXPECT_EQ(ids(R"({"seconds": {"$nin": []}})"), "[1,2,3,4,5]");
}

TEST_P(storage_select, patterns) {
  EXPECT_EQ(ids(R"({"title": {"$like": "%a"}})"), "[1,2]");
  EXPECT_EQ(ids(R"({"title": {"$like": "a%"}})"), "[]");
  EXPECT_EQ(ids(R"({"title": {"$ilike": "a%"}})"), "[1]");
  EXPECT_EQ(ids(R"({"title": {"$like": "b_ta"}})"), "[2]");
  EXPECT_EQ(ids(R"({"title": {"$like": "50\\%%"}})"), "[4]");
  EXPECT_EQ(ids(R"({"title": {"$ilike": "GAMMA\\_1"}})"), "[3]");
  EXPECT_EQ(ids(R"({"title": {"$like": "*"}})"), "[]");
  EXPECT_EQ(ids(R"({"title": {"$like": "[A]lpha"}})"), "[]");
}

TEST_P(storage_select, presence) {
  EXPECT_EQ(ids(R"({"title": {"$exists": false}})"), "[5]");
  EXPECT_EQ(ids(R"({"title": {"$null": true}})"), "[5]");
  EXPECT_EQ(ids(R"({"title": {"$exists": true}})"), "[1,2,3,4]");
  EXPECT_EQ(ids(R"({"title": {"$null": false}})"), "[1,2,3,4]");
}

TEST_P(storage_select, junctions_nest) {
  EXPECT_EQ(ids(R"({"$or": [{"artist": "Cid"}, {"seconds": 300}]})"), "[3,5]");
  EXPECT_EQ(ids(R"({"$and": [{"artist": "Ann"}, {"loved": true}, {"seconds": 100}]})"), "[1]");
  EXPECT_EQ(ids(R"({"artist": "Ann", "$or": [{"id": 1}, {"id": 2}]})"), "[1]");
  EXPECT_EQ(ids(R"({"$or": [{"id": 2, "artist": "Bob"}, {"$not": {"id": {"$lt": 5}}}]})"), "[2,5]");
}

TEST_P(storage_select, a_negation_holds_for_missing_values_too) {
  EXPECT_EQ(ids(R"({"$not": {"seconds": 100}})"), "[2,3,4]");
  EXPECT_EQ(ids(R"({"$not": {"$not": {"seconds": 100}}})"), "[1,5]");
}

TEST_P(storage_select, filters_that_make_no_sense_are_refused) {
  for (const char* filter :
       {R"({"id": {"$foo": 1}})", R"({"$nor": [{"id": 1}]})", R"({"id": {}})", R"({"id": [1]})",
        R"({"$or": []})", R"({"$and": [{}]})", R"({"$and": {"id": 1}})", R"({"$not": {}})",
        R"({"$not": [{"id": 1}]})", R"({"id": {"$in": 1}})", R"({"id": {"$in": [null]}})",
        R"({"id": {"$in": ["x"]}})", R"({"id": {"$gt": null}})", R"({"id": {"$like": "x"}})",
        R"({"title": {"$like": 5}})", R"({"title": {"$like": "x\\"}})",
        R"({"title": {"$exists": 1}})", R"({"id": "1"})", R"({"loved": {"$eq": 1}})"}) {
    EXPECT_EQ(filter_error(filter), "VALIDATION_ERROR") << filter;
  }
  EXPECT_EQ(filter_error(R"({"nope": 1})"), "UNKNOWN_COLUMN");
  EXPECT_EQ(filter_error(R"({"$or": [{"id": 1}, {"nope": 1}]})"), "UNKNOWN_COLUMN");
}

TEST_P(storage_select, orders_by_several_columns_as_written) {
  EXPECT_EQ(selected("id", R"({"table": "song", "order": {"artist": 1, "id": -1}})"),
            "[3,1,4,2,5]");
  EXPECT_EQ(selected("id", R"({"table": "song", "order": {"id": -1, "artist": 1}})"),
            "[5,4,3,2,1]");
  EXPECT_EQ(selected("id", R"({"table": "song", "order": {"seconds": 1, "id": 1}})"),
            "[4,1,5,2,3]");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "song", "order": {"id": 2}})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "song", "order": {"nope": 1}})"),
            "UNKNOWN_COLUMN");
}

TEST_P(storage_select, pages) {
  EXPECT_EQ(selected("id", R"({"table": "song", "order": {"id": 1}, "limit": 2})"), "[1,2]");
  EXPECT_EQ(selected("id", R"({"table": "song", "order": {"id": 1}, "limit": 2, "offset": 3})"),
            "[4,5]");
  EXPECT_EQ(selected("id", R"({"table": "song", "order": {"id": 1}, "offset": 4})"), "[5]");
  EXPECT_EQ(selected("id", R"({"table": "song", "limit": 0})"), "[]");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "song", "limit": -1})"), "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "song", "limit": "5"})"),
            "VALIDATION_ERROR");
}

TEST_P(storage_select, answers_with_the_columns_asked_for) {
  const auto answer =
      row("select", R"({"table": "song", "filter": {"id": 1}, "columns": ["title", "seconds"]})");
  EXPECT_EQ(json::serialize(answer.at("rows")), R"([{"title":"Alpha","seconds":100}])");
  EXPECT_EQ(answer.at("count").as_int64(), 1);
  EXPECT_FALSE(answer.at("truncated").as_bool());
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "song", "columns": ["nope"]})"),
            "UNKNOWN_COLUMN");
}

TEST_P(storage_select, distinct_merges_equal_rows) {
  EXPECT_EQ(selected("artist", R"({"table": "song", "columns": ["artist"], "distinct": true,
                                   "order": {"artist": -1}})"),
            R"(["Cid","Bob","Ann"])");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "song", "columns": ["artist"],
                                              "distinct": true, "order": {"id": 1}})"),
            "VALIDATION_ERROR");
}

TEST_P(storage_select, aggregates_over_all_rows) {
  const auto answer = row("select", R"({"table": "song", "aggregates": {
      "songs": {"$count": "*"}, "timed": {"$count": "seconds"},
      "artists": {"$count": "artist", "distinct": true}, "total": {"$sum": "seconds"},
      "mean": {"$avg": "seconds"}, "first": {"$min": "played"}, "last": {"$max": "played"}}})");
  EXPECT_EQ(json::serialize(answer.at("rows")),
            R"([{"songs":5,"timed":4,"artists":3,"total":700,"mean":1.75E2,)"
            R"("first":"2024-01-01T00:00:00Z","last":"2024-01-03T00:00:00Z"}])");
}

TEST_P(storage_select, aggregates_of_nothing) {
  const auto answer = row("select", R"({"table": "song", "filter": {"id": 99}, "aggregates": {
      "n": {"$count": "*"}, "sum": {"$sum": "seconds"}, "max": {"$max": "seconds"}}})");
  EXPECT_EQ(json::serialize(answer.at("rows")), R"([{"n":0,"sum":0,"max":null}])");
}

TEST_P(storage_select, aggregates_group_by_the_columns) {
  const auto answer = row("select", R"({"table": "song", "columns": ["artist"],
      "aggregates": {"n": {"$count": "*"}}, "order": {"n": -1, "artist": 1}, "limit": 2})");
  EXPECT_EQ(json::serialize(answer.at("rows")),
            R"([{"artist":"Ann","n":2},{"artist":"Bob","n":2}])");
}

TEST_P(storage_select, a_column_that_is_named_twice_counts_once) {
  const auto answer = row("select", R"({"table": "song", "columns": ["artist", "artist"],
      "aggregates": {"n": {"$count": "*"}}, "order": {"artist": 1}, "limit": 1})");
  EXPECT_EQ(json::serialize(answer.at("rows")), R"([{"artist":"Ann","n":2}])");
}

TEST_P(storage_select, aggregates_that_make_no_sense_are_refused) {
  for (const char* aggregates :
       {R"({"n": {"$median": "seconds"}})", R"({"n": {"$sum": "title"}})", R"({"n": {}})",
        R"({"n": "seconds"})", R"({"n": {"$sum": "seconds", "$max": "seconds"}})",
        R"({"a b": {"$count": "*"}})", R"({"": {"$count": "*"}})",
        R"({"n\" FROM x --": {"$count": "*"}})"}) {
    EXPECT_EQ(refusal("db.row.demo.select",
                      std::string(R"({"table": "song", "aggregates": )") + aggregates + "}"),
              "VALIDATION_ERROR")
        << aggregates;
  }
  EXPECT_EQ(
      refusal("db.row.demo.select", R"({"table": "song", "aggregates": {"n": {"$sum": "nope"}}})"),
      "UNKNOWN_COLUMN");
}

TEST_P(storage_select, aggregates_have_other_names_than_columns_whatever_their_case) {
  EXPECT_EQ(refusal("db.row.demo.select",
                    R"({"table": "song", "columns": ["artist"],
                        "aggregates": {"ARTIST": {"$count": "*"}}, "order": {"ARTIST": -1}})"),
            "VALIDATION_ERROR");
}

TEST_P(storage_select, a_long_answer_is_truncated_and_paged) {
  const std::string title(30'000, 'x');
  for (int id = 10; id <= 40; ++id) {
    row("insert", R"({"table": "song", "values": {"id": )" + std::to_string(id) +
                      R"(, "title": ")" + title + "\"}}");
  }
  std::size_t rows = 0;
  int pages = 0;
  for (bool more = true; more; ++pages) {
    auto future = send("db.row.demo.select", R"({"table": "song", "order": {"id": 1}, "offset": )" +
                                                 std::to_string(rows) + "}");
    const auto answer = future.get();
    EXPECT_LT(json::serialize(answer).size(), db::max_reply + 256);
    rows += answer.at("rows").as_array().size();
    more = answer.at("truncated").as_bool();
  }
  EXPECT_EQ(rows, 36U);
  EXPECT_EQ(pages, 2);
}

TEST_P(storage_select, a_row_that_fits_no_answer_is_said_so) {
  std::string columns;
  std::string values;
  for (char name = 'a'; name <= 'i'; ++name) {
    columns += std::string(columns.empty() ? "" : ", ") + name + " TEXT";
    values += std::string(values.empty() ? "\"" : ", \"") + name + R"(": ")" +
              std::string(60'000, 'x') + '"';
  }
  sql("CREATE TABLE demo_wide (" + columns + ")");
  row("insert", R"({"table": "wide", "values": {)" + values + "}}");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "wide"})"), "VALUE_TOO_LARGE");
  EXPECT_EQ(row("select", R"({"table": "wide", "columns": ["a", "b"]})").at("count"), 1);
}

// Only the result has to be in range, whatever lies between.
TEST_P(storage_select, sums_and_means_are_exact) {
  sql("CREATE TABLE demo_number ({id}, whole BIGINT, large BIGINT, fraction DOUBLE PRECISION);"
      "INSERT INTO demo_number VALUES (1, 9223372036854775807, 9007199254741093, 1e200),"
      "(2, 1, 9007199254741093, 3e200), (3, -1, 9007199254741093, 2e200)");
  const auto answer = row("select", R"({"table": "number", "aggregates": {
      "sum": {"$sum": "whole"}, "mean": {"$avg": "large"}, "fraction": {"$avg": "fraction"}}})");
  const auto& found = answer.at("rows").at(0);
  EXPECT_EQ(found.at("sum"), 9223372036854775807);
  EXPECT_EQ(found.at("mean"), 9007199254741092.0) << "the real next to it";
  EXPECT_EQ(found.at("fraction"), 2e200);
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "number", "filter": {"id": {"$lt": 3}},
                    "aggregates": {"sum": {"$sum": "whole"}}})"),
            "VALIDATION_ERROR");
}

ON_EVERY_BACKEND(storage_select);

}  // namespace
}  // namespace rosey::storage
