// An empty database for one test, of each kind that the storage service knows.
#pragma once

#include <memory>
#include <string>

namespace rosey::storage {

class test_database {
 public:
  virtual ~test_database() = default;

  // What storage.database takes.
  virtual std::string url() const = 0;

  // Past the service, as an administrator would. In CREATE TABLE, {id} stands for a key that the
  // database fills, and {bytes} for a type that the storage API does not carry.
  virtual void execute(const std::string& statements) = 0;
  // The first column of the first row.
  virtual std::string value(const std::string& query) = 0;

  // Somebody else's lock: as long as it lives, nobody writes to the tables that there are.
  class lock {
   public:
    virtual ~lock() = default;
  };
  virtual std::unique_ptr<lock> lock_out_writers() = 0;
};

// A file in `folder`, which must outlive it.
std::unique_ptr<test_database> make_sqlite_database(const std::string& folder);

// A schema of the shared server.
std::unique_ptr<test_database> make_postgresql_database();

// A schema of another server. It is left as it is in the end.
std::unique_ptr<test_database> make_postgresql_database(const std::string& server_url);

}  // namespace rosey::storage
