// What lies at the path of a SQLite database, as the file system and SQLite see it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace rosey::storage {

// Which file it is, whatever its name. Unique as long as somebody has it open.
struct file_id {
  dev_t device = 0;
  ino_t number = 0;

  bool operator==(const file_id&) const = default;
};

struct file_state {
  file_id id;
  off_t size = 0;
  std::int64_t changed = 0;  // nanoseconds since 1970

  bool operator==(const file_state&) const = default;
};

// None if there is none, or it cannot be reached. Costs a microsecond.
std::optional<file_state> look_at(const std::string& path);

// What SQLite keeps beside a database that is open.
struct companions {
  std::optional<file_id> log;    // -wal: what is committed and not in the database yet
  std::optional<file_id> index;  // -shm: of the log, and the locks

  bool operator==(const companions&) const = default;
};

companions companions_of(const std::string& path);

// Reads the file anew, past all that is cached: what is wrong with it, or none. `identity` is what
// the database must say of itself. A check of its pages that takes longer than `most` is left at
// that.
std::optional<std::string> fault_of(const std::string& path, const std::string& identity,
                                    std::chrono::milliseconds most);

}  // namespace rosey::storage
