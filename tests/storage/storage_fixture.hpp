// Storage services on a real database, asked by subject and JSON text.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
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
#include "storage/manual_clock.hpp"
#include "storage/test_database.hpp"
#include "temporary_directory.hpp"

namespace rosey::storage {

namespace json = wire::json;
namespace db = wire::db;

inline json::object object_of(const std::string& text) {
  boost::system::error_code failure;
  json::value value = wire::parse_json(text, failure, {}, wire::max_answer_depth);
  if (failure) throw std::runtime_error(failure.message() + ": " + text);
  return value.as_object();
}

inline std::string error_code(const json::object& answer) {
  if (answer.at("success").as_bool()) return "none";
  return std::string(answer.at("error").at("code").as_string());
}

inline std::string error_message(const json::object& answer) {
  return std::string(answer.at("error").at("message").as_string());
}

// Requests go to its services in turn.
class storage_fixture {
 protected:
  explicit storage_fixture(std::size_t services = 1) : services_(services) {
    options_.migrations = (folder_.path() / "migrations").string();
    options_.synchronous = false;
    options_.busy_timeout = std::chrono::seconds(30);  // what waits for a test's lock is not late
    options_.clock = [this] { return clock_.now(); };
    options_.steady_clock = [this] { return clock_.steady(); };
    options_.log = [](std::string text) { ADD_FAILURE() << "logged: " << text; };
  }

  // Called once, before anything else.
  void use(std::unique_ptr<test_database> database) {
    database_ = std::move(database);
    options_.database = database_->url();
  }

  // Before the services are open: what is logged is kept instead of failing the test.
  void keep_log() {
    options_.log = [this](std::string text) {
      const std::lock_guard lock(log_mutex_);
      log_.push_back(std::move(text));
    };
  }
  std::vector<std::string> log() const {
    const std::lock_guard lock(log_mutex_);
    return log_;
  }

  // The next one in turn; opens it if it is not yet.
  service& storage() {
    std::unique_ptr<service>& next = services_[turn_++ % services_.size()];
    if (!next) next = open_service(options_);
    return *next;
  }
  // All of them.
  void open() {
    for (std::size_t i = 0; i < services_.size(); ++i) storage();
  }
  void close() {
    for (auto& each : services_) each.reset();
  }
  void reopen() {
    close();
    open();
  }

  void sql(const std::string& statements) { database_->execute(statements); }
  std::string sql_value(const std::string& query) { return database_->value(query); }
  std::unique_ptr<test_database::lock> lock_out_writers() { return database_->lock_out_writers(); }

  // Any thread, once the services are open.
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

 private:
  mutable std::mutex log_mutex_;
  std::vector<std::string> log_;
  std::unique_ptr<test_database> database_;  // outlives the services
  std::vector<std::unique_ptr<service>> services_;
  std::atomic<std::size_t> turn_{0};
};

}  // namespace rosey::storage
