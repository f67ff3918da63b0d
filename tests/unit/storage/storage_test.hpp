// A storage service on a real SQLite file, asked by subject and JSON text.
#pragma once

#include <SQLiteCpp/Database.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host_stub/storage/service.hpp"
#include "rosey/wire/storage.hpp"
#include "temporary_directory.hpp"

namespace rosey::storage {

namespace json = wire::json;
namespace db = wire::db;

// Time that passes only when told to. Any thread.
class manual_clock {
 public:
  std::chrono::system_clock::time_point now() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  void advance(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
  }

 private:
  mutable std::mutex mutex_;
  std::chrono::system_clock::time_point now_{std::chrono::seconds(1'700'000'000)};
};

inline json::object object_of(const std::string& text) {
  return json::parse(text).as_object();
}

inline std::string error_code(const json::object& answer) {
  if (answer.at("success").as_bool()) return "none";
  return std::string(answer.at("error").at("code").as_string());
}

inline std::string error_message(const json::object& answer) {
  return std::string(answer.at("error").at("message").as_string());
}

class storage_test : public ::testing::Test {
 protected:
  storage_test() {
    options_.database = "sqlite:" + database_file();
    options_.migrations = (folder_.path() / "migrations").string();
    options_.synchronous = false;
    options_.clock = [this] { return clock_.now(); };
    options_.log = [](std::string text) { ADD_FAILURE() << "logged: " << text; };
  }

  std::string database_file() const { return (folder_.path() / "test.db").string(); }

  // Opens it if it is not yet.
  service& storage() {
    if (!service_) service_ = open_service(options_);
    return *service_;
  }
  void reopen() {
    service_.reset();
    storage();
  }
  void close() { service_.reset(); }

  // Past the service, as an administrator would.
  void sql(const std::string& statements) {
    SQLite::Database connection(database_file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                                5000);
    connection.exec(statements);
  }
  std::string sql_value(const std::string& query) {
    SQLite::Database connection(database_file(), SQLite::OPEN_READWRITE, 5000);
    return connection.execAndGet(query).getString();
  }

  std::future<json::object> send(const std::string& subject, const std::string& payload) {
    auto promise = std::make_shared<std::promise<json::object>>();
    auto future = promise->get_future();
    storage().handle(subject, payload, [promise](const std::string& answer) {
      promise->set_value(object_of(answer));  // throws when it is called twice
    });
    return future;
  }

  json::object ask(const std::string& subject, const std::string& payload) {
    auto future = send(subject, payload);
    if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
      ADD_FAILURE() << "no answer to " << subject << " " << payload;
      return object_of(R"({"success": false, "error": {"code": "none", "message": ""}})");
    }
    return future.get();
  }

  // Of plugin "demo"; expects success.
  json::object row(const std::string& operation, const std::string& payload) {
    return successful("db.row.demo." + operation, payload);
  }
  json::object kv(const std::string& operation, const std::string& payload) {
    return successful("db.kv.demo." + operation, payload);
  }
  json::object batch(const std::string& payload) { return successful("db.batch.demo", payload); }

  json::object successful(const std::string& subject, const std::string& payload) {
    json::object answer = ask(subject, payload);
    EXPECT_TRUE(answer.at("success").as_bool()) << payload << " -> " << json::serialize(answer);
    return answer;
  }

  // Expects a refusal; its code.
  std::string refusal(const std::string& subject, const std::string& payload) {
    return error_code(ask(subject, payload));
  }

  // The values of one column of the rows that match, as JSON.
  std::string selected(const std::string& column, const std::string& select) {
    const json::object answer = row("select", select);
    json::array values;
    for (const json::value& each : answer.at("rows").as_array()) values.push_back(each.at(column));
    return json::serialize(values);
  }

  tests::temporary_directory folder_;
  manual_clock clock_;
  options options_;
  std::unique_ptr<service> service_;
};

}  // namespace rosey::storage
