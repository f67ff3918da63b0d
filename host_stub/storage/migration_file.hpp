// The files of a plugin's migrations: NNN_name.sql with a part for each direction.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "rosey/wire/result.hpp"

namespace rosey::storage {

struct migration_file {
  std::int64_t version = 0;
  std::string name;  // 001_create_queue.sql, for every dialect
  std::string up;
  std::string down;
  std::string checksum;  // SHA-256 of the statements, in hex: of neither comments nor line ends
  std::vector<std::string> former_checksums;  // of the whole file, which were recorded before

  // Whether this is what was recorded when the file was applied.
  bool has(const std::string& recorded) const;
};

// All of a folder, numbered 1, 2, 3 … in this order. NNN_name.<dialect>.sql stands in for
// NNN_name.sql. VALIDATION_ERROR names the file, or the number, that is not as it should be.
result<std::vector<migration_file>> read_migrations(const std::filesystem::path& folder,
                                                    std::string_view dialect);

}  // namespace rosey::storage
