// `rosey storage` as a process of its own: killed, doubled, and used by bots that have none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "host_stub/bus/nats_server.hpp"
#include "host_stub/config.hpp"
#include "host_stub/storage/database.hpp"
#include "host_stub/storage_endpoint.hpp"
#include "integration/support/bot.hpp"
#include "storage/postgresql_server.hpp"
#include "storage/storage_page.hpp"
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

  // Asks again until somebody answers, as a client does whose storage is restarted: only what may
  // be carried out twice.
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

  // Requests with fresh ids from several senders, each sent again until it is answered;
  // `meanwhile` is called when `moment` of them were.
  template <class Meanwhile>
  void send_fresh_ids(int senders, int each, const std::vector<int>& moments, Meanwhile meanwhile) {
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
    for (const int moment : moments) {
      for (int seen = answered; seen < moment; seen = answered) answered.wait(seen);
      meanwhile();
    }
    for (auto& thread : threads) thread.join();
  }

  void loses_nothing_in_a_kill(const std::string& database) {
    auto storage = start(database);
    send_fresh_ids(4, 30, {5, 50, 90}, [&] {
      storage->signal(SIGKILL);
      storage->wait();
      storage = start(database);
    });
    expect_applied(4 * 30);
  }

  // How every service that runs does, when there are so many.
  std::map<std::string, json::object> monitor(std::size_t services) {
    std::map<std::string, json::object> by_node;
    std::mutex mutex;
    std::condition_variable heard;
    const auto inbox = bus_.subscribe("test.monitor", "", [&](const host::inbound_message& reply) {
      const std::lock_guard lock(mutex);
      const json::object told = json::parse(reply.payload()).as_object();
      by_node[std::string(told.at("node").as_string())] = told;
      heard.notify_all();
    });
    natsConnection_PublishRequestString(bus_.native(), "rosey.monitoring.storage", "test.monitor",
                                        "{}");
    std::unique_lock lock(mutex);
    EXPECT_TRUE(heard.wait_for(lock, patience, [&] { return by_node.size() >= services; }));
    return by_node;
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

TEST_F(StorageProcess, LosesNothingInAKillOnSqlite) {
  loses_nothing_in_a_kill("sqlite:" + folder_.database().string());
}

TEST_F(StorageProcess, LosesNothingInAKillOnPostgreSQL) {
  const auto database = storage::make_postgresql_database();
  loses_nothing_in_a_kill(database->url());
}

TEST_F(StorageProcess, IsAsItsPageSays) {
  folder_.configure("{}", {.storage = R"({"busy_timeout_ms": 200})"});
  const auto database = storage::make_sqlite_database(folder_.path().string());
  const auto storage = start(database->url());
  storage_page{SOURCE_DIR "/docs/storage-api.md", folder_.path() / "migrations", *database,
               [this](const std::string& subject, const std::string& payload) {
                 return bus_.request(subject, payload, patience).value();
               }}
      .run();
}

TEST(StoragePage, ShowsEverySettingWithItsDefault) {
  for (const doc_block& block : doc_blocks(SOURCE_DIR "/docs/storage-api.md")) {
    if (block.kind != "settings") continue;
    const auto shown = host::parse_config(R"({"storage": )" + block.text + "}");
    ASSERT_TRUE(shown) << shown.error().message;
    const host::config usual;
    EXPECT_EQ(shown->storage_enabled, usual.storage_enabled);
    EXPECT_EQ(shown->database, usual.database);
    EXPECT_EQ(shown->migrations, usual.migrations);
    EXPECT_EQ(shown->auto_migrate, usual.auto_migrate);
    EXPECT_EQ(shown->request_age, usual.request_age);
    EXPECT_EQ(shown->busy_timeout, usual.busy_timeout);
    EXPECT_EQ(shown->read_timeout, usual.read_timeout);
    EXPECT_EQ(shown->write_timeout, usual.write_timeout);
    EXPECT_EQ(shown->readers, usual.readers);
    EXPECT_EQ(shown->write_queue, usual.write_queue);
    // "unknown key 'storage.x'; known here: a, b, c"
    const std::string known = host::parse_config(R"({"storage": {"x": 1}})").error().message;
    const auto settings = json::parse(block.text).as_object();
    for (const auto& setting : settings) EXPECT_THAT(known, HasSubstr(setting.key()));
    // All of them, and the file that may hold the database's URL.
    EXPECT_THAT(known, HasSubstr("database_url_file"));
    EXPECT_EQ(std::count(known.begin(), known.end(), ','),
              static_cast<std::ptrdiff_t>(settings.size()));
    // The service's own defaults are the same.
    const storage::options defaults;
    EXPECT_EQ(defaults.busy_timeout, usual.busy_timeout);
    EXPECT_EQ(defaults.read_timeout, usual.read_timeout);
    EXPECT_EQ(defaults.write_timeout, usual.write_timeout);
    EXPECT_EQ(defaults.readers, usual.readers);
    EXPECT_EQ(defaults.write_queue, usual.write_queue);
    return;
  }
  ADD_FAILURE() << "no settings";
}

// Answers everything with so many bytes.
class long_winded final : public storage::service {
 public:
  explicit long_winded(std::size_t size) : answer_(size, 'x') {}
  void handle(std::span<storage::incoming> burst) override {
    for (const storage::incoming& each : burst) each.reply(answer_);
  }
  storage::statistics stats() const override { return {}; }
  std::string monitor() const override { return answer_; }

 private:
  std::string answer_;
};

TEST(StorageEndpoint, SaysSoWhenAnAnswerIsTooLongForNats) {
  const host::nats_server nats;
  host::connection bus({.url = nats.url(), .name = "test"});
  long_winded service(2 * 1024 * 1024);
  const host::storage_endpoint endpoint(bus, service);
  ASSERT_TRUE(bus.flush(patience));
  EXPECT_EQ(host::storage_endpoint::reply_limit(bus), 512U * 1024);
  host::connection client({.url = nats.url(), .name = "client"});
  for (const char* subject : {"db.row.demo.select", "rosey.monitoring.storage"}) {
    const auto reply = client.request(subject, "{}", patience);
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_THAT(*reply, HasSubstr(R"("code":"VALUE_TOO_LARGE")"));
  }
}

TEST_F(StorageProcess, WaitsForItsDatabase) {
  postgresql_server server;
  const auto database = storage::make_postgresql_database(server.url());
  server.kill();
  const auto command =
      folder_.command({"storage", "--nats-url", nats_.url(), "--database", database->url()});
  {
    process impatient(command, folder_.path());
    impatient.wait_for_log("cannot reach the server");
    impatient.signal(SIGTERM);
    EXPECT_EQ(impatient.wait(), 0) << impatient.log();
  }
  process storage(command, folder_.path());
  EXPECT_THAT(storage.wait_for_log("cannot reach the server"), HasSubstr("waiting for it, up to"));
  server.start();
  storage.wait_for_log("rosey ready");
  EXPECT_EQ(ask("db.row.playlist.select", {{"table", "queue"}}).at("count"), 0);
  storage.signal(SIGTERM);
  EXPECT_EQ(storage.wait(), 0) << storage.log();
}

TEST_F(StorageProcess, WaitsForALockThatSomebodyElseHolds) {
  const auto database = storage::make_sqlite_database(folder_.path().string());
  start(database->url());  // creates its tables, and ends
  auto lock = database->lock_out_writers();
  process storage(
      folder_.command({"storage", "--nats-url", nats_.url(), "--database", database->url()}),
      folder_.path());
  storage.wait_for_log("database is locked; waiting for it");
  lock.reset();
  storage.wait_for_log("rosey ready");
  EXPECT_EQ(ask("db.row.playlist.select", {{"table", "queue"}}).at("count"), 0);
}

TEST_F(StorageProcess, EndsWhileItsDatabaseHangs) {
  folder_.configure("{}", {.storage = R"({"write_timeout_ms": 1000})"});
  postgresql_server server;
  const auto database = storage::make_postgresql_database(server.url());
  const auto storage = start(database->url());
  for (json::object answer; !answer.contains("success") || !answer.at("success").as_bool();) {
    answer = ask("db.batch.playlist", request("before"));
  }
  server.suspend();
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(bus_.publish("db.batch.playlist", json::serialize(request(std::to_string(i)))));
  }
  const auto refused =
      bus_.request("db.batch.playlist", json::serialize(request("last")), patience);
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_THAT(*refused, HasSubstr(R"("success":false)"));
  EXPECT_EQ(monitor(1).size(), 1U);
  storage->signal(SIGTERM);
  EXPECT_EQ(storage->wait(), 0) << storage->log();
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
  send_fresh_ids(senders, each, {senders * each / 2}, [&] {
    // A service connects when it has work.
    EXPECT_EQ(database->value("SELECT COUNT(DISTINCT application_name) FROM pg_stat_activity "
                              "WHERE application_name IN ('first', 'second')"),
              "2");
    // Each tells of its own part.
    const auto told = monitor(2);
    std::int64_t batches = 0;
    for (const auto& [node, report] : told) {
      EXPECT_GT(report.at("operations").at("batch").as_int64(), 0) << node;
      batches += report.at("operations").at("batch").as_int64();
    }
    EXPECT_GE(batches, senders * each / 2);
    first.signal(SIGKILL);
    first.wait();
  });
  expect_applied(senders * each);
  second.signal(SIGTERM);
  EXPECT_EQ(second.wait(), 0) << second.log();
}

// Each would get some of the requests, and hold some of the data.
TEST_F(StorageProcess, AnotherDatabaseIsNotServedBesideIt) {
  const auto first = start("sqlite:first.db");
  const std::string told = std::string(monitor(1).begin()->second.at("identity").as_string());
  EXPECT_EQ(told.size(), 32U);
  const auto refused = [&](const std::string& database, std::vector<std::string> command) {
    command.insert(command.end(), {"--nats-url", nats_.url(), "--database", database});
    const finished ended = run(folder_.command(std::move(command)), folder_.path());
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.log, HasSubstr(told));
    EXPECT_THAT(ended.log, HasSubstr((folder_.path() / "first.db").string()));
    EXPECT_THAT(ended.log, HasSubstr((folder_.path() / database.substr(7)).string()));
    EXPECT_EQ(std::count(ended.log.begin(), ended.log.end(), '\n'), 1) << ended.log;
  };
  refused("sqlite:second.db", {"storage"});
  std::filesystem::copy(folder_.path() / "first.db", folder_.path() / "copy.db");
  refused("sqlite:copy.db", {"storage"});
  folder_.configure("{}", {.storage = R"({"enabled": true})"});
  refused("sqlite:third.db", {"run"});
  // The same file is the same database.
  const auto again = start("sqlite:first.db");
  EXPECT_EQ(monitor(2).size(), 2U);
}

TEST_F(StorageProcess, OfTwoThatStartAtOnceOneServes) {
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<process>> both;
    for (const char* database : {"sqlite:one.db", "sqlite:two.db"}) {
      both.push_back(std::make_unique<process>(
          folder_.command({"storage", "--nats-url", nats_.url(), "--database", database}),
          folder_.path()));
    }
    std::size_t serving = 0;
    for (const auto& each : both) {
      each->wait_for_log("rosey");
      if (each->log().find("rosey ready") == std::string::npos) {
        EXPECT_EQ(each->wait(), 1);
      } else {
        ++serving;
        each->signal(SIGTERM);
      }
    }
    EXPECT_EQ(serving, 1U);
  }
}

TEST_F(StorageProcess, ABotBringsItsOwnOnlyToItsOwnNats) {
  running_bot bot(folder_, {"--nats-url", nats_.url()});
  EXPECT_THAT(bot.child().log(), HasSubstr("nobody serves storage on this NATS: start `rosey "));
  EXPECT_THAT(bot.say("!queue"), HasSubstr("cannot reach its storage"));
  const auto storage = start("sqlite:x.db");
  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
  EXPECT_FALSE(std::filesystem::exists(folder_.database()));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(StorageProcess, ADatabaseThatIsMovedAwayIsUnavailableUntilItIsBack) {
  const auto storage = start("sqlite:x.db");
  EXPECT_EQ(ask("db.batch.playlist", request("before")).at("success"), true);
  std::filesystem::rename(folder_.path() / "x.db", folder_.path() / "y.db");
  const auto refused = ask("db.batch.playlist", request("meanwhile"));
  EXPECT_EQ(refused.at("error").at("code"), "DATABASE_ERROR");
  EXPECT_EQ(ask("db.row.playlist.select", {{"table", "queue"}}).at("success"), false);
  storage->wait_for_log("The database cannot be written: the file 'x.db' is gone");
  std::filesystem::rename(folder_.path() / "y.db", folder_.path() / "x.db");
  EXPECT_EQ(ask("db.batch.playlist", request("meanwhile")).at("success"), true);
  expect_applied(2);
}

TEST_F(StorageProcess, ABotWithoutStorageUsesIt) {
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
  folder_.configure("{}", {.storage = R"({"auto_migrate": false})"});
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
  const auto applied = bus_.request("db.migrate.playlist.apply", "{}", patience);
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(json::parse(*applied).at("migrations").at(0).at("name"), "004_channel_state.sql");
  const auto after = json::parse(migrate({"--action", "down", "--dry-run", "--json"}).output);
  EXPECT_EQ(after.at("dry_run"), true);
  EXPECT_EQ(ask("db.migrate.playlist.status", {}).at("pending").as_array().size(), 0U);
}

// As when the newest build of a plugin comes to tables of an older one, or leaves newer ones
// behind.
class PluginsTables : public StorageProcess {
 protected:
  finished migrate(const std::string& action, const std::string& to) const {
    return run(folder_.command({"migrate", "--plugin", "playlist", "--action", action, "--to", to}),
               folder_.path());
  }
  // Of the newest migration, without those of other dialects.
  static int newest() {
    std::set<std::string> numbers;
    for (const auto& file :
         std::filesystem::directory_iterator(SOURCE_DIR "/migrations/playlist")) {
      numbers.insert(file.path().filename().string().substr(0, 3));
    }
    return static_cast<int>(numbers.size());
  }
  const std::string needs_ = "needs its tables at version " + std::to_string(newest());
  const std::string before_ = std::to_string(newest() - 1);
};

TEST_F(PluginsTables, ThatAreTooOldKeepItOut) {
  folder_.configure("{}", {.storage = R"({"auto_migrate": false})"});
  ASSERT_EQ(migrate("up", before_).status, 0);
  running_bot bot(folder_);
  EXPECT_THAT(bot.child().log(), HasSubstr(needs_ + ", but they are at " + before_));
  EXPECT_THAT(bot.child().log(), HasSubstr("rosey migrate --plugin playlist --action up"));
  ASSERT_EQ(migrate("up", std::to_string(newest())).status, 0);
  EXPECT_THAT(bot.say("!plugin load playlist"), HasSubstr("Loaded playlist"));
  EXPECT_THAT(bot.say("!add https://youtu.be/dQw4w9WgXcQ"), HasSubstr("Added to queue"));
  // A build that needs more than there is, as this one does now, is not swapped in.
  ASSERT_EQ(migrate("down", before_).status, 0);
  const std::string refused = bot.say("!plugin reload playlist");
  EXPECT_THAT(refused, HasSubstr(needs_ + ", but they are at " + before_));
  EXPECT_THAT(refused, HasSubstr("keeps running"));
  EXPECT_THAT(bot.say("!queue"), HasSubstr("Now:"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(PluginsTables, AreMigratedFirstWhereThatIsAllowed) {
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!add https://youtu.be/dQw4w9WgXcQ"), HasSubstr("Added to queue"));
  ASSERT_EQ(migrate("down", before_).status, 0);
  EXPECT_THAT(bot.say("!plugin reload playlist"), HasSubstr("Reloaded playlist"));
  EXPECT_THAT(bot.child().log(), HasSubstr("the tables of playlist are at version"));
  EXPECT_THAT(bot.say("!queue"), HasSubstr("Now:"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(PluginsTables, ThatLackOnlyWhatItDoesNotNeedAreEnough) {
  std::ofstream(folder_.path() / "migrations/playlist" /
                ("00" + std::to_string(newest() + 1) + "_newer.sql"))
      << "-- UP\nCREATE TABLE playlist_newer (id BIGINT);\n-- DOWN\nDROP TABLE playlist_newer;\n";
  ASSERT_EQ(migrate("up", std::to_string(newest())).status, 0);
  folder_.configure("{}", {.storage = R"({"auto_migrate": false})"});
  running_bot bot(folder_);
  EXPECT_THAT(bot.child().log(),
              HasSubstr("starts although not all of its migrations are applied"));
  EXPECT_THAT(bot.say("!mystats"), testing::Not(HasSubstr("storage")));
  EXPECT_EQ(bot.finish(), 0);
}

// A plugin that says nothing of what it needs, as an author begins.
class DroppedPlugin : public PluginsTables {
 protected:
  void drop(const std::string& up) const {
    const auto folder = folder_.plugins() / "migrations/hello";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "001_greetings.sql")
        << "-- UP\n"
        << up << ";\n-- DOWN\nDROP TABLE hello_greetings;\n";
    const auto library = folder_.plugins() / "libhello.so";
    if (!std::filesystem::exists(library)) std::filesystem::copy_file(HELLO_PLUGIN, library);
  }
  static json::value greetings(running_bot& bot) {
    return json::parse(bot.request("db.row.hello.select", R"({"table": "greetings"})"));
  }
};

TEST_F(DroppedPlugin, BringsItsTables) {
  running_bot bot(folder_);
  drop("CREATE TABLE hello_greetings (id BIGINT)");
  EXPECT_THAT(bot.say("!plugin load hello"), HasSubstr("Loaded hello"));
  EXPECT_EQ(greetings(bot).at("count"), 0);
  // A newer build's are applied before it takes over.
  std::ofstream(folder_.plugins() / "migrations/hello/002_more.sql")
      << "-- UP\nALTER TABLE hello_greetings ADD COLUMN text TEXT;\n"
         "-- DOWN\nALTER TABLE hello_greetings DROP COLUMN text;\n";
  EXPECT_THAT(bot.say("!plugin reload hello"), HasSubstr("Reloaded hello"));
  EXPECT_THAT(bot.child().log(), HasSubstr("the tables of hello are at version 2 now"));
  // One that is wrong keeps the older build.
  std::ofstream(folder_.plugins() / "migrations/hello/004_gap.sql") << "-- UP\n";
  const std::string refused = bot.say("!plugin reload hello");
  EXPECT_THAT(refused, HasSubstr("004_gap.sql follows, but number 003 is missing"));
  EXPECT_THAT(refused, HasSubstr("keeps running"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(DroppedPlugin, ReachesNoTablesOfOthers) {
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!add https://youtu.be/dQw4w9WgXcQ"), HasSubstr("Added to queue"));
  drop("DROP TABLE playlist_queue");
  EXPECT_THAT(bot.say("!plugin load hello"),
              HasSubstr("the migrations of hello 1.0.0 are refused: 001_greetings.sql failed: it "
                        "reaches the table 'playlist_queue'"));
  EXPECT_THAT(bot.say("!add https://vimeo.com/76979871"), HasSubstr("Added to queue"));
  // Its author mends the file.
  drop("CREATE TABLE hello_greetings (id BIGINT)");
  EXPECT_THAT(bot.say("!plugin load hello"), HasSubstr("Loaded hello"));
  drop("CREATE TABLE hello_greetings (id BIGINT, text TEXT)");
  EXPECT_THAT(bot.say("!plugin reload hello"), HasSubstr("--plugin hello --action redo"));
  const finished redone =
      run(folder_.command({"migrate", "--plugin", "hello", "--action", "redo"}), folder_.path());
  EXPECT_EQ(redone.output, "applied 001_greetings.sql again\nversion 1\n") << redone.log;
  EXPECT_THAT(bot.say("!plugin reload hello"), HasSubstr("Reloaded hello"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(StorageProcess, OnePluginsMistakeStopsNobodyElse) {
  const auto migrations = folder_.path() / "migrations";
  for (const char* name : {"bad", "No_Id", "stray"}) {
    std::filesystem::create_directories(migrations / name);
  }
  std::ofstream(migrations / "bad/001_x.sql") << "-- UP\nCREATE TABEL x;\n-- DOWN\nSELECT 1;\n";
  std::ofstream(migrations / "No_Id/001_x.sql") << "-- UP\nSELECT 1;\n-- DOWN\nSELECT 1;\n";
  std::ofstream(migrations / "stray/first.sql") << "-- UP\nSELECT 1;\n-- DOWN\nSELECT 1;\n";
  const auto beside = folder_.path() / "others/migrations/good";
  std::filesystem::create_directories(beside);
  std::ofstream(beside / "001_x.sql")
      << "-- UP\nCREATE TABLE good_x (id BIGINT);\n-- DOWN\nDROP TABLE good_x;\n";
  process storage(folder_.command({"storage", "--nats-url", nats_.url(), "--plugins", "others"}),
                  folder_.path());
  storage.wait_for_log("rosey ready");
  EXPECT_EQ(ask("db.row.good.select", json::object{{"table", "x"}}).at("count"), 0);
  EXPECT_THAT(storage.log(), HasSubstr("migrations of 'bad': 001_x.sql failed: near \"TABEL\""));
  EXPECT_THAT(storage.log(), HasSubstr("migrations of 'No_Id': 'No_Id' is not a plugin's id"));
  EXPECT_THAT(storage.log(), HasSubstr("migrations of 'stray': first.sql is not named like"));
  EXPECT_EQ(ask("db.row.playlist.select", json::object{{"table", "queue"}}).at("count"), 0);
}

TEST_F(PluginsTables, ThatAreBeingMigratedAreBusy) {
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!add https://youtu.be/dQw4w9WgXcQ"), HasSubstr("Added to queue"));
  const auto database = storage::open_database("sqlite:" + folder_.database().string(), {});
  auto migrator = database->connect(storage::access::write);
  migrator->lock_migrations("playlist", std::chrono::seconds(5));
  EXPECT_THAT(bot.say("!add https://vimeo.com/76979871"), HasSubstr("storage is busy"));
  EXPECT_THAT(bot.say("!queue"), HasSubstr("Now:"));
  migrator.reset();
  EXPECT_THAT(bot.say("!add https://vimeo.com/76979871"), HasSubstr("Added to queue"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(PluginsTables, ThatAreNewerDoNotKeepItOut) {
  const auto newer =
      folder_.path() / "migrations/playlist" / ("00" + std::to_string(newest() + 1) + "_newer.sql");
  std::ofstream(newer) << "-- UP\nCREATE TABLE playlist_newer (id BIGINT);\n"
                          "-- DOWN\nDROP TABLE playlist_newer;\n";
  ASSERT_EQ(migrate("up", std::to_string(newest() + 1)).status, 0);
  std::filesystem::remove(newer);
  for (const char* automatic : {"true", "false"}) {
    folder_.configure("{}", {.storage = std::string(R"({"auto_migrate": )") + automatic + "}"});
    running_bot bot(folder_);
    EXPECT_THAT(bot.child().log(), HasSubstr("_newer.sql is applied, and newer than the files"));
    EXPECT_THAT(bot.say("!plugin list"), HasSubstr("playlist"));
    EXPECT_THAT(bot.say("!mystats"), testing::Not(HasSubstr("storage")));
    EXPECT_EQ(bot.finish(), 0);
  }
}

TEST_F(StorageProcess, ABotTellsWhatIsPendingWhenItMayNotMigrate) {
  folder_.configure("{}", {.storage = R"({"auto_migrate": false})"});
  process bot(folder_.command({"run"}), folder_.path());
  bot.wait_for_log("pending playlist/001_create_queue.sql");
  bot.wait_for_log("rosey migrate --plugin playlist --action up");
  bot.wait_for_log("rosey ready");
  const std::vector<std::string> status{"migrate", "--plugin", "playlist", "--action", "status"};
  EXPECT_THAT(run(folder_.command(status), folder_.path()).output,
              HasSubstr("001_create_queue.sql       pending"));
  bot.close_input();
  EXPECT_EQ(bot.wait(), 0) << bot.log();
}

}  // namespace
}  // namespace rosey::tests
