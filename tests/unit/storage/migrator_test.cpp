// Applying and rolling back migrations, and each reason to refuse them.
#include <thread>

#include "unit/storage/migration_test.hpp"
#include "unit/storage/storage_test.hpp"

namespace rosey::storage {
namespace {

class storage_migrator : public migration_test {
 protected:
  void write_three() {
    write_table("001", "a");
    write_table("002", "b");
    write_table("003", "c");
  }
  const std::string way_out_ =
      "; in development, 'rosey migrate --plugin demo --action redo' takes it back and applies it "
      "again";
};

TEST_F(storage_migrator, applies_what_is_pending_in_order) {
  write_three();
  EXPECT_EQ(told(work().status()), "0: | 001_a.sql 002_b.sql 003_c.sql");
  EXPECT_EQ(told(work().up()), "3: 001_a.sql 002_b.sql 003_c.sql");
  EXPECT_EQ(told(work().status()), "3: 001_a.sql 002_b.sql 003_c.sql |");
  EXPECT_EQ(told(work().up()), "3:");
  write_table("004", "d");
  EXPECT_EQ(told(work().up()), "4: 004_d.sql");
}

TEST_F(storage_migrator, goes_to_a_version) {
  write_three();
  EXPECT_EQ(told(work().up(2)), "2: 001_a.sql 002_b.sql");
  EXPECT_EQ(told(work().up(1)), "2:");
  EXPECT_EQ(told(work().up(4)), "VALIDATION_ERROR: There is no version 4; the newest one is 3");
  EXPECT_EQ(told(work().down(4)), "VALIDATION_ERROR: There is no version 4; the newest one is 3");
  EXPECT_EQ(told(work().up(3)), "3: 003_c.sql");
}

TEST_F(storage_migrator, rolls_back) {
  write_three();
  work().up();
  EXPECT_EQ(told(work().down()), "2: 003_c.sql");
  EXPECT_EQ(told(work().down(2)), "2:");
  EXPECT_EQ(told(work().down(0)), "0: 002_b.sql 001_a.sql");
  EXPECT_EQ(told(work().down()), "0:");
  EXPECT_EQ(schema_text(), "");
}

TEST_F(storage_migrator, a_dry_run_changes_nothing_but_finds_mistakes) {
  write_three();
  const auto report = work().up({}, true);
  EXPECT_EQ(told(report), "3: 001_a.sql 002_b.sql 003_c.sql");
  EXPECT_TRUE(report->dry_run);
  EXPECT_EQ(told(work().status()), "0: | 001_a.sql 002_b.sql 003_c.sql");
  EXPECT_EQ(schema_text(), "");
  write("004_bad.sql", "-- UP\nCREATE TABEL x;\n-- DOWN\nDROP TABLE x;\n");
  EXPECT_EQ(told(work().up({}, true)),
            "DATABASE_ERROR: 004_bad.sql failed: near \"TABEL\": syntax error");
  work().up(3);
  EXPECT_EQ(told(work().down(1, true)), "1: 003_c.sql 002_b.sql");
  EXPECT_EQ(told(work().status()), "3: 001_a.sql 002_b.sql 003_c.sql | 004_bad.sql");
}

TEST_F(storage_migrator, a_failing_migration_leaves_nothing_and_keeps_the_earlier_ones) {
  write_table("001", "a");
  write("002_bad.sql",
        "-- UP\nCREATE TABLE demo_half (id);\nINSERT INTO nope VALUES (1);\n"
        "-- DOWN\nDROP TABLE demo_half;\n");
  EXPECT_EQ(told(work().up()), "DATABASE_ERROR: 002_bad.sql failed: no such table: nope");
  EXPECT_EQ(told(work().status()), "1: 001_a.sql | 002_bad.sql");
  EXPECT_EQ(schema_text().find("half"), std::string::npos);
}

TEST_F(storage_migrator, a_migration_cannot_end_its_transaction) {
  for (const char* statement :
       {"COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT x", "ATTACH ':memory:' AS other"}) {
    write("001_bad.sql", std::string("-- UP\nCREATE TABLE demo_x (id);\n") + statement +
                             ";\n-- DOWN\nDROP TABLE demo_x;\n");
    EXPECT_EQ(told(work().up()),
              std::string("DATABASE_ERROR: 001_bad.sql failed: ") + ends_transaction)
        << statement;
    EXPECT_EQ(schema_text(), "");
  }
}

TEST_F(storage_migrator, reads_what_editors_write_and_nothing_that_is_no_text) {
  const std::string down = "-- DOWN\nDROP TABLE demo_x;\n";
  const std::string up = "-- UP\nCREATE TABLE demo_x (id INTEGER, t TEXT DEFAULT '";
  write("001_x.sql", up + "\xe4');\n" + down);
  EXPECT_EQ(told(work().up()), "VALIDATION_ERROR: 001_x.sql is not UTF-8");
  write("001_x.sql", up + std::string(1, '\0') + "');\n" + down);
  EXPECT_EQ(told(work().up()), "VALIDATION_ERROR: 001_x.sql contains a NUL byte");
  write("001_x.sql", "\xEF\xBB\xBF" + up + "ä');\n" + down);
  EXPECT_EQ(told(work().up()), "1: 001_x.sql");
  std::filesystem::create_directory(folder() / "002_y.sql");
  EXPECT_EQ(told(work().up()), "VALIDATION_ERROR: Cannot read '" +
                                   (folder() / "002_y.sql").string() + "': it is a folder");
}

TEST_F(storage_migrator, records_name_checksum_and_time) {
  write_table("001", "a");
  work().up();
  EXPECT_EQ(value("SELECT plugin || ' ' || version || ' ' || name FROM schema_migrations"),
            "demo 1 001_a.sql");
  EXPECT_EQ(value("SELECT length(checksum) FROM schema_migrations"), "64");
  EXPECT_EQ(work().status()->applied.at(0).applied_at.size(), 20U);
}

TEST_F(storage_migrator, an_edited_file_is_refused) {
  write_three();
  work().up();
  write("002_b.sql", "-- UP\nCREATE TABLE demo_b (id INTEGER, x);\n-- DOWN\nDROP TABLE demo_b;\n");
  const std::string refusal = "VALIDATION_ERROR: 002_b.sql was edited after it had been applied";
  EXPECT_EQ(told(work().up()), refusal);
  EXPECT_EQ(told(work().down()), refusal);
  EXPECT_EQ(told(work().status()), refusal);
}

TEST_F(storage_migrator, the_newest_one_can_be_redone_after_an_edit) {
  EXPECT_EQ(told(work().redo()),
            "VALIDATION_ERROR: Nothing of 'demo' is applied that could be redone");
  write_three();
  work().up(2);
  write("002_b.sql", "-- UP\nCREATE TABLE demo_b (id INTEGER, x);\n-- DOWN\nDROP TABLE demo_b;\n");
  EXPECT_EQ(told(work().up()),
            "VALIDATION_ERROR: 002_b.sql was edited after it had been applied" + way_out_);
  EXPECT_EQ(told(work().redo(true)), "2: 002_b.sql");
  EXPECT_EQ(schema_text().find("id INTEGER, x"), std::string::npos);
  EXPECT_EQ(told(work().redo()), "2: 002_b.sql");
  EXPECT_NE(schema_text().find("CREATE TABLE demo_b (id INTEGER, x)"), std::string::npos);
  EXPECT_EQ(told(work().status()), "2: 001_a.sql 002_b.sql | 003_c.sql");
  std::filesystem::rename(folder() / "002_b.sql", folder() / "002_songs.sql");
  EXPECT_EQ(told(work().status()),
            "VALIDATION_ERROR: 002_b.sql is applied, but its file is now called 002_songs.sql" +
                way_out_);
  EXPECT_EQ(told(work().redo()), "2: 002_songs.sql");
}

TEST_F(storage_migrator, what_cannot_be_redone_stays_as_it_was) {
  write_three();
  work().up(2);
  write("002_b.sql", "-- UP\nCREATE TABEL demo_b;\n-- DOWN\nDROP TABLE demo_b;\n");
  EXPECT_EQ(told(work().redo()), "DATABASE_ERROR: 002_b.sql failed: near \"TABEL\": syntax error");
  EXPECT_NE(schema_text().find("CREATE TABLE demo_b (id INTEGER)"), std::string::npos);
  write_table("002", "b");
  EXPECT_EQ(told(work().status()), "2: 001_a.sql 002_b.sql | 003_c.sql");
  write("001_a.sql", "-- UP\nSELECT 1;\n-- DOWN\nSELECT 1;\n");
  EXPECT_EQ(told(work().redo()),
            "VALIDATION_ERROR: 001_a.sql was edited after it had been applied");
}

TEST_F(storage_migrator, line_ends_marks_and_comments_are_no_edit) {
  write_three();
  work().up();
  const std::string mark = "\xEF\xBB\xBF";
  write("001_a.sql",
        "-- UP\r\nCREATE TABLE demo_a (id INTEGER);\r\n-- DOWN\r\nDROP TABLE demo_a;\r\n");
  write("002_b.sql",
        mark + "-- UP\nCREATE TABLE demo_b (id INTEGER);\n-- DOWN\nDROP TABLE demo_b;\n");
  write("003_c.sql",
        "-- Why.\n\n-- UP\n  CREATE TABLE demo_c (id INTEGER);  \n\n-- DOWN\n"
        "-- Gone.\nDROP TABLE demo_c;");
  EXPECT_EQ(told(work().status()), "3: 001_a.sql 002_b.sql 003_c.sql |");
  EXPECT_EQ(told(work().up()), "3:");
  EXPECT_EQ(told(work().down(0)), "0: 003_c.sql 002_b.sql 001_a.sql");
}

// Of before checksums were those of statements: of the whole file.
TEST_F(storage_migrator, what_was_recorded_before_is_known) {
  write_table("001", "a");
  work().up();
  for (const char* whole_file : {
           "e0449a3d9f2e3e92803cf413d9b26a233e55574fb5affc8716edaaa5bb393924",  // with \n
           "4e851d6326fc8833d6268aa48df851d84efb4b25b3bd722b57fe5d7a01e94cb9",  // with \r\n
       }) {
    sql("UPDATE schema_migrations SET checksum = '" + std::string(whole_file) + "'");
    for (const char* line_end : {"\n", "\r\n"}) {
      std::string content;
      for (const char* line :
           {"-- UP", "CREATE TABLE demo_a (id INTEGER);", "-- DOWN", "DROP TABLE demo_a;"}) {
        content += std::string(line) + line_end;
      }
      write("001_a.sql", content);
      EXPECT_EQ(told(work().status()), "1: 001_a.sql |");
    }
  }
  write("001_a.sql", "-- UP\nCREATE TABLE demo_a (id INT);\n-- DOWN\nDROP TABLE demo_a;\n");
  EXPECT_EQ(told(work().status()),
            "VALIDATION_ERROR: 001_a.sql was edited after it had been applied" + way_out_);
}

TEST_F(storage_migrator, what_runs_does_not_depend_on_line_ends) {
  write("001_a.sql",
        "-- UP\r\nCREATE TABLE demo_a (t TEXT);\r\nINSERT INTO demo_a VALUES ('one\r\ntwo');\r\n"
        "-- DOWN\r\nDROP TABLE demo_a;\r\n");
  EXPECT_EQ(told(work().up()), "1: 001_a.sql");
  EXPECT_EQ(value("SELECT hex(t) FROM demo_a"), "6F6E650A74776F");
}

TEST_F(storage_migrator, what_is_newer_than_the_files_is_left_alone) {
  write_three();
  work().up();
  std::filesystem::remove(folder() / "003_c.sql");
  EXPECT_EQ(told(work().up()), "3:");
  EXPECT_EQ(told(work().status()), "3: 001_a.sql 002_b.sql 003_c.sql |");
  ASSERT_EQ(work().status()->unknown.size(), 1U);
  EXPECT_EQ(work().status()->unknown.front().name, "003_c.sql");
  EXPECT_EQ(told(work().down()), "VALIDATION_ERROR: 003_c.sql is applied, but its file is missing");
  std::filesystem::remove_all(folder());
  EXPECT_EQ(told(work().status()), "3: 001_a.sql 002_b.sql 003_c.sql |");
}

TEST_F(storage_migrator, a_renamed_file_is_refused) {
  write_three();
  work().up();
  std::filesystem::rename(folder() / "002_b.sql", folder() / "002_x.sql");
  EXPECT_EQ(told(work().up()),
            "VALIDATION_ERROR: 002_b.sql is applied, but its file is now called 002_x.sql");
}

TEST_F(storage_migrator, a_missing_folder_is_refused) {
  migrator elsewhere(*database_, directory_.path() / "nowhere", "demo");
  EXPECT_EQ(told(elsewhere.up()), "VALIDATION_ERROR: Cannot read the folder '" +
                                      (directory_.path() / "nowhere/demo").string() +
                                      "' of migrations: No such file or directory");
}

TEST_F(storage_migrator, a_plugin_cannot_name_a_folder_elsewhere) {
  write_table("001", "a");
  migrator elsewhere(*database_, directory_.path() / "migrations/other", "../demo");
  EXPECT_EQ(told(elsewhere.up()), "VALIDATION_ERROR: '../demo' is not a plugin's id");
}

TEST_F(storage_migrator, gaps_and_duplicates_are_refused) {
  write_table("002", "b");
  EXPECT_EQ(told(work().up()), "VALIDATION_ERROR: 002_b.sql follows, but number 001 is missing");
  write_table("001", "a");
  write_table("004", "d");
  EXPECT_EQ(told(work().up()), "VALIDATION_ERROR: 004_d.sql follows, but number 003 is missing");
  write_table("003", "c");
  write_table("003", "also");
  EXPECT_EQ(told(work().up()), "VALIDATION_ERROR: 003_also.sql and 003_c.sql have the same number");
  EXPECT_EQ(schema_text(), "");
}

TEST_F(storage_migrator, malformed_files_are_refused) {
  const auto refused = [this](const std::string& content) {
    write("001_a.sql", content);
    return told(work().up());
  };
  EXPECT_EQ(refused("CREATE TABLE x (id);\n"),
            "VALIDATION_ERROR: 001_a.sql has a statement before '-- UP'");
  EXPECT_EQ(refused(""), "VALIDATION_ERROR: 001_a.sql has no '-- UP'");
  EXPECT_EQ(refused("-- UP\nSELECT 1;\n"), "VALIDATION_ERROR: 001_a.sql has no '-- DOWN'");
  EXPECT_EQ(refused("-- DOWN\nSELECT 1;\n-- UP\nSELECT 1;\n"),
            "VALIDATION_ERROR: 001_a.sql has no '-- UP' before its '-- DOWN'");
  EXPECT_EQ(refused("-- UP\nSELECT 1;\n-- DOWN\n-- nothing\n"),
            "VALIDATION_ERROR: 001_a.sql has no statement under '-- DOWN'");
  EXPECT_EQ(refused("-- UP\n\n-- DOWN\nSELECT 1;\n"),
            "VALIDATION_ERROR: 001_a.sql has no statement under '-- UP'");
  EXPECT_EQ(refused("-- UP\nSELECT 1;\n-- UP\nSELECT 1;\n-- DOWN\nSELECT 1;\n"),
            "VALIDATION_ERROR: 001_a.sql has a second '-- UP', or has it behind '-- DOWN'");
  EXPECT_EQ(refused("-- UP\nSELECT 1;\n-- DOWN\nSELECT 1;\n-- DOWN\nSELECT 1;\n"),
            "VALIDATION_ERROR: 001_a.sql has a second '-- DOWN'");
}

TEST_F(storage_migrator, windows_line_ends_and_introductions_are_accepted) {
  write("001_a.sql",
        "-- Notes.\r\n\r\n  -- UP \r\nCREATE TABLE demo_a (id);\r\n-- DOWN\r\n"
        "DROP TABLE demo_a;\r\n");
  EXPECT_EQ(told(work().up()), "1: 001_a.sql");
  EXPECT_EQ(told(work().down()), "0: 001_a.sql");
}

TEST_F(storage_migrator, misnamed_files_are_refused_and_others_ignored) {
  write_table("001", "a");
  write("README.md", "x");
  EXPECT_EQ(told(work().up()), "1: 001_a.sql");
  for (const char* name : {"01_b.sql", "b.sql", "002.sql", "002_.sql", "002-b.sql", "002_B.sql",
                           "002_b.mysql.sql", ".sql"}) {
    if (std::string(name) == ".sql") continue;  // a hidden file without an extension
    write(name, "-- UP\nSELECT 1;\n-- DOWN\nSELECT 1;\n");
    EXPECT_EQ(told(work().up()),
              std::string("VALIDATION_ERROR: ") + name + " is not named like 001_name.sql");
    std::filesystem::remove(folder() / name);
  }
}

TEST_F(storage_migrator, other_dialects_are_ignored_and_the_own_one_stands_in) {
  write_table("001", "a");
  write("001_a.postgresql.sql", "not SQL at all");
  write_table("002", "b");
  write("002_b.sqlite.sql", "-- UP\nCREATE TABLE demo_own (id);\n-- DOWN\nDROP TABLE demo_own;\n");
  EXPECT_EQ(told(work().up()), "2: 001_a.sql 002_b.sql");
  EXPECT_NE(schema_text().find("demo_own"), std::string::npos);
  write("003_c.postgresql.sql", "-- UP\nSELECT 1;\n-- DOWN\nSELECT 1;\n");
  EXPECT_EQ(told(work().up()),
            "VALIDATION_ERROR: 003_c.sql is missing; only dialects' versions of it exist");
}

TEST_F(storage_migrator, two_at_once_take_turns) {
  for (int i = 1; i <= 20; ++i) {
    write_table((i < 10 ? "00" : "0") + std::to_string(i), "t" + std::to_string(i));
  }
  std::size_t done[2] = {};
  std::thread threads[2];
  for (int i = 0; i < 2; ++i) {
    threads[i] = std::thread([this, &done, i] {
      const auto own =
          open_database("sqlite:" + database_file(), {std::chrono::seconds(60), false});
      const auto report = migrator(*own, directory_.path() / "migrations", "demo").up();
      ASSERT_TRUE(report) << report.error().message;
      EXPECT_EQ(report->version, 20);
      done[i] = report->done.size();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done[0] + done[1], 20U);
}

TEST_F(storage_migrator, a_lock_that_stays_is_busy) {
  write_table("001", "a");
  database_ = open_database("sqlite:" + database_file(), {std::chrono::milliseconds(10), true});
  SQLite::Database other(database_file(), SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  EXPECT_EQ(told(work().up()), "BUSY: database is locked");
}

class storage_migrate : public storage_test {
 protected:
  storage_migrate() {
    std::filesystem::create_directories(folder_.path() / "migrations/demo");
    std::ofstream(folder_.path() / "migrations/demo/001_a.sql")
        << "-- UP\nCREATE TABLE demo_a (id INTEGER PRIMARY KEY);\n-- DOWN\nDROP TABLE demo_a;\n";
  }

  void reopen_without_auto_migrate() {
    close();
    options_.auto_migrate = false;
    open();
  }
};

// `rosey migrate` of another process, while requests come.
TEST_F(storage_migrate, requests_are_busy_at_once_while_others_migrate) {
  successful("db.migrate.demo.apply", "{}");
  row("insert", R"({"table": "a", "values": {}})");
  const auto other = open_database(options_.database, {});
  auto session = other->connect(access::write);
  session->lock_migrations("demo", std::chrono::seconds(1));
  const auto begun = std::chrono::steady_clock::now();
  const auto answer = ask("db.row.demo.insert", R"({"table": "a", "values": {}})");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  EXPECT_EQ(error_code(answer), "BUSY");
  EXPECT_EQ(error_message(answer), migration_at_work);
  EXPECT_EQ(row("select", R"({"table": "a"})").at("count"), 1);
  session.reset();
  row("insert", R"({"table": "a", "values": {}})");
}

TEST_F(storage_migrate, over_messages) {
  EXPECT_EQ(json::serialize(successful("db.migrate.demo.status", "{}")),
            R"({"version":0,"applied":[],"pending":[{"version":1,"name":"001_a.sql"}],)"
            R"("success":true})");
  EXPECT_EQ(json::serialize(successful("db.migrate.demo.apply", R"({"dry_run": true})")),
            R"({"version":1,"dry_run":true,)"
            R"("migrations":[{"version":1,"name":"001_a.sql"}],"success":true})");
  EXPECT_EQ(refusal("db.row.demo.insert", R"({"table": "a", "values": {}})"), "UNKNOWN_TABLE");
  successful("db.migrate.demo.apply", R"({"to": 1})");
  row("insert", R"({"table": "a", "values": {}})");
  EXPECT_EQ(successful("db.migrate.demo.rollback", R"({"to": 0})").at("version"), 0);
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "a"})"), "UNKNOWN_TABLE");
  EXPECT_EQ(refusal("db.migrate.demo.apply", R"({"to": -1})"), "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.migrate.demo.apply", R"({"to": 7})"), "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.migrate.other.status", "{}"), "VALIDATION_ERROR");
  EXPECT_EQ(successful("db.migrate.other.apply", R"({"automatic": true})").at("version"), 0);
  reopen_without_auto_migrate();
  EXPECT_EQ(successful("db.migrate.other.apply", R"({"automatic": true})").at("version"), 0);
  const auto refused = ask("db.migrate.demo.apply", R"({"automatic": true})");
  EXPECT_EQ(error_message(refused),
            "storage.auto_migrate is false; run: rosey migrate --plugin demo --action up");
  EXPECT_EQ(successful("db.migrate.demo.apply", "{}").at("version"), 1);
}

TEST_F(storage_migrate, files_beside_the_plugin_go_first) {
  close();
  options_.plugins = (folder_.path() / "plugins").string();
  open();
  EXPECT_EQ(successful("db.migrate.demo.status", "{}").at("pending").at(0).at("name"), "001_a.sql");
  const auto beside = folder_.path() / "plugins/migrations/demo";
  std::filesystem::create_directories(beside);
  std::ofstream(beside / "001_b.sql")
      << "-- UP\nCREATE TABLE demo_b (id INTEGER);\n-- DOWN\nDROP TABLE demo_b;\n";
  EXPECT_EQ(successful("db.migrate.demo.apply", R"({"automatic": true})").at("version"), 1);
  row("insert", R"({"table": "b", "values": {"id": 1}})");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "a"})"), "UNKNOWN_TABLE");
}

}  // namespace
}  // namespace rosey::storage
