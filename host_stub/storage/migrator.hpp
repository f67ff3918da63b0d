// Brings a plugin's tables to a version, and remembers which file made which change.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "host_stub/storage/database.hpp"

namespace rosey::storage {

// Each migration runs in a transaction of its own. Two migrators of a plugin at once take turns.
// What is applied and newer than the files is left alone: it cannot be rolled back without them.
// Refusals: VALIDATION_ERROR names the file that is missing, was edited or is malformed;
// DATABASE_ERROR names the file whose SQL failed; BUSY: another migrator, or another process that
// writes, did not end in time.
class migrator {
 public:
  // `in` must outlive it; the files are those of folder/plugin. `patience` is how long it waits for
  // other migrators.
  migrator(database& in, const std::filesystem::path& folder, std::string plugin,
           std::chrono::milliseconds patience = std::chrono::minutes(1));

  // Applies what is pending, to version `to` or all of it.
  result<db::migration_report> up(std::optional<std::int64_t> to = {}, bool dry_run = false);

  // Rolls back to version `to` (0: everything), or the newest one only.
  result<db::migration_report> down(std::optional<std::int64_t> to = {}, bool dry_run = false);

  // Takes the newest one that is applied back, and applies it again as its file is now: also if it
  // was edited or renamed meanwhile. In one transaction.
  result<db::migration_report> redo(bool dry_run = false);

  result<db::migration_status> status();

 private:
  database& database_;
  std::filesystem::path folder_;
  std::string plugin_;
  std::chrono::milliseconds patience_;
};

// What status() tells of a database that nothing was done to yet.
result<db::migration_status> status_of_nothing(const std::filesystem::path& folder,
                                               const std::string& plugin, std::string_view dialect);

}  // namespace rosey::storage
