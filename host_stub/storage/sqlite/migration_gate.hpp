// A lock beside the database file that lets migrations through: SQLite's own has no queue, and a
// writer that is never idle would keep it for ever.
#pragma once

#include <chrono>
#include <string>

namespace rosey::storage {

// Of one session; not thread-safe. Throws sql_failure: `busy` when the patience is over.
class migration_gate {
 public:
  explicit migration_gate(const std::string& database);
  ~migration_gate();
  migration_gate(const migration_gate&) = delete;
  migration_gate& operator=(const migration_gate&) = delete;

  // Returns when no other session holds it.
  void pass(std::chrono::milliseconds patience);

  // Keeps all others out from now on.
  void hold(std::chrono::milliseconds patience);

 private:
  void lock(int mode, std::chrono::milliseconds patience);

  int file_ = -1;
  bool held_ = false;
};

}  // namespace rosey::storage
