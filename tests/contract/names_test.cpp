// Names in requests: nothing that a plugin writes becomes SQL, and no plugin reaches another's
// rows.
#include "contract/contract_test.hpp"
#include "host_stub/plugin_id.hpp"
#include "host_stub/storage/schema.hpp"

namespace rosey::storage {
namespace {

class storage_names : public contract_test {
 protected:
  storage_names() {
    sql(R"(CREATE TABLE demo_note ({id}, body TEXT);
           INSERT INTO demo_note (body) VALUES ('kept');
           CREATE TABLE other_secret ({id}, body TEXT);
           CREATE TABLE "my-plugin_note" ({id}, "odd "" name" TEXT);
           CREATE VIEW demo_view AS SELECT * FROM other_secret;)");
  }

  void expect_unharmed() {
    EXPECT_EQ(sql_value("SELECT body FROM demo_note"), "kept");
    EXPECT_EQ(sql_value("SELECT COUNT(*) FROM demo_note"), "1");
  }
};

const char* const hostile[] = {R"(note\"; DROP TABLE demo_note; --)",
                               "note; DROP TABLE demo_note",
                               "note--",
                               "note' OR '1'='1",
                               "note\\\" WHERE 1=1 --",
                               "id\\\" = 1; DELETE FROM demo_note; --",
                               "rowid",
                               "*",
                               " ",
                               "ID",
                               "Id",
                               "body COLLATE NOCASE",
                               "1",
                               "(SELECT 1)",
                               "note\\u0000",
                               "sqlite_master",
                               "main.demo_note"};

TEST_P(storage_names, hostile_table_names_are_unknown) {
  for (const std::string name : hostile) {
    const std::string table = R"({"table": ")" + name + R"(", )";
    EXPECT_EQ(refusal("db.row.demo.select", table + R"("filter": {}})"), "UNKNOWN_TABLE") << name;
    EXPECT_EQ(refusal("db.row.demo.insert", table + R"("values": {}})"), "UNKNOWN_TABLE") << name;
    EXPECT_EQ(refusal("db.row.demo.delete", table + R"("all": true})"), "UNKNOWN_TABLE") << name;
    EXPECT_EQ(refusal("db.row.demo.update",
                      table + R"("filter": {}, "update": {"$set": {"body": "x"}}})"),
              "UNKNOWN_TABLE")
        << name;
  }
  expect_unharmed();
}

TEST_P(storage_names, hostile_column_names_are_unknown) {
  for (const std::string name : hostile) {
    const std::string quoted = '"' + name + '"';
    const std::string note = R"({"table": "note", )";
    EXPECT_EQ(refusal("db.row.demo.select", note + R"("filter": {)" + quoted + ": 1}}"),
              "UNKNOWN_COLUMN");
    EXPECT_EQ(refusal("db.row.demo.select", note + R"("order": {)" + quoted + ": 1}}"),
              "UNKNOWN_COLUMN");
    EXPECT_EQ(refusal("db.row.demo.select", note + R"("columns": [)" + quoted + "]}"),
              "UNKNOWN_COLUMN");
    EXPECT_EQ(
        refusal("db.row.demo.select", note + R"("aggregates": {"n": {"$max": )" + quoted + "}}}"),
        "UNKNOWN_COLUMN");
    EXPECT_EQ(refusal("db.row.demo.insert", note + R"("values": {)" + quoted + ": 1}}"),
              "UNKNOWN_COLUMN");
    EXPECT_EQ(refusal("db.row.demo.update",
                      note + R"("filter": {}, "update": {"$set": {)" + quoted + ": 1}}}"),
              "UNKNOWN_COLUMN");
    EXPECT_EQ(refusal("db.row.demo.delete", note + R"("filter": {)" + quoted + ": 1}}"),
              "UNKNOWN_COLUMN");
  }
  expect_unharmed();
}

TEST_P(storage_names, hostile_operators_and_aliases_are_refused) {
  EXPECT_EQ(
      refusal("db.row.demo.select", R"({"table": "note", "filter": {"$or 1=1 --": [{"id": 1}]}})"),
      "VALIDATION_ERROR");
  EXPECT_EQ(
      refusal("db.row.demo.select", R"({"table": "note", "filter": {"id": {"= 1 OR 1=1 --": 1}}})"),
      "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.row.demo.select",
                    R"({"table": "note", "aggregates": {"n": {"$max(id), (1": "id"}}})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.row.demo.select",
                    R"({"table": "note", "aggregates": {"n\", (SELECT 1) \"x": {"$max": "id"}}})"),
            "VALIDATION_ERROR");
  expect_unharmed();
}

TEST_P(storage_names, hostile_values_are_only_values) {
  row("insert", R"({"table": "note", "values": {"body": "'); DROP TABLE demo_note; --"}})");
  EXPECT_EQ(selected("id", R"({"table": "note", "filter": {"body": "' OR '1'='1"}})"), "[]");
  EXPECT_EQ(
      selected("id", R"({"table": "note", "filter": {"body": "'); DROP TABLE demo_note; --"}})"),
      "[2]");
}

TEST_P(storage_names, a_plugin_sees_only_its_own_tables) {
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "secret"})"), "UNKNOWN_TABLE");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "other_secret"})"), "UNKNOWN_TABLE");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "view"})"), "UNKNOWN_TABLE");
  EXPECT_EQ(refusal("db.row.my.select", R"({"table": "plugin_note"})"), "UNKNOWN_TABLE");
  successful("db.row.my-plugin.insert", R"({"table": "note", "values": {"odd \" name": "x"}})");
  successful("db.kv.demo.set", R"({"key": "k", "value": 1})");
  EXPECT_FALSE(successful("db.kv.other.get", R"({"key": "k"})").at("exists").as_bool());
}

TEST_P(storage_names, subjects_must_name_a_plugin_and_an_operation) {
  for (const char* subject : {"",
                              "db",
                              "db.row",
                              "db.row.demo",
                              "db.row.demo.drop",
                              "db.row.demo.kv.get",
                              "db.row.demo.select.x",
                              "db.kv.demo.select",
                              "db.kv.demo.kv.get",
                              "db.batch.demo.x",
                              "db.migrate.demo.up",
                              "db.other.demo.get",
                              "xdb.row.demo.select",
                              "db.row..select",
                              "db.row.Demo.select",
                              "db.row.de_mo.select",
                              "db.row.1demo.select",
                              "db.row.rosey.select",
                              "db.kv.sqlite.get",
                              "db.row.schema.select",
                              "db.row.pg.select",
                              "db.row.a23456789012345678901234567890123.select"}) {
    EXPECT_EQ(refusal(subject, R"({"table": "note", "key": "k", "ops": [{"op": "select"}]})"),
              "VALIDATION_ERROR")
        << subject;
  }
}

TEST_P(storage_names, payloads_must_be_json_objects) {
  for (const char* payload : {"", "{", "[]", "5", "null", "{\"table\": \"\xff\"}"}) {
    EXPECT_EQ(refusal("db.row.demo.select", payload), "INVALID_JSON") << payload;
  }
  EXPECT_EQ(refusal("db.row.demo.select", std::string(db::max_request + 1, ' ')),
            "VALUE_TOO_LARGE");
  std::string deep = R"({"table": "note", "filter": )";
  for (int i = 0; i < 100; ++i) deep += R"({"$not": )";
  EXPECT_EQ(refusal("db.row.demo.select", deep), "INVALID_JSON");
}

TEST(plugin_id, has_letters_digits_and_dashes) {
  EXPECT_TRUE(is_plugin_id("a"));
  EXPECT_TRUE(is_plugin_id("my-plugin-2"));
  EXPECT_TRUE(is_plugin_id(std::string(32, 'a')));
  EXPECT_FALSE(is_plugin_id(std::string(33, 'a')));
  EXPECT_FALSE(is_plugin_id("-a"));
  EXPECT_FALSE(is_plugin_id("a.b"));
  EXPECT_FALSE(is_plugin_id("\xc3\xa4"));
  for (const std::string_view reserved : host::reserved_ids) EXPECT_FALSE(is_plugin_id(reserved));
}

ON_EVERY_BACKEND(storage_names);

}  // namespace
}  // namespace rosey::storage
