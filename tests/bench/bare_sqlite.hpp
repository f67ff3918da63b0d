// The yardstick: programs that do nothing but write to SQLite, and read from it.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace rosey::bench {

// Rows a second of one prepared INSERT into the table `bench_note` of a new database, `batch` rows
// in a durable transaction (WAL, synchronous = FULL).
double bare_inserts_per_second(const std::filesystem::path& database, int batch,
                               std::chrono::duration<double> time);

// What `!add` stores, as statements of SQLite and of pgbench, with the parameters :client, :number
// (raised by one with each transaction, from 1) and :now (milliseconds since 1970).
const std::vector<std::string>& statements_of_an_add();
// The row that they need, of one client.
std::string channel_of_an_add(int client);

// Writes what adds would, into the tables of a database that the bot has made and does not use now.
class bare_adds {
 public:
  explicit bare_adds(const std::filesystem::path& database);
  ~bare_adds();
  bare_adds(const bare_adds&) = delete;
  bare_adds& operator=(const bare_adds&) = delete;

  // Microseconds of one durable transaction each.
  double add();
  double one_row();

 private:
  struct opened;
  std::unique_ptr<opened> opened_;
};

}  // namespace rosey::bench
