#include "host_stub/storage/sqlite/sqlite_files.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <string_view>

namespace rosey::storage {

namespace {

std::optional<file_id> id_of(const std::string& path) {
  const auto found = look_at(path);
  return found ? std::optional(found->id) : std::nullopt;
}

// Past the log, which may hold a newer and whole first page.
bool has_header(SQLite::Database& opened) {
  constexpr std::string_view magic("SQLite format 3\0", 16);
  sqlite3_file* file = nullptr;
  sqlite3_file_control(opened.getHandle(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  std::array<char, magic.size()> begin{};
  return file && file->pMethods &&
         file->pMethods->xRead(file, begin.data(), static_cast<int>(begin.size()), 0) ==
             SQLITE_OK &&
         std::memcmp(begin.data(), magic.data(), magic.size()) == 0;
}

int is_late(void* deadline) {
  return std::chrono::steady_clock::now() >
                 *static_cast<const std::chrono::steady_clock::time_point*>(deadline)
             ? 1
             : 0;
}

std::optional<std::string> fault_in_pages(SQLite::Database& opened,
                                          std::chrono::milliseconds most) {
  auto deadline = std::chrono::steady_clock::now() + most;
  constexpr int instructions = 1000;
  sqlite3_progress_handler(opened.getHandle(), instructions, &is_late, &deadline);
  std::optional<std::string> fault;
  try {
    SQLite::Statement check(opened, "PRAGMA quick_check(1)");
    if (check.executeStep()) {
      const std::string said = check.getColumn(0).getString();
      if (said != "ok") fault = "is damaged: " + said.substr(0, said.find('\n'));
    }
  } catch (const SQLite::Exception& failure) {
    if (failure.getErrorCode() != SQLITE_INTERRUPT) throw;
  }
  sqlite3_progress_handler(opened.getHandle(), 0, nullptr, nullptr);
  return fault;
}

std::optional<std::string> fault_in_identity(SQLite::Database& opened,
                                             const std::string& expected) {
  if (!opened.tableExists("rosey_identity"))
    return "is not the database that was there: it has no identity";
  const std::string found = opened.execAndGet("SELECT identity FROM rosey_identity").getString();
  if (found == expected) return std::nullopt;
  return fmt::format("is another database, with the identity {} instead of {}", found, expected);
}

}  // namespace

std::optional<file_state> look_at(const std::string& path) {
  struct ::stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return file_state{{found.st_dev, found.st_ino},
                    found.st_size,
                    found.st_mtim.tv_sec * 1'000'000'000LL + found.st_mtim.tv_nsec};
}

companions companions_of(const std::string& path) {
  return {id_of(path + "-wal"), id_of(path + "-shm")};
}

std::optional<std::string> fault_of(const std::string& path, const std::string& identity,
                                    std::chrono::milliseconds most) {
  try {
    SQLite::Database opened(path, SQLite::OPEN_READWRITE, 1000);
    // To be told of a fault is no reason to write the log into the file.
    sqlite3_db_config(opened.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    // SQLite deletes the log of an empty file when it reads that: this comes first.
    if (!has_header(opened)) return "is damaged: it does not begin as a database does";
    if (auto fault = fault_in_identity(opened, identity)) return fault;
    return fault_in_pages(opened, most);
  } catch (const SQLite::Exception& failure) {
    const int code = failure.getErrorCode() & 0xff;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) return std::nullopt;  // others use it
    const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return fmt::format("{}: {}", damaged ? "is damaged" : "cannot be used", failure.what());
  }
}

}  // namespace rosey::storage
