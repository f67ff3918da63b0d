// Values of every kind through the service: what comes back is what was sent.
#include "contract/contract_test.hpp"

namespace rosey::storage {
namespace {

class storage_values : public contract_test {
 protected:
  storage_values() {
    sql(R"(CREATE TABLE demo_all ({id}, number BIGINT, amount DOUBLE PRECISION, name TEXT,
                                  flag BOOLEAN, moment TIMESTAMP, raw {bytes},
                                  made TIMESTAMP DEFAULT CURRENT_TIMESTAMP))");
  }

  // The value that comes back from the column.
  std::string round_trip(const std::string& column, const std::string& value) {
    const auto inserted =
        row("insert", R"({"table": "all", "values": {")" + column + R"(": )" + value + "}}");
    const auto id = inserted.at("id").as_int64();
    const auto answer = row("select", R"({"table": "all", "filter": {"id": )" + std::to_string(id) +
                                          R"(}, "columns": [")" + column + R"("]})");
    return json::serialize(answer.at("rows").at(0).at(column));
  }

  std::string refused(const std::string& column, const std::string& value) {
    const auto answer = ask("db.row.demo.insert",
                            R"({"table": "all", "values": {")" + column + R"(": )" + value + "}}");
    if (answer.at("success").as_bool()) return "accepted";
    EXPECT_NE(error_message(answer).find("'" + column + "'"), std::string::npos)
        << error_message(answer);
    return error_code(answer);
  }
};

TEST_P(storage_values, integers_keep_all_64_bits) {
  for (const char* value :
       {"0", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808", "null"}) {
    EXPECT_EQ(round_trip("number", value), value);
  }
}

TEST_P(storage_values, texts_are_any_unicode) {
  for (const char* value : {R"("")", R"("it's \"quoted\" ;-- \\")", R"("Zoë 🎬 音楽")",
                            R"("line\nbreak")", R"("123")", R"("null")"}) {
    EXPECT_EQ(round_trip("name", value), value);
  }
}

TEST_P(storage_values, reals_and_booleans_come_back_as_such) {
  EXPECT_EQ(round_trip("amount", "0.1"), "1E-1");
  EXPECT_EQ(round_trip("amount", "3"), "3E0");
  EXPECT_EQ(round_trip("flag", "true"), "true");
  EXPECT_EQ(round_trip("flag", "false"), "false");
  EXPECT_EQ(round_trip("flag", "null"), "null");
}

TEST_P(storage_values, timestamps_come_back_as_iso_8601) {
  EXPECT_EQ(round_trip("moment", R"("2024-05-01 12:00:00")"), R"("2024-05-01T12:00:00Z")");
  EXPECT_EQ(round_trip("moment", R"("2024-05-01T14:00:00.25+02:00")"),
            R"("2024-05-01T12:00:00.250Z")");
  EXPECT_EQ(round_trip("moment", "1700000000"), R"("2023-11-14T22:13:20Z")");
  EXPECT_EQ(round_trip("moment", "null"), "null");
  EXPECT_EQ(sql_value("SELECT moment FROM demo_all WHERE id = 1"), "2024-05-01 12:00:00");
}

TEST_P(storage_values, the_databases_own_timestamps_read_the_same) {
  row("insert", R"({"table": "all", "values": {}})");
  const auto answer = row("select", R"({"table": "all", "columns": ["made"]})");
  const std::string made(answer.at("rows").at(0).at("made").as_string());
  EXPECT_EQ(made[10], 'T');
  EXPECT_EQ(made.back(), 'Z');
}

TEST_P(storage_values, mistyped_values_are_refused_by_column) {
  EXPECT_EQ(refused("number", R"("5")"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("number", "5.0"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("number", "true"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("number", "9223372036854775808"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("amount", R"("x")"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("name", "5"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("name", R"("a\u0000b")"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("flag", "1"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("moment", R"("yesterday")"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("moment", "1700000000000"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("name", "[1]"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("raw", R"("x")"), "VALIDATION_ERROR");
  EXPECT_EQ(refused("name", '"' + std::string(db::max_value + 1, 'x') + '"'), "VALUE_TOO_LARGE");
}

TEST_P(storage_values, reals_are_finite_and_keep_all_digits) {
  EXPECT_EQ(round_trip("amount", "0.30000000000000004"), "3.0000000000000004E-1");
  EXPECT_EQ(round_trip("amount", "-1.7976931348623157E308"), "-1.7976931348623157E308");
  for (const char* value : {"1E400", "-1E400"}) {
    EXPECT_EQ(refusal("db.row.demo.insert",
                      R"({"table": "all", "values": {"amount": )" + std::string(value) + "}}"),
              "INVALID_JSON");
  }
  // Shortest forms, each of one double only.
  for (const char* value : {"1.0928588983213553E7", "1.2345678912345679E8",
                            "4.1124768973349897E-302", "5E-324", "2.2250738585072014E-308"}) {
    EXPECT_EQ(round_trip("amount", value), value);
  }
  row("insert", R"({"table": "all", "values": {"name": "large", "amount": 1E308}})");
  for (const char* change : {R"({"$mul": {"amount": 10}})", R"({"$inc": {"amount": 1E308}})"}) {
    EXPECT_EQ(refusal("db.row.demo.update", R"({"table": "all", "filter": {"name": "large"},
                      "update": )" + std::string(change) +
                                                "}"),
              "VALIDATION_ERROR");
  }
}

TEST_P(storage_values, texts_sort_by_their_bytes) {
  for (const char* name : {"b", "B", "a", "", "ä", "Ä", "z", "🎬", "_", "-"}) {
    row("insert", R"({"table": "all", "values": {"name": ")" + std::string(name) + "\"}}");
  }
  EXPECT_EQ(selected("name", R"({"table": "all", "order": {"name": 1}})"),
            R"(["","-","B","_","a","b","z","Ä","ä","🎬"])");
  EXPECT_EQ(selected("name", R"({"table": "all", "filter": {"name": {"$gt": "b", "$lte": "Ä"}},
                                 "columns": ["name"], "distinct": true, "order": {"name": -1}})"),
            R"(["Ä","z"])");
  const auto ends = row("select", R"({"table": "all", "aggregates": {"first": {"$min": "name"},
                        "last": {"$max": "name", "distinct": true}}, "order": {"last": 1}})");
  EXPECT_EQ(json::serialize(ends.at("rows")), R"([{"first":"","last":"🎬"}])");
  row("update", R"({"table": "all", "filter": {"name": "B"}, "update": {"$max": {"name": "a"}}})");
  row("update", R"({"table": "all", "filter": {"name": "z"}, "update": {"$min": {"name": "Z"}}})");
  EXPECT_EQ(selected("name", R"({"table": "all", "filter": {"name": {"$in": ["B", "z"]}}})"), "[]");
}

TEST_P(storage_values, only_ascii_letters_have_case) {
  for (const char* name : {"Zoë", "ZOË", "zoë", "straße"}) {
    row("insert", R"({"table": "all", "values": {"name": ")" + std::string(name) + "\"}}");
  }
  const auto like = [this](const std::string& filter) {
    return selected("name",
                    R"({"table": "all", "order": {"id": 1}, "filter": {"name": )" + filter + "}}");
  };
  EXPECT_EQ(like(R"({"$ilike": "zoë"})"), R"(["Zoë","zoë"])");
  EXPECT_EQ(like(R"({"$ilike": "ZO_"})"), R"(["Zoë","ZOË","zoë"])");
  EXPECT_EQ(like(R"({"$like": "Zo_"})"), R"(["Zoë"])");
  EXPECT_EQ(like(R"({"$ilike": "STRA_E"})"), R"(["straße"])");
  EXPECT_EQ(like(R"({"$ilike": "%\\%%"})"), "[]");
}

TEST_P(storage_values, aggregates_of_every_kind) {
  row("insert", R"({"table": "all", "values": [
      {"number": 9007199254740992, "amount": 0.5, "flag": true, "moment": 60},
      {"number": 2, "amount": 0.25, "flag": false, "moment": 0}]})");
  const auto answer = row("select", R"({"table": "all", "aggregates": {
      "sum": {"$sum": "number"}, "mean": {"$avg": "number"}, "reals": {"$sum": "amount"},
      "all": {"$min": "flag"}, "any": {"$max": "flag"}, "last": {"$max": "moment"}}})");
  EXPECT_EQ(json::serialize(answer.at("rows")),
            R"([{"sum":9007199254740994,"mean":4.503599627370497E15,"reals":7.5E-1,)"
            R"("all":false,"any":true,"last":"1970-01-01T00:01:00Z"}])");
  row("insert", R"({"table": "all", "values": {"number": 9223372036854775807}})");
  EXPECT_EQ(refusal("db.row.demo.select",
                    R"({"table": "all", "aggregates": {"sum": {"$sum": "number"}}})"),
            "VALIDATION_ERROR");
}

TEST_P(storage_values, aggregates_of_reals_stay_in_their_range) {
  row("insert", R"({"table": "all", "values": [{"amount": 1E308}, {"amount": 1E308}]})");
  for (const char* function : {"$sum", "$avg"}) {
    EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "all", "aggregates": {"x": {")" +
                                                std::string(function) + R"(": "amount"}}})"),
              "VALIDATION_ERROR");
  }
  const auto answer = row("select", R"({"table": "all", "aggregates": {
      "sum": {"$sum": "amount", "distinct": true}, "mean": {"$avg": "amount", "distinct": true}}})");
  EXPECT_EQ(json::serialize(answer.at("rows")), R"([{"sum":1E308,"mean":1E308}])");
  const auto none = row("select", R"({"table": "all", "filter": {"amount": 0}, "aggregates": {
      "sum": {"$sum": "amount"}, "mean": {"$avg": "amount"}}})");
  EXPECT_EQ(json::serialize(none.at("rows")), R"([{"sum":0E0,"mean":null}])");
}

TEST_P(storage_values, the_largest_text_is_accepted) {
  const std::string largest = '"' + std::string(db::max_value, 'x') + '"';
  EXPECT_EQ(round_trip("name", largest), largest);
}

TEST_P(storage_values, columns_of_unknown_types_are_left_out) {
  row("insert", R"({"table": "all", "values": {}})");
  const auto answer = row("select", R"({"table": "all"})");
  EXPECT_FALSE(answer.at("rows").at(0).as_object().contains("raw"));
}

ON_EVERY_BACKEND(storage_values);

}  // namespace
}  // namespace rosey::storage
