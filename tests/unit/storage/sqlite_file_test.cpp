// A database file that is deleted, moved, replaced, cut short or written over while the service has
// it open: nothing is acknowledged that cannot be found at the path, and the service goes on when a
// sound file is back.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "unit/storage/storage_test.hpp"

namespace rosey::storage {
namespace {

using std::filesystem::path;
using testing::HasSubstr;

class sqlite_file : public storage_test {
 protected:
  sqlite_file() {
    keep_log();
    storage();
    sql("CREATE TABLE demo_note (id INTEGER PRIMARY KEY, body TEXT UNIQUE)");
  }
  ~sqlite_file() override { close(); }

  path file() const { return database_file(); }
  path log_file() const { return database_file() + "-wal"; }
  path elsewhere() const { return folder_.path() / "elsewhere.db"; }

  // Remembers what was acknowledged.
  std::string insert(const std::string& body) {
    const auto answer =
        ask("db.row.demo.insert", R"({"table": "note", "values": {"body": ")" + body + "\"}}");
    const std::string code = error_code(answer);
    if (code == "none") acknowledged_.insert(body);
    said_ = code == "none" ? "" : error_message(answer);
    return code;
  }
  void insert_many(const std::string& name, int rows) {
    for (int i = 0; i < rows; ++i) ASSERT_EQ(insert(fmt::format("{}-{}", name, i)), "none");
  }
  std::string read() {
    const auto answer = ask("db.row.demo.select", R"({"table": "note", "limit": 1})");
    return error_code(answer);
  }

  // Read by others, from what is at the path.
  void expect_nothing_lost() {
    std::set<std::string> found;
    SQLite::Database opened(database_file(), SQLite::OPEN_READWRITE, 5000);
    SQLite::Statement rows(opened, "SELECT body FROM demo_note");
    while (rows.executeStep()) found.insert(rows.getColumn(0).getString());
    for (const std::string& body : acknowledged_) EXPECT_TRUE(found.contains(body)) << body;
    EXPECT_EQ(opened.execAndGet("PRAGMA integrity_check").getString(), "ok");
  }

  // While the file is written over, SQLite's own view of it does not matter.
  void write_over(std::size_t offset, const std::string& bytes) const {
    std::fstream out(file(), std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(offset));
    out << bytes;
  }

  const std::string long_text = std::string(40'000, 'x');
  std::set<std::string> acknowledged_;
  std::string said_;  // by the last refusal
};

TEST_F(sqlite_file, that_is_deleted_is_not_acknowledged) {
  insert_many("before", 20);
  for (const path& each : {file(), log_file(), path(database_file() + "-shm")}) {
    std::filesystem::remove(each);
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(insert(fmt::format("lost-{}", i)), "DATABASE_ERROR");
  EXPECT_THAT(said_, HasSubstr(database_file() + "' is gone"));
  EXPECT_EQ(read(), "DATABASE_ERROR");
  EXPECT_FALSE(std::filesystem::exists(file())) << "an empty one would hide that it is gone";
  ASSERT_EQ(log().size(), 2U) << "once for writing and once for reading";
  EXPECT_THAT(log().front(), HasSubstr("The database cannot be written: the file '"));
}

TEST_F(sqlite_file, that_is_moved_away_and_back_goes_on) {
  insert_many("before", 20);
  for (const bool with_log : {false, true}) {
    std::filesystem::rename(file(), elsewhere());
    if (with_log) std::filesystem::rename(log_file(), elsewhere().string() + "-wal");
    EXPECT_EQ(insert("away"), "DATABASE_ERROR");
    EXPECT_EQ(read(), "DATABASE_ERROR");
    std::filesystem::rename(elsewhere(), file());
    if (with_log) std::filesystem::rename(elsewhere().string() + "-wal", log_file());
    EXPECT_EQ(read(), "none");
    insert_many(with_log ? "second" : "first", 20);
  }
  expect_nothing_lost();
  close();
  expect_nothing_lost();
}

TEST_F(sqlite_file, whose_log_is_deleted_loses_nothing) {
  insert_many("before", 20);
  for (int i = 0; i < 3; ++i) {
    std::filesystem::remove(log_file());
    if (i == 2) std::filesystem::remove(database_file() + "-shm");
    insert(fmt::format("meanwhile-{}", i));
    EXPECT_EQ(read(), "none");
    insert_many(fmt::format("after-{}", i), 20);
    // As when the process were killed now: a copy of what can be found.
    std::filesystem::copy(file(), elsewhere(), std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy(log_file(), elsewhere().string() + "-wal",
                          std::filesystem::copy_options::overwrite_existing);
    SQLite::Database copy(elsewhere().string(), SQLite::OPEN_READWRITE);
    EXPECT_EQ(copy.execAndGet("SELECT COUNT(*) FROM demo_note").getInt(),
              static_cast<int>(acknowledged_.size()));
  }
  close();
  expect_nothing_lost();
}

TEST_F(sqlite_file, that_is_replaced_by_a_copy_goes_on_in_the_copy) {
  insert_many("before", 20);
  std::filesystem::copy(file(), elsewhere());
  std::filesystem::rename(elsewhere(), file());
  EXPECT_EQ(read(), "none");
  insert_many("after", 20);
  // Enough that the log goes into the file.
  for (int i = 0; i < 120; ++i) EXPECT_EQ(insert(std::to_string(i) + long_text), "none");
  expect_nothing_lost();
  close();
  expect_nothing_lost();
}

TEST_F(sqlite_file, that_is_replaced_by_another_database_is_refused) {
  insert_many("before", 20);
  std::filesystem::rename(file(), elsewhere());
  std::filesystem::rename(log_file(), elsewhere().string() + "-wal");
  SQLite::Database(database_file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE demo_note (id INTEGER PRIMARY KEY, body TEXT UNIQUE)");
  EXPECT_EQ(insert("stray"), "DATABASE_ERROR");
  EXPECT_THAT(said_, HasSubstr("is not the database that was there: it has no identity"));
  EXPECT_EQ(read(), "DATABASE_ERROR");
  std::filesystem::remove(file());
  options other = options_;
  open_service(other).reset();  // one of ours, with an identity of its own
  EXPECT_EQ(insert("stray"), "DATABASE_ERROR");
  EXPECT_THAT(said_, HasSubstr("is another database, with the identity "));
  std::filesystem::remove(file());
  std::filesystem::rename(elsewhere().string() + "-wal", log_file());
  std::filesystem::rename(elsewhere(), file());
  EXPECT_EQ(read(), "none");
  insert_many("after", 20);
  expect_nothing_lost();
}

TEST_F(sqlite_file, that_is_cut_short_is_not_acknowledged_until_a_backup_is_back) {
  insert_many("before", 300);
  reopen();  // the log is in the file now
  insert_many("more", 20);
  std::filesystem::copy(file(), elsewhere());
  for (const std::uintmax_t size : {std::uintmax_t{0}, std::uintmax_t{4096}}) {
    std::filesystem::resize_file(file(), size);
    EXPECT_EQ(insert("lost"), "DATABASE_ERROR") << size;
    EXPECT_THAT(said_, HasSubstr("is damaged")) << size;
    EXPECT_EQ(read(), "DATABASE_ERROR") << size;
    EXPECT_EQ(insert("lost"), "DATABASE_ERROR") << size;
    // In place, or as another file.
    if (size == 0) {
      std::filesystem::copy(elsewhere(), file(), std::filesystem::copy_options::overwrite_existing);
    } else {
      std::filesystem::copy(elsewhere(), folder_.path() / "third.db");
      std::filesystem::rename(folder_.path() / "third.db", file());
    }
    EXPECT_EQ(read(), "none") << size;
    insert_many(fmt::format("after-{}", size), 20);
    expect_nothing_lost();
    SQLite::Database(database_file(), SQLite::OPEN_READWRITE).exec("PRAGMA wal_checkpoint");
    std::filesystem::copy(file(), elsewhere(), std::filesystem::copy_options::overwrite_existing);
  }
}

TEST_F(sqlite_file, that_is_written_over_is_not_acknowledged) {
  insert_many("before", 300);
  reopen();
  insert_many("more", 20);
  const auto size = std::filesystem::file_size(file());
  std::filesystem::copy(file(), elsewhere());
  for (const std::size_t from : {std::size_t{0}, std::size_t{4096}}) {
    write_over(from, std::string(size - from, 'x'));
    EXPECT_EQ(insert("lost"), "DATABASE_ERROR") << from;
    EXPECT_THAT(said_, HasSubstr(database_file())) << from;
    EXPECT_EQ(insert("lost"), "DATABASE_ERROR") << from;
    EXPECT_EQ(read(), "DATABASE_ERROR") << from;
    std::filesystem::copy(elsewhere(), file(), std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(read(), "none") << from;
    insert_many(fmt::format("after-{}", from), 20);
    expect_nothing_lost();
    SQLite::Database(database_file(), SQLite::OPEN_READWRITE).exec("PRAGMA wal_checkpoint");
    std::filesystem::copy(file(), elsewhere(), std::filesystem::copy_options::overwrite_existing);
  }
}

// Another process that writes its log into the file, as `rosey migrate` may, is no fault.
TEST_F(sqlite_file, that_others_write_is_no_fault) {
  insert_many("before", 20);
  sql("PRAGMA wal_checkpoint(TRUNCATE)");
  insert_many("between", 20);
  sql("INSERT INTO demo_note (body) VALUES ('foreign'); PRAGMA wal_checkpoint(TRUNCATE)");
  std::filesystem::last_write_time(file(), std::filesystem::file_time_type::clock::now());
  insert_many("after", 20);
  EXPECT_TRUE(log().empty()) << log().front();
  expect_nothing_lost();
}

// Deleted under load: of what is answered with success all can be found, or was there before.
TEST_F(sqlite_file, that_is_moved_under_load_loses_nothing_that_was_acknowledged) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::pair<std::string, std::future<json::object>>> answers;
    for (int i = 0; i < 200; ++i) {
      const std::string body = fmt::format("{}-{}", round, i);
      answers.emplace_back(body, send("db.row.demo.insert",
                                      R"({"table": "note", "values": {"body": ")" + body + "\"}}"));
      if (i == 60) std::filesystem::rename(file(), elsewhere());
      if (i == 120) std::filesystem::rename(elsewhere(), file());
      if (i == 160 && round % 2 == 1) std::filesystem::remove(log_file());
    }
    for (auto& [body, answer] : answers) {
      const std::string code = error_code(answer.get());
      EXPECT_TRUE(code == "none" || code == "DATABASE_ERROR") << code;
      if (code == "none") acknowledged_.insert(body);
    }
  }
  EXPECT_EQ(insert("last"), "none");
  expect_nothing_lost();
}

// Longer than SQLite's log may grow: it is written into the file, by ourselves.
TEST_F(sqlite_file, is_written_when_its_log_is_long) {
  const auto before = std::filesystem::file_size(file());
  for (int i = 0; i < 200; ++i) EXPECT_EQ(insert(std::to_string(i) + long_text), "none");
  EXPECT_GT(std::filesystem::file_size(file()), before + 2'000'000);
  EXPECT_LT(std::filesystem::file_size(log_file()), 6'000'000U);
  EXPECT_TRUE(log().empty()) << log().front();
}

}  // namespace
}  // namespace rosey::storage
