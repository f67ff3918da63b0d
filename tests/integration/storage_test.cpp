// `rosey storage` as a process of its own: killed, doubled, and used by bots that have none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <map>
#include <thread>

#include "host_stub/bus/nats_server.hpp"
#include "integration/support/bot.hpp"
#include "storage/test_database.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

class StorageProcess : public testing::Test {
 protected:
  StorageProcess() { folder_.configure("{}"); }

  std::unique_ptr<process> start(const std::string& database,
                                 std::vector<std::string> more = {}) const {
    std::vector<std::string> command{"storage", "--nats-url", nats_.url(), "--database", database};
    command.insert(command.end(), more.begin(), more.end());
    auto started = std::make_unique<process>(folder_.command(std::move(command)), folder_.path());
    started->wait_for_log("rosey ready");
    return started;
  }

  // Asks again until somebody answers, as a client does whose storage is restarted.
  json::object ask(const std::string& subject, const json::object& payload) {
    for (;;) {
      const auto reply =
          bus_.request(subject, json::serialize(payload), std::chrono::milliseconds(500));
      if (reply) return json::parse(*reply).as_object();
    }
  }

  // Counts one up and leaves a row; with its id it may be sent again.
  static json::object request(const std::string& id) {
    json::object object = json::parse(R"({"ops": [
        {"op": "update", "table": "user_stats", "filter": {"user_id": "ann"},
         "update": {"$inc": {"items_added": 1}}, "upsert": true},
        {"op": "insert", "table": "history", "values": {"channel": "#a", "media_type": "yt",
         "media_id": "x", "title": "X", "added_by": "ann"}}]})")
                              .as_object();
    object["request_id"] = json::value(id);
    object["reply"] = json::value("done " + id);
    return object;
  }

  void expect_applied(int times) {
    const auto stats = ask("db.row.playlist.select", {{"table", "user_stats"}});
    ASSERT_EQ(stats.at("rows").as_array().size(), 1U) << json::serialize(stats);
    EXPECT_EQ(stats.at("rows").at(0).at("items_added"), times);
    const auto history = ask(
        "db.row.playlist.select",
        json::parse(R"({"table": "history", "aggregates": {"n": {"$count": "*"}}})").as_object());
    EXPECT_EQ(history.at("rows").at(0).at("n"), times);
  }

  // The same request over and over from several senders, while the service is killed and started.
  void survives_a_kill(const std::string& database) {
    constexpr int senders = 4;
    auto storage = start(database);
    std::atomic<int> answered = 0;
    std::atomic<int> fresh = 0;
    std::vector<std::thread> threads;
    for (int sender = 0; sender < senders; ++sender) {
      threads.emplace_back([&] {
        for (int i = 0; i < 25; ++i) {
          const auto answer = ask("db.batch.playlist", request("once"));
          EXPECT_TRUE(answer.at("success").as_bool()) << json::serialize(answer);
          if (!answer.at("success").as_bool()) continue;
          if (answer.at("replayed").as_bool()) {
            EXPECT_EQ(answer.at("reply"), "done once");
          } else {
            ++fresh;
          }
          ++answered;
          answered.notify_all();
        }
      });
    }
    for (const int moment : {1, 40, 70}) {
      for (int seen = answered; seen < moment; seen = answered) answered.wait(seen);
      storage->signal(SIGKILL);
      storage->wait();
      storage = start(database);
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(answered, senders * 25);
    EXPECT_LE(fresh, 1);
    expect_applied(1);
  }

  const bot_folder folder_;
  const host::nats_server nats_;
  host::connection bus_{{.url = nats_.url(), .name = "test"}};
};

TEST_F(StorageProcess, AppliesARequestOnceAcrossKillsOnSqlite) {
  survives_a_kill("sqlite:" + folder_.database().string());
}

TEST_F(StorageProcess, AppliesARequestOnceAcrossKillsOnPostgreSQL) {
  const auto database = storage::make_postgresql_database();
  survives_a_kill(database->url());
}

TEST_F(StorageProcess, TwoOnOnePostgreSQLShareTheWork) {
  const auto database = storage::make_postgresql_database();
  // Both at once: they take turns with the migrations.
  const auto command = [&](const std::string& name) {
    return folder_.command({"storage", "--nats-url", nats_.url(), "--database",
                            database->url() + "&application_name=" + name});
  };
  process first(command("first"), folder_.path());
  process second(command("second"), folder_.path());
  first.wait_for_log("rosey ready");
  second.wait_for_log("rosey ready");

  // One of them is killed in the middle; the other goes on, and nothing that was answered is lost.
  constexpr int senders = 4;
  constexpr int each = 50;
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int sender = 0; sender < senders; ++sender) {
    threads.emplace_back([&, sender] {
      for (int i = 0; i < each; ++i) {
        const std::string id = std::to_string(sender) + "-" + std::to_string(i);
        for (bool done = false; !done;) {
          const auto reply = bus_.request("db.batch.playlist", json::serialize(request(id)),
                                          std::chrono::milliseconds(500));
          done = reply && json::parse(*reply).at("success").as_bool();
        }
        ++answered;
        answered.notify_all();
      }
    });
  }
  for (int seen = answered; seen < senders * each / 2; seen = answered) answered.wait(seen);
  // A service connects when it has work.
  EXPECT_EQ(database->value("SELECT COUNT(DISTINCT application_name) FROM pg_stat_activity "
                            "WHERE application_name IN ('first', 'second')"),
            "2");
  first.signal(SIGKILL);
  first.wait();
  for (auto& thread : threads) thread.join();
  expect_applied(senders * each);
  second.signal(SIGTERM);
  EXPECT_EQ(second.wait(), 0) << second.log();
}

TEST_F(StorageProcess, ABotWithoutStorageUsesIt) {
  std::ofstream(folder_.path() / "rosey.json")
      << R"({"plugins": {"directory": "plugins"}, "storage": {"enabled": false}})";
  const auto storage = start("sqlite:elsewhere/x.db");
  std::string queue;
  {
    running_bot bot(folder_, {"--nats-url", nats_.url()});
    EXPECT_THAT(bot.say("!add https://youtu.be/dQw4w9WgXcQ"), HasSubstr("Added to queue"));
    EXPECT_THAT(bot.say("!add https://vimeo.com/76979871"), HasSubstr("Added to queue"));
    queue = bot.say("!queue");
    bot.kill();
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.database()));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "elsewhere/x.db"));
  running_bot bot(folder_, {"--nats-url", nats_.url()});
  EXPECT_EQ(bot.say("!queue"), queue);
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(StorageProcess, TellsWhatIsPendingWhenItMayNotMigrate) {
  std::ofstream(folder_.path() / "rosey.json") << R"({"storage": {"auto_migrate": false}})";
  const std::string database = "sqlite:x.db";
  const auto storage = std::make_unique<process>(
      folder_.command({"storage", "--nats-url", nats_.url(), "--database", database}),
      folder_.path());
  storage->wait_for_log("pending playlist/001_create_queue.sql");
  storage->wait_for_log("rosey migrate --plugin playlist --action up");
  storage->wait_for_log("rosey ready");
  const json::object select{{"table", "queue"}};
  EXPECT_EQ(ask("db.row.playlist.select", select).at("error").at("code"), "UNKNOWN_TABLE");

  const auto migrate = [&](std::vector<std::string> more) {
    std::vector<std::string> all{"migrate", "--plugin", "playlist", "--database", database};
    all.insert(all.end(), more.begin(), more.end());
    return run(folder_.command(std::move(all)), folder_.path());
  };
  const auto status = json::parse(migrate({"--action", "status", "--json"}).output);
  EXPECT_EQ(status.at("version"), 0);
  EXPECT_EQ(status.at("pending").at(0).at("name"), "001_create_queue.sql");
  EXPECT_EQ(migrate({"--action", "up", "--to", "3"}).status, 0);
  // The service that runs sees it at once, and goes on by itself.
  EXPECT_EQ(ask("db.row.playlist.select", select).at("count"), 0);
  EXPECT_EQ(ask("db.migrate.playlist.status", {}).at("version"), 3);
  EXPECT_EQ(ask("db.migrate.playlist.apply", {}).at("migrations").at(0).at("name"),
            "004_channel_state.sql");
  const auto after = json::parse(migrate({"--action", "down", "--dry-run", "--json"}).output);
  EXPECT_EQ(after.at("dry_run"), true);
  EXPECT_EQ(ask("db.migrate.playlist.status", {}).at("pending").as_array().size(), 0U);
}

}  // namespace
}  // namespace rosey::tests
