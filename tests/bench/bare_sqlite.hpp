// The yardstick: a program that does nothing but write rows to SQLite.
#pragma once

#include <chrono>
#include <filesystem>

namespace rosey::bench {

// Rows a second of one prepared INSERT into the table `bench_note` of a new database, `batch` rows
// in a durable transaction (WAL, synchronous = FULL).
double bare_inserts_per_second(const std::filesystem::path& database, int batch,
                               std::chrono::duration<double> time);

}  // namespace rosey::bench
