// What is true of SQLite's connections only: durability, statement cache, tables without row ids.
#include "host_stub/storage/sqlite/sqlite_session.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <string>

#include "host_stub/storage/sqlite/statement_cache.hpp"
#include "unit/storage/storage_test.hpp"

namespace rosey::storage {
namespace {

class sqlite_connection : public storage_test {
 protected:
  // As a pragma of the connection that writes tells it.
  std::int64_t pragma(const std::string& name, const database_options& options) {
    const auto keeper =
        std::make_shared<sqlite_keeper>(database_file(), std::chrono::milliseconds(1000));
    const auto session = connect_sqlite(keeper, access::write, options);
    std::int64_t told = -1;
    session->query({"PRAGMA " + name}, [&told](const auto& row) {
      told = std::get<std::int64_t>(row[0]);
      return true;
    });
    return told;
  }
};

TEST_F(sqlite_connection, a_commit_waits_for_the_disk_unless_told_otherwise) {
  EXPECT_TRUE(options().synchronous);
  EXPECT_EQ(pragma("synchronous", {}), 2);  // FULL
  EXPECT_EQ(pragma("synchronous", {.synchronous = false}), 1);
  EXPECT_EQ(pragma("foreign_keys", {}), 1);
}

TEST_F(sqlite_connection, the_statement_cache_is_bounded_by_number_and_by_bytes) {
  SQLite::Database connection(database_file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  const auto sql = [](int number, std::size_t size) {
    std::string text = "SELECT " + std::to_string(number) + " -- ";
    text.resize(size, 'x');
    return text;
  };
  statement_cache cache(connection, 10, 1000);
  for (int i = 0; i < 20; ++i) cache.prepare(sql(i, 50));
  EXPECT_EQ(cache.size(), 10U);
  for (int i = 0; i < 20; ++i) cache.prepare(sql(i, 400));
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_LE(cache.bytes(), 1000U);
  // One that is too large for all is prepared all the same.
  auto& prepared = cache.prepare(sql(7, 5000));
  EXPECT_TRUE(prepared.executeStep());
  EXPECT_EQ(prepared.getColumn(0).getInt(), 7);
  prepared.reset();
  EXPECT_EQ(cache.size(), 1U);
  cache.prepare(sql(8, 50));
  EXPECT_EQ(cache.size(), 1U);
}

TEST_F(sqlite_connection, a_table_without_row_ids_fills_no_key) {
  sql("CREATE TABLE demo_with (id INTEGER PRIMARY KEY, n BIGINT);"
      "CREATE TABLE demo_without (id INTEGER PRIMARY KEY, n BIGINT) WITHOUT ROWID");
  EXPECT_EQ(row("insert", R"({"table": "with", "values": {"n": 1}})").at("id"), 1);
  const auto answer = row("insert", R"({"table": "without", "values": {"id": 77, "n": 1}})");
  EXPECT_TRUE(answer.at("id").is_null()) << json::serialize(answer);
}

// Modes of the database and of the files beside it.
TEST_F(sqlite_connection, nobody_else_may_read_what_is_stored) {
  const auto modes = [this] {
    std::map<std::string, int> found;
    for (const char* behind : {"", "-wal", "-shm", "-gate"}) {
      struct stat file {};
      EXPECT_EQ(::stat((database_file() + behind).c_str(), &file), 0) << behind;
      found[behind] = file.st_mode & 0777;
    }
    return found;
  };
  const mode_t before = ::umask(0);
  open();
  EXPECT_EQ(modes(), (std::map<std::string, int>{
                         {"", 0600}, {"-wal", 0600}, {"-shm", 0600}, {"-gate", 0600}}));
  close();
  // What an operator chose stays, and holds for all of them.
  ::chmod(database_file().c_str(), 0660);
  ::unlink((database_file() + "-gate").c_str());
  open();
  EXPECT_EQ(modes(), (std::map<std::string, int>{
                         {"", 0660}, {"-wal", 0660}, {"-shm", 0660}, {"-gate", 0660}}));
  ::umask(before);
}

}  // namespace
}  // namespace rosey::storage
