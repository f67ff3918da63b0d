// A PostgreSQL that goes away, comes back, or has no room left: refusals meanwhile, nothing that
// was acknowledged is lost, and nobody has to restart the service.
#include <set>
#include <thread>

#include "host_stub/storage/database.hpp"
#include "host_stub/storage/transact.hpp"
#include "storage/postgresql_server.hpp"
#include "storage/storage_fixture.hpp"

namespace rosey::storage {
namespace {

class postgresql_outage : public ::testing::Test, protected storage_fixture {
 protected:
  // Files larger than this cannot be; it must hold the server's own.
  static constexpr std::uintmax_t small_disk = 6 * 1024 * 1024;

  explicit postgresql_outage(std::uintmax_t largest_file = 0)
      : server_({.largest_file = largest_file}) {
    options_.synchronous = true;
    keep_log();
    use(make_postgresql_database(server_.url()));
    open();
    sql("CREATE TABLE demo_note ({id}, body TEXT UNIQUE)");
  }
  ~postgresql_outage() override { close(); }

  std::string insert(const std::string& body) {
    return error_code(
        ask("db.row.demo.insert", R"({"table": "note", "values": {"body": ")" + body + "\"}}"));
  }
  // "<name>-0", "<name>-1", …; `rest` makes them longer.
  static std::string list(const std::string& name, int rows, const std::string& rest = "") {
    json::array values;
    for (int i = 0; i < rows; ++i) {
      values.push_back(json::object{{"body", name + "-" + std::to_string(i) + rest}});
    }
    return R"({"table": "note", "values": )" + json::serialize(values) + "}";
  }
  // From now on each row takes a fifth of a second.
  void slow_down() {
    sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END'");
    sql("CREATE TRIGGER slow BEFORE INSERT ON demo_note FOR EACH ROW EXECUTE FUNCTION slow()");
  }
  std::set<std::string> stored() {
    std::set<std::string> bodies;
    for (bool more = true; more;) {
      const auto page = row("select", R"({"table": "note", "order": {"id": 1}, "offset": )" +
                                          std::to_string(bodies.size()) + "}");
      for (const auto& each : page.at("rows").as_array()) {
        bodies.emplace(each.at("body").as_string());
      }
      more = page.at("truncated").as_bool();
    }
    return bodies;
  }

  tests::postgresql_server server_;
};

TEST_F(postgresql_outage, loses_nothing_that_was_acknowledged) {
  std::atomic<bool> done{false};
  std::atomic<int> acknowledged{0};
  std::atomic<int> refused{0};
  std::vector<std::set<std::string>> kept(4);
  std::vector<std::thread> senders;
  for (std::size_t sender = 0; sender < kept.size(); ++sender) {
    senders.emplace_back([&, sender] {
      for (int i = 0; !done; ++i) {
        const std::string body = std::to_string(sender) + "-" + std::to_string(i);
        const std::string code = insert(body);
        if (code == "none") {
          kept[sender].insert(body);
          ++acknowledged;
          acknowledged.notify_all();
        } else {
          EXPECT_EQ(code, "DATABASE_ERROR");
          ++refused;
          refused.notify_all();
        }
      }
    });
  }
  const auto wait_for_more = [](std::atomic<int>& counter) {
    const int before = counter;
    for (int seen = before; seen < before + 20; seen = counter) counter.wait(seen);
  };
  for (int outage = 0; outage < 3; ++outage) {
    wait_for_more(acknowledged);
    server_.kill();
    wait_for_more(refused);
    server_.start();
  }
  wait_for_more(acknowledged);
  done = true;
  for (auto& sender : senders) sender.join();

  const auto found = stored();
  for (const auto& bodies : kept) {
    for (const std::string& body : bodies) EXPECT_TRUE(found.contains(body)) << body;
  }
  // Beside them only what was under way when the server died.
  EXPECT_LE(found.size(), static_cast<std::size_t>(acknowledged + refused));
}

TEST_F(postgresql_outage, a_list_is_stored_whole_or_not_at_all) {
  int acknowledged = 0;
  for (int outage = 0; outage < 5; ++outage) {
    std::vector<std::future<json::object>> answers;
    for (int i = 0; i < 12; ++i) {
      const std::string name = std::to_string(outage) + "/" + std::to_string(i);
      answers.push_back(send("db.row.demo.insert", list(name, 1000)));
    }
    answers.front().wait();
    server_.kill();
    for (auto& each : answers) {
      const std::string code = error_code(each.get());
      EXPECT_TRUE(code == "none" || code == "DATABASE_ERROR") << code;
      if (code == "none") ++acknowledged;
    }
    server_.start();
  }
  const std::string lists =
      "(SELECT COUNT(*) AS rows FROM demo_note GROUP BY split_part(body, '-', 1)) AS lists";
  EXPECT_EQ(sql_value("SELECT COUNT(*) FROM " + lists + " WHERE rows <> 1000"), "0");
  EXPECT_GE(std::stoi(sql_value("SELECT COUNT(*) FROM " + lists)), acknowledged);
  EXPECT_GE(acknowledged, 5);
}

TEST_F(postgresql_outage, the_time_limit_is_that_of_each_row) {
  close();
  options_.write_timeout = std::chrono::milliseconds(1000);
  open();
  slow_down();
  // More than the socket takes, so that the last rows leave when the first are long done.
  const std::string rest(50'000, 'x');
  EXPECT_EQ(refusal("db.row.demo.insert", list("slow", 20, rest)), "none");
  sql("CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN IF NEW.body = ''endless-700'' THEN PERFORM pg_sleep(60); END IF; RETURN NEW; END'");
  const auto answer = ask("db.row.demo.insert", list("endless", 1000));
  EXPECT_EQ(error_code(answer), "BUSY");
  EXPECT_EQ(error_message(answer), took_too_long);
  EXPECT_EQ(refusal("db.row.demo.insert", list("next", 600)), "none");
  EXPECT_EQ(sql_value("SELECT COUNT(*) FROM demo_note"), "620");
}

TEST_F(postgresql_outage, a_server_that_hangs_amid_a_list_is_an_error_in_time) {
  close();
  options_.database += "&connect_timeout=1";
  options_.write_timeout = std::chrono::milliseconds(1000);
  open();
  slow_down();
  auto answer = send("db.row.demo.insert", list("slow", 100));
  while (sql_value("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "0") {
  }
  server_.suspend();
  EXPECT_EQ(error_code(answer.get()), "DATABASE_ERROR");
  server_.resume();
  while (insert("after") != "none") {
  }
  EXPECT_EQ(stored(), std::set<std::string>{"after"});
}

TEST_F(postgresql_outage, reads_and_migrations_say_so_too) {
  EXPECT_EQ(insert("a"), "none");
  server_.kill();
  const auto answer = ask("db.row.demo.select", R"({"table": "note"})");
  EXPECT_EQ(error_code(answer), "DATABASE_ERROR");
  EXPECT_NE(error_message(answer).find("cannot reach the server"), std::string::npos)
      << error_message(answer);
  EXPECT_EQ(refusal("db.kv.demo.get", R"({"key": "k"})"), "DATABASE_ERROR");
  ASSERT_EQ(log().size(), 1U) << "once, not for each request";
  EXPECT_EQ(log().front(), "The database cannot be read: " + error_message(answer));
  std::filesystem::create_directories(folder_.path() / "migrations/demo");
  EXPECT_EQ(refusal("db.migrate.demo.apply", "{}"), "DATABASE_ERROR");
  server_.start();
  EXPECT_EQ(stored(), std::set<std::string>{"a"});
  EXPECT_EQ(successful("db.migrate.demo.apply", "{}").at("version"), 0);
}

// As kill -STOP does it, or a machine that swaps: nothing is refused, nothing answers.
TEST_F(postgresql_outage, a_server_that_hangs_is_an_error_in_time_and_comes_back_by_itself) {
  close();
  options_.database += "&connect_timeout=1";
  options_.write_timeout = std::chrono::milliseconds(500);
  options_.read_timeout = std::chrono::milliseconds(500);
  open();
  // On a busy machine the short limits may strike before anything hangs.
  const std::string select = R"({"table": "note"})";
  while (insert("before") == "BUSY" || refusal("db.row.demo.select", select) == "BUSY") {
  }
  server_.suspend();
  std::vector<std::future<json::object>> answers;
  for (int i = 0; i < 500; ++i) {
    answers.push_back(send("db.row.demo.insert", list(std::to_string(i), i % 3 + 1)));
    answers.push_back(send("db.row.demo.select", select));
  }
  // One that waited for the server itself, or for long in the queue, would still wait now.
  for (auto& each : answers) {
    const std::string code = error_code(each.get());
    EXPECT_TRUE(code == "DATABASE_ERROR" || code == "BUSY") << code;
  }
  EXPECT_TRUE(object_of(storage().monitor()).at("success").as_bool());
  server_.resume();
  for (std::string code; code != "none" && code != "CONSTRAINT";) code = insert("after");
  while (refusal("db.row.demo.select", select) != "none") {
  }
  EXPECT_EQ(sql_value("SELECT COUNT(*) FROM demo_note WHERE body = 'after'"), "1");
}

TEST_F(postgresql_outage, a_server_that_hangs_does_not_keep_the_service_from_ending) {
  close();
  options_.database += "&connect_timeout=1";
  options_.write_timeout = std::chrono::milliseconds(500);
  open();
  while (insert("before") == "BUSY") {
  }
  server_.suspend();
  std::vector<std::future<json::object>> answers;
  for (int i = 0; i < 1000; ++i) {
    answers.push_back(send("db.row.demo.insert", R"({"table": "note", "values": {"body": "x"}})"));
  }
  close();
  for (auto& each : answers) EXPECT_NE(error_code(each.get()), "none");
}

// Connections that are idle when the server restarts are replaced before anybody notices.
TEST_F(postgresql_outage, a_restart_between_requests_is_not_seen) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(insert(std::to_string(i)), "none");
  server_.kill();
  server_.start();
  for (int i = 20; i < 40; ++i) EXPECT_EQ(insert(std::to_string(i)), "none");
  EXPECT_EQ(stored().size(), 40U);
}

TEST_F(postgresql_outage, a_migrator_keeps_its_turn_over_a_lost_connection) {
  const auto database = open_database(options_.database, {});
  const auto first = database->connect(access::write);
  const auto second = database->connect(access::write);
  first->lock_migrations("demo", std::chrono::seconds(5));
  sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()");
  const auto nothing = [](transaction&) { return 0; };
  transact(*first, access::write, std::chrono::seconds(5), nothing);
  EXPECT_NO_THROW(second->lock_migrations("other", std::chrono::milliseconds(50)));
  EXPECT_THROW(second->lock_migrations("demo", std::chrono::milliseconds(50)), sql_failure);
}

// Longer than a request would wait.
TEST_F(postgresql_outage, services_that_start_at_once_wait_for_each_other) {
  close();
  sql("DROP TABLE rosey_kv");
  std::vector<std::thread> starts;
  for (int i = 0; i < 12; ++i) {
    starts.emplace_back([this] { EXPECT_NO_THROW(open_service(options_)); });
  }
  for (auto& each : starts) each.join();
  EXPECT_EQ(sql_value("SELECT COUNT(*) FROM rosey_kv"), "0");
}

class postgresql_full_disk : public postgresql_outage {
 protected:
  postgresql_full_disk() : postgresql_outage(small_disk) {}
};

TEST_F(postgresql_full_disk, refuses_until_there_is_room) {
  // Texts that do not compress, in a table without an index that would refuse them first.
  sql("CREATE TABLE demo_blob ({id}, body TEXT)");
  sql("ALTER TABLE demo_blob ALTER COLUMN body SET STORAGE EXTERNAL");
  const std::string blob =
      R"({"table": "blob", "values": {"body": ")" + std::string(60'000, 'x') + "\"}}";
  int written = 0;
  std::string code = "none";
  for (; code == "none" && written < 1000; ++written) {
    code = refusal("db.row.demo.insert", blob);
  }
  EXPECT_EQ(code, "DATABASE_ERROR");
  EXPECT_GT(written, 10);
  const auto count = row("select", R"({"table": "blob", "aggregates": {"n": {"$count": "*"}}})");
  EXPECT_EQ(count.at("rows").at(0).at("n"), written - 1);
  ASSERT_EQ(log().size(), 1U);
  EXPECT_EQ(log().front().rfind("The database cannot be written: ", 0), 0U) << log().front();
  // Others are not concerned, and once there is room nothing has to be restarted.
  EXPECT_EQ(insert("small"), "none");
  row("delete", R"({"table": "blob", "all": true})");
  sql("VACUUM demo_blob");
  clock_.advance(std::chrono::seconds(10));
  EXPECT_EQ(refusal("db.row.demo.insert", blob), "none");
  EXPECT_EQ(log().back(), "The database can be written again");
}

}  // namespace
}  // namespace rosey::storage
