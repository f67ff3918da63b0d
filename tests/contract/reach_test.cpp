// What a plugin's migration may reach: its own tables, whatever it tries.
#include <filesystem>
#include <fstream>

#include "contract/contract_test.hpp"
#include "host_stub/storage/own_objects.hpp"
#include "host_stub/storage/session.hpp"

namespace rosey::storage {
namespace {

class storage_reach : public contract_test {
 protected:
  storage_reach() {
    sql("CREATE TABLE playlist_queue ({id}, title TEXT);"
        "INSERT INTO playlist_queue (title) VALUES ('first'), ('second');"
        "CREATE TABLE \"my-list_items\" ({id}, title TEXT);");
  }

  bool on_sqlite() const { return GetParam() == backend::sqlite; }

  void write(const std::string& plugin, const std::string& name, const std::string& up,
             const std::string& down) const {
    const auto folder = folder_.path() / "migrations" / plugin;
    std::filesystem::create_directories(folder);
    std::ofstream(folder / name) << "-- UP\n" << up << "\n-- DOWN\n" << down << "\n";
  }

  // "" after success.
  std::string migrate(const std::string& plugin, const std::string& action) {
    const json::object answer = ask("db.migrate." + plugin + "." + action, "{}");
    return answer.at("success").as_bool() ? "" : error_message(answer);
  }

  // Of a migration that does this after it has made a table of its own.
  std::string refusal_of(const std::string& statements, const std::string& plugin = "demo") {
    write(plugin, "001_bad.sql",
          "CREATE TABLE \"" + plugin + "_own\" (id BIGINT, n BIGINT);\n" + statements,
          "DROP TABLE \"" + plugin + "_own\";");
    return migrate(plugin, "apply");
  }

  static std::string refused(const std::string& kind, const std::string& name,
                             const std::string& plugin = "demo") {
    return "001_bad.sql failed: " + not_its_own(plugin, kind, name);
  }

  void expect_untouched() {
    EXPECT_EQ(sql_value("SELECT MIN(title) || ' ' || MAX(title) || ' ' || COUNT(*) FROM "
                        "playlist_queue"),
              "first second 2");
    EXPECT_EQ(sql_value("SELECT COUNT(*) FROM schema_migrations"), "0");
    EXPECT_EQ(sql_value("SELECT COUNT(*) FROM rosey_identity"), "1");
    EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "own"})"), "UNKNOWN_TABLE");
  }
};

TEST_P(storage_reach, another_plugins_table_is_refused_by_name) {
  for (const char* statement : {
           "DROP TABLE playlist_queue",
           "ALTER TABLE playlist_queue ADD COLUMN x BIGINT",
           "ALTER TABLE playlist_queue RENAME TO demo_queue",
           "ALTER TABLE playlist_queue RENAME COLUMN title TO name",
           "ALTER TABLE playlist_queue DROP COLUMN title",
           "UPDATE playlist_queue SET title = ''",
           "DELETE FROM playlist_queue",
           "INSERT INTO playlist_queue (title) VALUES ('third')",
           "INSERT INTO demo_own SELECT id, 1 FROM playlist_queue",
           "CREATE TABLE demo_copy AS SELECT * FROM playlist_queue",
           "CREATE INDEX demo_i ON playlist_queue (title)",
           "CREATE VIEW demo_v AS SELECT title FROM playlist_queue",
           "UPDATE demo_own SET n = (SELECT COUNT(*) FROM playlist_queue)",
       }) {
    EXPECT_EQ(refusal_of(std::string(statement) + ";"), refused("table", "playlist_queue"))
        << statement;
  }
  expect_untouched();
}

TEST_P(storage_reach, names_of_others_cannot_be_taken) {
  for (const char* statement :
       {"CREATE TABLE playlist_more (id BIGINT)", "ALTER TABLE demo_own RENAME TO playlist_more",
        "CREATE TEMPORARY TABLE playlist_more (id BIGINT)"}) {
    EXPECT_EQ(refusal_of(std::string(statement) + ";"), refused("table", "playlist_more"))
        << statement;
  }
  EXPECT_EQ(refusal_of("CREATE VIEW playlist_more AS SELECT 1 AS one;"),
            refused("view", "playlist_more"));
  EXPECT_EQ(refusal_of("CREATE TABLE songs (id BIGINT);"), refused("table", "songs"));
  EXPECT_EQ(refusal_of("CREATE TEMPORARY TABLE schema_migrations (id BIGINT);"),
            refused("table", "schema_migrations"));
  expect_untouched();
}

TEST_P(storage_reach, the_books_of_the_service_are_closed) {
  EXPECT_EQ(refusal_of("DELETE FROM schema_migrations;"), refused("table", "schema_migrations"));
  EXPECT_EQ(refusal_of("DROP TABLE rosey_kv;"), refused("table", "rosey_kv"));
  EXPECT_EQ(refusal_of("UPDATE rosey_identity SET identity = '';"),
            refused("table", "rosey_identity"));
  EXPECT_EQ(refusal_of("INSERT INTO demo_own SELECT 1, 1 FROM rosey_request;"),
            refused("table", "rosey_request"));
  expect_untouched();
}

TEST_P(storage_reach, a_key_to_another_plugins_table_is_refused) {
  EXPECT_EQ(refusal_of("CREATE TABLE demo_k (q BIGINT REFERENCES playlist_queue (id));"),
            refused("table", "playlist_queue"));
  EXPECT_EQ(refusal_of("ALTER TABLE demo_own ADD COLUMN q BIGINT REFERENCES playlist_queue (id);"),
            refused("table", "playlist_queue"));
  expect_untouched();
}

// They would reach there in requests, when no migration is at work.
TEST_P(storage_reach, triggers_are_looked_into) {
  const auto trigger = [this](const std::string& table, const std::string& does) {
    const std::string after = " AFTER INSERT ON " + table + " FOR EACH ROW ";
    if (on_sqlite()) return "CREATE TRIGGER demo_trigger" + after + "BEGIN " + does + "; END;";
    return "CREATE FUNCTION demo_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + does +
           "; RETURN NEW; END $$; CREATE TRIGGER demo_trigger" + after +
           "EXECUTE FUNCTION demo_f();";
  };
  EXPECT_EQ(refusal_of(trigger("demo_own", "DELETE FROM playlist_queue")),
            refused("table", "playlist_queue"));
  EXPECT_EQ(
      refusal_of(trigger("demo_own", "INSERT INTO demo_own (n) SELECT 1 FROM playlist_queue")),
      refused("table", "playlist_queue"));
  EXPECT_EQ(refusal_of(trigger("playlist_queue", "DELETE FROM demo_own")),
            refused("table", "playlist_queue"));
  expect_untouched();
  EXPECT_EQ(refusal_of(trigger("demo_own", "DELETE FROM demo_own WHERE n < 0")), "");
}

TEST_P(storage_reach, rolling_back_is_held_to_the_same) {
  write("demo", "001_own.sql", "CREATE TABLE demo_own (id BIGINT);",
        "DROP TABLE demo_own; DROP TABLE playlist_queue;");
  EXPECT_EQ(migrate("demo", "apply"), "");
  EXPECT_EQ(migrate("demo", "rollback"),
            "001_own.sql failed: " + not_its_own("demo", "table", "playlist_queue"));
  EXPECT_EQ(row("select", R"({"table": "own"})").at("count"), 0);
  EXPECT_EQ(sql_value("SELECT COUNT(*) FROM playlist_queue"), "2");
}

TEST_P(storage_reach, an_id_with_a_dash_has_quoted_names) {
  EXPECT_EQ(refusal_of("CREATE TABLE my_list_more (id BIGINT);", "my-list"),
            refused("table", "my_list_more", "my-list"));
  EXPECT_EQ(refusal_of("DROP TABLE \"my-list_items\";"), refused("table", "my-list_items"));
  EXPECT_EQ(refusal_of("ALTER TABLE \"my-list_items\" ADD COLUMN n BIGINT; "
                       "CREATE INDEX \"my-list_i\" ON \"my-list_items\" (n);",
                       "my-list"),
            "");
}

// What people write in migrations, besides tables.
TEST_P(storage_reach, its_own_it_may_reach_in_every_way) {
  const std::string id =
      on_sqlite() ? "id INTEGER PRIMARY KEY AUTOINCREMENT" : "id BIGSERIAL PRIMARY KEY";
  write("demo", "001_all.sql",
        "CREATE TABLE demo_parent (" + id +
            ", name TEXT UNIQUE);"
            "CREATE TABLE demo_child (p BIGINT REFERENCES demo_parent (id) ON DELETE CASCADE, n "
            "BIGINT);"
            "CREATE INDEX idx_demo_child ON demo_child (n);"
            "CREATE INDEX child_n ON demo_child (n, p);"
            "CREATE VIEW demo_both AS SELECT name, n FROM demo_parent JOIN demo_child ON p = id;"
            "CREATE TEMPORARY TABLE demo_scratch AS SELECT 1 AS one;"
            "INSERT INTO demo_parent (name) VALUES ('a'), ('b');"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)"
            " INSERT INTO demo_child SELECT 1, i FROM n;"
            "WITH playlist AS (SELECT COUNT(*) AS c FROM demo_child)"
            " UPDATE demo_child SET n = n + (SELECT c FROM playlist) WHERE n > 5;"
            "DELETE FROM demo_parent WHERE name = 'b';"
            "ALTER TABLE demo_child ADD COLUMN extra TEXT NOT NULL DEFAULT '';"
            "ALTER TABLE demo_child RENAME COLUMN extra TO more;"
            "CREATE TABLE demo_new (n BIGINT); INSERT INTO demo_new SELECT n FROM demo_child;"
            "ALTER TABLE demo_new RENAME TO demo_newer;",
        "DROP TABLE demo_newer; DROP VIEW demo_both; DROP INDEX child_n;"
        "DROP TABLE demo_child; DROP TABLE demo_parent;");
  EXPECT_EQ(migrate("demo", "apply"), "");
  EXPECT_EQ(row("select", R"({"table": "newer"})").at("count"), 9);
  EXPECT_EQ(migrate("demo", "rollback"), "");
  EXPECT_EQ(migrate("demo", "apply"), "");
}

ON_EVERY_BACKEND(storage_reach);

// Only SQLite's: what reaches out of the tables.
class storage_reach_on_sqlite : public storage_reach {};

TEST_P(storage_reach_on_sqlite, what_is_the_connections_is_refused) {
  const auto failed = [](const std::string& why) { return "001_bad.sql failed: " + why; };
  EXPECT_EQ(refusal_of("PRAGMA writable_schema = ON;"),
            failed("it may not use PRAGMA writable_schema"));
  EXPECT_EQ(refusal_of("PRAGMA foreign_keys = OFF;"), failed("it may not use PRAGMA foreign_keys"));
  EXPECT_EQ(refusal_of("ATTACH ':memory:' AS other;"), failed(ends_transaction));
  EXPECT_EQ(refusal_of("SELECT load_extension('x');"), failed("it may not load an extension"));
  EXPECT_EQ(refusal_of("CREATE TEMPORARY TRIGGER demo_t AFTER INSERT ON schema_migrations BEGIN "
                       "SELECT 1; END;"),
            failed("it may make no temporary view or trigger"));
  EXPECT_EQ(refusal_of("CREATE VIRTUAL TABLE demo_text USING fts5(t);"),
            failed("it may not make the virtual table 'demo_text'"));
  EXPECT_EQ(refusal_of("CREATE INDEX playlist_i ON demo_own (n);"), refused("index", "playlist_i"));
  sql("CREATE TABLE playlist_counted (id INTEGER PRIMARY KEY AUTOINCREMENT);"
      "INSERT INTO playlist_counted DEFAULT VALUES;");
  EXPECT_EQ(refusal_of("DELETE FROM sqlite_sequence;"), refused("counter", "playlist_counted"));
  EXPECT_EQ(refusal_of("PRAGMA defer_foreign_keys = ON;"), "");
}

INSTANTIATE_TEST_SUITE_P(contract, storage_reach_on_sqlite, ::testing::Values(backend::sqlite),
                         [](const auto& info) { return name_of(info); });

// Only PostgreSQL's: what is no table, and what happens when the transaction ends.
class storage_reach_on_postgresql : public storage_reach {};

TEST_P(storage_reach_on_postgresql, what_is_no_table_is_refused) {
  sql("CREATE FUNCTION playlist_f() RETURNS BIGINT LANGUAGE sql AS 'SELECT 1::bigint';"
      "CREATE TYPE playlist_mood AS ENUM ('good');");
  for (const auto& [statement, what] : std::initializer_list<std::pair<const char*, std::string>>{
           {"CREATE OR REPLACE FUNCTION playlist_f() RETURNS BIGINT LANGUAGE sql AS 'SELECT "
            "2::bigint'",
            refused("function", "playlist_f")},
           {"DROP FUNCTION playlist_f", refused("function", "playlist_f")},
           {"CREATE FUNCTION touch() RETURNS BIGINT LANGUAGE sql AS 'SELECT 2::bigint'",
            refused("function", "touch")},
           {"ALTER TYPE playlist_mood RENAME VALUE 'good' TO 'bad'",
            refused("type", "playlist_mood")},
           {"CREATE SCHEMA demo_schema", refused("schema", "demo_schema")},
           {"ALTER ROLE CURRENT_USER SET search_path = demo", refused("settings of", "rosey")},
           {"GRANT SELECT ON playlist_queue TO PUBLIC", refused("table", "playlist_queue")},
           {"LOCK TABLE playlist_queue", refused("table", "playlist_queue")},
           {"TRUNCATE playlist_queue", refused("table", "playlist_queue")},
           {"SELECT nextval('playlist_queue_id_seq')",
            refused("sequence", "playlist_queue_id_seq")},
           {"SELECT nextval('rosey_revision')", refused("sequence", "rosey_revision")},
           {"SET search_path = pg_catalog",
            "001_bad.sql failed: it may not change the search_path or the role"},
           {"DO $$ BEGIN DELETE FROM playlist_queue; END $$", refused("table", "playlist_queue")},
           {"CREATE RULE demo_r AS ON INSERT TO demo_own DO ALSO DELETE FROM playlist_queue",
            refused("table", "playlist_queue")},
       }) {
    EXPECT_EQ(refusal_of(std::string(statement) + ";"), what) << statement;
  }
  expect_untouched();
}

TEST_P(storage_reach_on_postgresql, what_is_put_off_to_the_commit_is_seen) {
  EXPECT_EQ(refusal_of("CREATE FUNCTION demo_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                       "EXECUTE 'DELETE FROM play' || 'list_queue'; RETURN NULL; END $$;"
                       "CREATE CONSTRAINT TRIGGER demo_late AFTER INSERT ON demo_own DEFERRABLE "
                       "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION demo_f();"
                       "INSERT INTO demo_own VALUES (1, 1);"),
            refused("table", "playlist_queue"));
  expect_untouched();
}

INSTANTIATE_TEST_SUITE_P(contract, storage_reach_on_postgresql,
                         ::testing::Values(backend::postgresql),
                         [](const auto& info) { return name_of(info); });

}  // namespace
}  // namespace rosey::storage
