// Migrations of a plugin "demo" in a folder of the test's own.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "host_stub/storage/database.hpp"
#include "host_stub/storage/migrator.hpp"
#include "temporary_directory.hpp"

namespace rosey::storage {

class migration_test : public ::testing::Test {
 protected:
  migration_test() : database_(open_database("sqlite:" + database_file(), {})) {
    std::filesystem::create_directories(folder());
  }

  std::string database_file() const { return (directory_.path() / "test.db").string(); }
  std::filesystem::path folder() const { return directory_.path() / "migrations/demo"; }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder() / name, std::ios::binary) << content;
  }
  // NNN_name.sql that creates a table of this name.
  void write_table(const std::string& number, const std::string& name) const {
    write(number + "_" + name + ".sql", "-- UP\nCREATE TABLE demo_" + name +
                                            " (id INTEGER);\n-- DOWN\nDROP TABLE demo_" + name +
                                            ";\n");
  }

  migrator work() { return migrator(*database_, directory_.path() / "migrations", "demo"); }

  // "version: names", or the refusal.
  template <class Report>
  static std::string told(const result<Report>& outcome) {
    return outcome ? text_of(*outcome) : outcome.error().code + ": " + outcome.error().message;
  }

  // What `sqlite3 .schema` prints, and the tables that hold rows of the service itself left out.
  std::string schema_text() const {
    SQLite::Database connection(database_file(), SQLite::OPEN_READONLY);
    SQLite::Statement rows(connection,
                           "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL "
                           "AND tbl_name NOT LIKE 'rosey%' AND tbl_name <> 'schema_migrations' "
                           "ORDER BY tbl_name, type DESC, name");
    std::string text;
    while (rows.executeStep()) text += rows.getColumn(0).getString() + ";\n";
    return text;
  }

  std::string value(const std::string& query) const {
    SQLite::Database connection(database_file(), SQLite::OPEN_READONLY);
    return connection.execAndGet(query).getString();
  }
  void sql(const std::string& statements) const {
    SQLite::Database connection(database_file(), SQLite::OPEN_READWRITE, 5000);
    connection.exec(statements);
  }

  tests::temporary_directory directory_;
  std::unique_ptr<database> database_;

 private:
  static std::string names(const std::vector<db::migration>& migrations) {
    std::string text;
    for (const auto& each : migrations) text += " " + each.name;
    return text;
  }
  static std::string text_of(const db::migration_report& report) {
    return std::to_string(report.version) + ":" + names(report.done);
  }
  static std::string text_of(const db::migration_status& status) {
    return std::to_string(status.version) + ":" + names(status.applied) + " |" +
           names(status.pending);
  }
};

}  // namespace rosey::storage
