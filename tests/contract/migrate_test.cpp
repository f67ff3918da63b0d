// Migrations over db.migrate.<plugin>.…: the same on every database.
#include <deque>
#include <filesystem>
#include <fstream>

#include "contract/contract_test.hpp"
#include "host_stub/storage/session.hpp"

namespace rosey::storage {
namespace {

class storage_migrate : public contract_test {
 protected:
  storage_migrate() { std::filesystem::create_directories(files("demo")); }

  std::filesystem::path files(const std::string& plugin) const {
    return folder_.path() / "migrations" / plugin;
  }
  void write(const std::string& name, const std::string& up, const std::string& down) const {
    std::ofstream(files("demo") / name) << "-- UP\n" << up << "\n-- DOWN\n" << down << "\n";
  }
  void write_table(int number, const std::string& name) const {
    const std::string digits = std::to_string(1000 + number).substr(1);
    write(digits + "_" + name + ".sql", "CREATE TABLE demo_" + name + " (id BIGINT, n BIGINT);",
          "DROP TABLE demo_" + name + ";");
  }
  void write_tables(int count) const {
    for (int i = 1; i <= count; ++i) write_table(i, "t" + std::to_string(i));
  }

  std::string migrate(const std::string& action, const std::string& how = "{}") {
    json::object answer = ask("db.migrate.demo." + action, how);
    if (!answer.at("success").as_bool()) return error_code(answer) + ": " + error_message(answer);
    std::string text = json::serialize(answer.at("version"));
    for (const char* list : {"migrations", "applied", "pending"}) {
      if (!answer.contains(list)) continue;
      text += " |";
      for (const auto& each : answer.at(list).as_array()) {
        text += " " + std::string(each.at("name").as_string());
      }
    }
    return text;
  }
};

TEST_P(storage_migrate, applies_tells_and_rolls_back) {
  write_tables(3);
  EXPECT_EQ(migrate("status"), "0 | | 001_t1.sql 002_t2.sql 003_t3.sql");
  EXPECT_EQ(migrate("apply", R"({"to": 2, "dry_run": true})"), "2 | 001_t1.sql 002_t2.sql");
  EXPECT_EQ(migrate("status"), "0 | | 001_t1.sql 002_t2.sql 003_t3.sql");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "t1"})"), "UNKNOWN_TABLE");
  EXPECT_EQ(migrate("apply", R"({"to": 2})"), "2 | 001_t1.sql 002_t2.sql");
  row("insert", R"({"table": "t1", "values": {"n": 5}})");
  EXPECT_EQ(migrate("apply"), "3 | 003_t3.sql");
  EXPECT_EQ(migrate("apply"), "3 |");
  EXPECT_EQ(migrate("rollback", R"({"dry_run": true})"), "2 | 003_t3.sql");
  EXPECT_EQ(migrate("rollback"), "2 | 003_t3.sql");
  EXPECT_EQ(migrate("status"), "2 | 001_t1.sql 002_t2.sql | 003_t3.sql");
  EXPECT_EQ(migrate("rollback", R"({"to": 0})"), "0 | 002_t2.sql 001_t1.sql");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "t1"})"), "UNKNOWN_TABLE");
}

TEST_P(storage_migrate, requests_that_make_no_sense_are_refused) {
  write_tables(1);
  EXPECT_EQ(migrate("apply", R"({"to": -1})"),
            "VALIDATION_ERROR: 'to' must be a whole number of at least 0");
  EXPECT_EQ(migrate("apply", R"({"to": 7})"),
            "VALIDATION_ERROR: There is no version 7; the newest one is 1");
  EXPECT_EQ(refusal("db.migrate.other.status", "{}"), "VALIDATION_ERROR");
}

TEST_P(storage_migrate, a_file_runs_in_a_transaction_that_is_not_its_own) {
  write("001_bad.sql", "CREATE TABLE demo_half (id BIGINT); COMMIT;", "DROP TABLE demo_half;");
  EXPECT_EQ(migrate("apply"),
            std::string("DATABASE_ERROR: 001_bad.sql failed: ") + ends_transaction);
  EXPECT_EQ(migrate("status"), "0 | | 001_bad.sql");
}

TEST_P(storage_migrate, a_failing_file_leaves_nothing_and_keeps_the_earlier_ones) {
  write_tables(1);
  write("002_bad.sql", "CREATE TABLE demo_half (id BIGINT); INSERT INTO nope VALUES (1);",
        "DROP TABLE demo_half;");
  const std::string refused = migrate("apply");
  EXPECT_TRUE(refused.starts_with("DATABASE_ERROR: 002_bad.sql failed: ")) << refused;
  EXPECT_NE(refused.find("nope"), std::string::npos) << refused;
  EXPECT_EQ(migrate("status"), "1 | 001_t1.sql | 002_bad.sql");
  EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "half"})"), "UNKNOWN_TABLE");
}

TEST_P(storage_migrate, a_file_cannot_end_its_transaction) {
  for (const char* statement : {"COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT x"}) {
    write("001_bad.sql", std::string("CREATE TABLE demo_x (id BIGINT); ") + statement + ";",
          "DROP TABLE demo_x;");
    const std::string refused = migrate("apply");
    EXPECT_TRUE(refused.starts_with("DATABASE_ERROR: 001_bad.sql failed: ")) << refused;
    EXPECT_EQ(refusal("db.row.demo.select", R"({"table": "x"})"), "UNKNOWN_TABLE");
  }
}

TEST_P(storage_migrate, edited_missing_and_misnumbered_files_are_named) {
  write_tables(3);
  EXPECT_EQ(migrate("apply"), "3 | 001_t1.sql 002_t2.sql 003_t3.sql");
  write("002_t2.sql", "CREATE TABLE demo_t2 (id BIGINT);", "DROP TABLE demo_t2;");
  for (const char* action : {"apply", "rollback", "status"}) {
    EXPECT_EQ(migrate(action), "VALIDATION_ERROR: 002_t2.sql was edited after it had been applied");
  }
  write_table(2, "t2");
  std::filesystem::remove(files("demo") / "003_t3.sql");
  EXPECT_EQ(migrate("rollback"),
            "VALIDATION_ERROR: 003_t3.sql is applied, but its file is missing");
  write_table(3, "t3");
  write_table(5, "t5");
  EXPECT_EQ(migrate("apply"), "VALIDATION_ERROR: 005_t5.sql follows, but number 004 is missing");
  std::filesystem::remove(files("demo") / "005_t5.sql");
  EXPECT_EQ(migrate("status"), "3 | 001_t1.sql 002_t2.sql 003_t3.sql |");
}

TEST_P(storage_migrate, several_at_once_take_turns) {
  write_tables(12);
  constexpr int migrators = 4;
  std::vector<std::unique_ptr<service>> others;
  std::vector<std::future<json::object>> answers;
  for (int i = 0; i < migrators; ++i) others.push_back(open_service(options_));
  for (const auto& each : others) {
    auto promise = std::make_shared<std::promise<json::object>>();
    answers.push_back(promise->get_future());
    each->handle("db.migrate.demo.apply", "{}",
                 [promise](const std::string& text) { promise->set_value(object_of(text)); });
  }
  std::size_t applied = 0;
  for (auto& each : answers) {
    const auto answer = each.get();
    ASSERT_EQ(error_code(answer), "none") << json::serialize(answer);
    EXPECT_EQ(answer.at("version"), 12);
    applied += answer.at("migrations").as_array().size();
  }
  EXPECT_EQ(applied, 12U);
}

// The writers never pause, and yet the migration gets its turn while they are at work.
TEST_P(storage_migrate, a_saturated_writer_lets_it_through) {
  write_tables(20);
  sql("CREATE TABLE demo_load ({id}, n BIGINT)");
  std::string rows;
  for (int i = 0; i < 100; ++i) rows += std::string(i == 0 ? "" : ", ") + R"({"n": 1})";
  const std::string insert = R"({"table": "load", "values": [)" + rows + "]}";
  std::atomic<bool> migrated{false};
  std::atomic<int> written{0};
  std::vector<std::thread> load;
  for (int thread = 0; thread < 2; ++thread) {
    load.emplace_back([this, &migrated, &written, &insert] {
      std::deque<std::future<json::object>> in_flight;
      while (!migrated || !in_flight.empty()) {
        while (!migrated && in_flight.size() < 40) {
          in_flight.push_back(send("db.row.demo.insert", insert));
        }
        const std::string code = error_code(in_flight.front().get());
        EXPECT_TRUE(code == "none" || code == "BUSY") << code;
        ++written;
        written.notify_one();
        in_flight.pop_front();
      }
    });
  }
  written.wait(0);
  const int before = written;
  const std::string applied = migrate("apply");
  const int meanwhile = written - before;
  migrated = true;
  for (auto& each : load) each.join();
  EXPECT_TRUE(applied.starts_with("20 | 001_t1.sql")) << applied;
  // Where there is one writer at a time, all files together waited for few groups, not each for
  // many.
  if (GetParam() == backend::sqlite) {
    EXPECT_LT(meanwhile, 20 * 80);
  }
}

// Of one service, which knows that it migrates.
class storage_while_migrating : public ::testing::TestWithParam<backend>,
                                protected storage_fixture {
 protected:
  storage_while_migrating() {
    std::filesystem::create_directories(folder_.path() / "migrations/demo");
    std::ofstream(folder_.path() / "migrations/demo/001_t.sql")
        << "-- UP\nCREATE TABLE demo_t (id BIGINT);\n-- DOWN\nDROP TABLE demo_t;\n";
    use(GetParam() == backend::sqlite ? make_sqlite_database(folder_.path().string())
                                      : make_postgresql_database());
    open();
  }
};

TEST_P(storage_while_migrating, requests_are_busy_at_once) {
  auto lock = lock_out_writers();  // the migration lasts as long as this
  auto applied = send("db.migrate.demo.apply", "{}");
  std::vector<std::future<json::object>> waiting;  // from before it began
  json::object answer;
  while (answer.empty()) {
    auto next = send("db.kv.demo.set", R"({"key": "k", "value": 1})");
    if (next.wait_for(std::chrono::milliseconds(200)) == std::future_status::ready) {
      answer = next.get();
    } else {
      waiting.push_back(std::move(next));
    }
  }
  EXPECT_EQ(error_code(answer), "BUSY");
  EXPECT_EQ(error_message(answer), migration_at_work);
  EXPECT_TRUE(object_of(storage().monitor()).at("success").as_bool());
  lock.reset();
  EXPECT_EQ(applied.get().at("version"), 1);
  for (auto& each : waiting) each.wait();
  kv("set", R"({"key": "k", "value": 2})");
}

INSTANTIATE_TEST_SUITE_P(contract, storage_while_migrating,
                         ::testing::Values(backend::sqlite, backend::postgresql),
                         [](const auto& info) { return name_of(info); });

ON_EVERY_BACKEND(storage_migrate);

}  // namespace
}  // namespace rosey::storage
