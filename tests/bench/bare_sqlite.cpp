#include "bench/bare_sqlite.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <string>

namespace rosey::bench {

double bare_inserts_per_second(const std::filesystem::path& database, int batch,
                               std::chrono::duration<double> time) {
  SQLite::Database file(database.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  file.exec("PRAGMA journal_mode = WAL");
  file.exec("PRAGMA synchronous = FULL");
  file.exec("CREATE TABLE bench_note (id INTEGER PRIMARY KEY, channel TEXT, body TEXT, n INTEGER)");
  SQLite::Statement insert(file, "INSERT INTO bench_note (channel, body, n) VALUES (?, ?, ?)");
  SQLite::Statement begin(file, "BEGIN IMMEDIATE");
  SQLite::Statement commit(file, "COMMIT");
  const std::string channel = "#lobby";
  const std::string body = "a note of usual length, for the bench";
  const auto began = std::chrono::steady_clock::now();
  std::int64_t rows = 0;
  std::chrono::duration<double> took{};
  while ((took = std::chrono::steady_clock::now() - began) < time) {
    begin.exec();
    begin.reset();
    for (int i = 0; i < batch; ++i, ++rows) {
      insert.bindNoCopy(1, channel);
      insert.bindNoCopy(2, body);
      insert.bind(3, rows);
      insert.exec();
      insert.reset();
    }
    commit.exec();
    commit.reset();
  }
  return static_cast<double>(rows) / took.count();
}

}  // namespace rosey::bench
