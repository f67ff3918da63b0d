// The service under load and under trouble: groups, bounds, locks, full disks, bad paths.
#include "host_stub/storage/service.hpp"

#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "unit/storage/storage_test.hpp"

namespace rosey::storage {
namespace {

class storage_service : public storage_test {
 protected:
  void create_note() { sql("CREATE TABLE demo_note (id INTEGER PRIMARY KEY, body TEXT UNIQUE)"); }

  std::future<json::object> send_note(const std::string& body) {
    return send("db.row.demo.insert", R"({"table": "note", "values": {"body": ")" + body + "\"}}");
  }
  std::string notes() { return sql_value("SELECT COUNT(*) FROM demo_note"); }
};

// Another process that writes, for the length of its life.
class foreign_writer {
 public:
  explicit foreign_writer(const std::string& file)
      : connection_(file, SQLite::OPEN_READWRITE, 5000) {
    connection_.exec("BEGIN IMMEDIATE");
  }
  ~foreign_writer() { connection_.exec("ROLLBACK"); }

 private:
  SQLite::Database connection_;
};

TEST_F(storage_service, requests_that_wait_share_a_commit) {
  storage();
  create_note();
  std::vector<std::future<json::object>> answers;
  {
    const foreign_writer lock(database_file());
    for (int i = 0; i < 100; ++i) answers.push_back(send_note(std::to_string(i)));
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get().at("success").as_bool());
  close();
  EXPECT_EQ(notes(), "100");
}

TEST_F(storage_service, a_group_is_bounded_and_counted) {
  options_.group = 10;
  storage();
  create_note();
  const auto before = storage().stats();
  std::vector<std::future<json::object>> answers;
  {
    const foreign_writer lock(database_file());
    for (int i = 0; i < 41; ++i) answers.push_back(send_note(std::to_string(i)));
  }
  for (auto& answer : answers) answer.get();
  const auto after = storage().stats();
  EXPECT_EQ(after.grouped - before.grouped, 41U);
  // The first may have gone alone into the transaction that waited.
  EXPECT_GE(after.groups - before.groups, 5U);
  EXPECT_LE(after.groups - before.groups, 6U);
}

TEST_F(storage_service, what_arrives_while_a_group_is_carried_out_joins_it) {
  std::atomic<bool> armed = false;
  std::future<json::object> second;
  // It is asked for each request of a group, before that is carried out.
  options_.clock = [&] {
    if (armed.exchange(false)) second = send_note("second");
    return clock_.now();
  };
  storage();
  create_note();
  const auto before = storage().stats();
  std::future<json::object> first;
  {
    const foreign_writer lock(database_file());
    first = send_note("first");
    while (storage().stats().waiting_to_write > 0) std::this_thread::yield();
    armed = true;
  }
  EXPECT_EQ(error_code(first.get()), "none");
  EXPECT_EQ(error_code(second.get()), "none");
  EXPECT_EQ(storage().stats().grouped - before.grouped, 2U);
  EXPECT_EQ(storage().stats().groups - before.groups, 1U);
  close();  // before what its clock uses is gone
}

TEST_F(storage_service, a_refused_request_does_not_disturb_its_group) {
  storage();
  create_note();
  std::vector<std::future<json::object>> answers;
  {
    const foreign_writer lock(database_file());
    for (const char* body : {"a", "b", "a", "c"}) answers.push_back(send_note(body));
  }
  EXPECT_EQ(error_code(answers[0].get()), "none");
  EXPECT_EQ(error_code(answers[1].get()), "none");
  EXPECT_EQ(error_code(answers[2].get()), "CONSTRAINT");
  EXPECT_EQ(error_code(answers[3].get()), "none");
  close();
  EXPECT_EQ(notes(), "3");
}

TEST_F(storage_service, a_burst_shares_a_commit_and_what_is_past_the_bound_is_refused) {
  options_.write_queue = 5;
  storage();
  create_note();
  const auto before = storage().stats();
  std::vector<std::promise<std::string>> codes(10);
  std::vector<std::string> payloads;
  std::vector<incoming> burst;
  for (int i = 0; i < 10; ++i) {
    payloads.push_back(fmt::format(R"({{"table": "note", "values": {{"body": "{}"}}}})", i));
  }
  payloads[1] = "no JSON";  // takes no room
  for (std::size_t i = 0; i < 10; ++i) {
    burst.push_back({"db.row.demo.insert", payloads[i], [&codes, i](const std::string& answer) {
                       codes[i].set_value(error_code(object_of(answer)));
                     }});
  }
  storage().handle(burst);
  for (std::size_t i = 0; i < 10; ++i) {
    const char* expected = i == 1 ? "INVALID_JSON" : i < 6 ? "none" : "BUSY";
    EXPECT_EQ(codes[i].get_future().get(), expected) << i;
  }
  EXPECT_EQ(storage().stats().grouped - before.grouped, 5U);
  EXPECT_EQ(storage().stats().groups - before.groups, 1U);
  EXPECT_EQ(storage().stats().busy, 4U);
}

TEST_F(storage_service, past_the_bound_the_answer_is_busy_at_once) {
  options_.write_queue = 5;
  storage();
  create_note();
  std::vector<std::future<json::object>> answers;
  int refused_at_once = 0;
  {
    const foreign_writer lock(database_file());
    for (int i = 0; i < 20; ++i) {
      answers.push_back(send_note(std::to_string(i)));
      if (answers.back().wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
        EXPECT_EQ(error_code(answers.back().get()), "BUSY");
        answers.pop_back();
        ++refused_at_once;
      }
    }
  }
  // Five wait in the queue, and the writer may hold up to five more.
  EXPECT_GE(refused_at_once, 10);
  EXPECT_LE(refused_at_once, 15);
  EXPECT_EQ(storage().stats().busy, static_cast<std::uint64_t>(refused_at_once));
  for (auto& answer : answers) EXPECT_EQ(error_code(answer.get()), "none");
  close();
  EXPECT_EQ(notes(), std::to_string(20 - refused_at_once));
}

TEST_F(storage_service, a_lock_that_stays_is_busy_and_then_forgotten) {
  options_.busy_timeout = std::chrono::milliseconds(20);
  storage();
  create_note();
  {
    const foreign_writer lock(database_file());
    EXPECT_EQ(error_code(send_note("a").get()), "BUSY");
  }
  // On a busy machine the short limit may strike again.
  std::string code = "BUSY";
  while (code == "BUSY") code = error_code(send_note("a").get());
  EXPECT_EQ(code, "none");
}

TEST_F(storage_service, under_a_lock_the_groups_do_not_wait_one_after_the_other) {
  options_.busy_timeout = std::chrono::milliseconds(100);
  options_.group = 2;
  storage();
  create_note();
  std::vector<std::promise<json::object>> promised(100);
  std::vector<std::string> payloads;
  std::vector<incoming> burst;
  for (std::size_t i = 0; i < promised.size(); ++i) {
    payloads.push_back(fmt::format(R"({{"table": "note", "values": {{"body": "{}"}}}})", i));
  }
  for (std::size_t i = 0; i < promised.size(); ++i) {
    burst.push_back({"db.row.demo.insert", payloads[i], [&promised, i](const std::string& answer) {
                       promised[i].set_value(object_of(answer));
                     }});
  }
  int met_the_lock = 0;
  {
    const foreign_writer lock(database_file());
    storage().handle(burst);
    for (auto& each : promised) {
      const auto answer = each.get_future().get();
      EXPECT_EQ(error_code(answer), "BUSY");
      if (error_message(answer) == "database is locked") ++met_the_lock;
    }
  }
  EXPECT_GE(met_the_lock, 1);
  EXPECT_LE(met_the_lock, 2) << "more than the first group";
  close();
  EXPECT_EQ(notes(), "0");
}

TEST_F(storage_service, readers_do_not_wait_for_writers) {
  storage();
  create_note();
  const foreign_writer lock(database_file());
  const auto waiting = send_note("a");
  EXPECT_EQ(row("select", R"({"table": "note"})").at("count"), 0);
  EXPECT_EQ(waiting.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
}

TEST_F(storage_service, what_was_answered_is_read) {
  storage();
  create_note();
  for (int i = 1; i <= 50; ++i) {
    send_note(std::to_string(i)).get();
    EXPECT_EQ(row("select", R"({"table": "note", "columns": ["id"]})").at("count"), i);
  }
}

TEST_F(storage_service, closing_answers_what_waits) {
  storage();
  create_note();
  std::vector<std::future<json::object>> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(send_note(std::to_string(i)));
  for (int i = 0; i < 50; ++i)
    answers.push_back(send("db.row.demo.select", R"({"table": "note"})"));
  close();
  for (auto& answer : answers) {
    ASSERT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_EQ(error_code(answer.get()), "none");
  }
}

TEST_F(storage_service, a_reply_that_throws_is_logged) {
  std::promise<std::string> logged;
  options_.log = [&logged](std::string text) { logged.set_value(std::move(text)); };
  storage().handle("db.kv.demo.set", R"({"key": "k", "value": 1})",
                   [](const std::string&) { throw std::runtime_error("connection lost"); });
  EXPECT_NE(logged.get_future().get().find("connection lost"), std::string::npos);
}

// While it lives, no file of this process can grow: as on a full disk.
class full_disk {
 public:
  explicit full_disk(std::uintmax_t size) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = size;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~full_disk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(storage_service, a_full_disk_fails_the_group_is_logged_and_survived) {
  keep_log();
  storage();
  create_note();
  EXPECT_EQ(error_code(send_note("before").get()), "none");
  const std::string large(60'000, 'x');
  {
    const full_disk full(std::filesystem::file_size(database_file() + "-wal"));
    const auto answer = send_note(large).get();
    EXPECT_EQ(error_code(answer), "DATABASE_ERROR");
    EXPECT_EQ(row("select", R"({"table": "note"})").at("count"), 1);
    EXPECT_THAT(log(),
                testing::ElementsAre("The database cannot be written: " + error_message(answer)));
  }
  clock_.advance(std::chrono::seconds(10));
  EXPECT_EQ(error_code(send_note(large).get()), "none");
  EXPECT_EQ(row("select", R"({"table": "note"})").at("count"), 2);
  EXPECT_EQ(log().back(), "The database can be written again");
}

std::string opening_error(const std::string& database) {
  options chosen;
  chosen.database = database;
  try {
    open_service(chosen);
    return "opened";
  } catch (const std::runtime_error& failure) {
    return failure.what();
  }
}

TEST_F(storage_service, missing_folders_are_created) {
  EXPECT_EQ(opening_error("sqlite:" + (folder_.path() / "a/b/c.db").string()), "opened");
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "a/b/c.db"));
  EXPECT_EQ(opening_error("sqlite://" + (folder_.path() / "d.db").string()), "opened");
  EXPECT_EQ(opening_error((folder_.path() / "e/f.db").string()), "opened");
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "e/f.db"));
}

TEST_F(storage_service, what_cannot_be_opened_is_named) {
  const std::string file = (folder_.path() / "file").string();
  std::ofstream(file) << std::string(4096, 'x');
  EXPECT_EQ(opening_error("sqlite:" + file),
            "Cannot use the database '" + file + "': file is not a database");
  EXPECT_EQ(opening_error("sqlite:" + file + "/x.db"),
            "Cannot create the folder '" + file + "' of the database: Not a directory");
  const std::string folder = folder_.path().string();
  EXPECT_EQ(opening_error("sqlite:" + folder),
            "Cannot use the database '" + folder + "': unable to open database file");
  EXPECT_EQ(opening_error("mysql://x"),
            "The database must be given as sqlite:PATH or postgresql://USER@HOST/NAME, but is "
            "'mysql://x'");
  EXPECT_THAT(opening_error("mysql://ann:secret@x/y"), testing::EndsWith("'mysql://x/y'"));
  EXPECT_EQ(opening_error("postgresql://ann:secret@x/y?nonsense=1"),
            "The database's URL cannot be read; one looks like "
            "postgresql://USER@HOST:5432/NAME");
  EXPECT_THAT(opening_error("postgresql://ann:secret@127.0.0.1:1/rosey"),
              testing::AllOf(testing::StartsWith("Cannot use the database "
                                                 "'postgresql://127.0.0.1:1/rosey': cannot reach "
                                                 "the server: "),
                             testing::Not(testing::HasSubstr("secret"))));
  EXPECT_EQ(opening_error("sqlite::memory:"),
            "The database needs a file, but is 'sqlite::memory:'");
  EXPECT_EQ(opening_error("sqlite:"), "The database needs a file, but is 'sqlite:'");
}

TEST_F(storage_service, two_services_share_a_file) {
  storage();
  create_note();
  const auto other = open_service(options_);
  std::vector<std::thread> threads;
  for (service* each : {&storage(), other.get()}) {
    threads.emplace_back([each] {
      for (int i = 0; i < 50; ++i) {
        std::promise<std::string> answer;
        each->handle("db.kv.demo.set", R"({"key": "k", "value": 1})",
                     [&answer](std::string text) { answer.set_value(std::move(text)); });
        EXPECT_EQ(error_code(object_of(answer.get_future().get())), "none");
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(kv("get", R"({"key": "k"})").at("revision"), 100);
}

}  // namespace
}  // namespace rosey::storage
