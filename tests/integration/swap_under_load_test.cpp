// Two hundred swaps of the playlist in a row, under five hundred commands a second against one
// channel: each command is answered once, none with an error, and what the answers said is what is
// in the database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <boost/json.hpp>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

constexpr int swaps = SANITIZED ? 50 : 200;  // a sanitizer makes each take three times as long
constexpr int per_second = 500;
constexpr int most_unanswered = per_second / 20;  // a channel answers `busy` when its line is long
constexpr char channel[] = "#load";

// What the channel's people do, in turn; adds and removes balance, so that no queue gets full.
constexpr struct {
  const char* verb;
  const char* args;
} script[] = {{"add", "yt:dQw4w9WgXcQ"},
              {"queue", ""},
              {"add", "yt:oHg5SJYRHA0"},
              {"nowplaying", ""},
              {"remove", ""},
              {"mystats", ""},
              {"skip", ""},
              {"history", "10"}};

// What people were told became of their items, by the items' ids.
class told {
 public:
  void add(std::string_view verb, const json::value& answer) {
    if (verb == "add") {
      const json::value& data = answer.at("data");
      note(added_, data.at("item"));
      if (data.at("playing").as_bool()) note(played_, data.at("item"));
    } else if (verb == "remove") {
      note(removed_, answer.at("data").at("item"));
    } else if (verb == "skip") {
      ++skips_;
      note(played_, answer.at("data").at("next_item"));
    }
  }

  // What waits, if everything that was told is so.
  std::set<std::string> waiting() const {
    std::set<std::string> left;
    for (const std::string& id : added_) {
      if (!removed_.contains(id) && !played_.contains(id)) left.insert(id);
    }
    return left;
  }
  const std::set<std::string>& played() const { return played_; }
  int skips() const { return skips_; }

 private:
  static void note(std::set<std::string>& ids, const json::value& item) {
    const std::string id(item.at("id").as_string());
    EXPECT_TRUE(ids.insert(id).second) << id << " was told twice";
  }

  std::set<std::string> added_;
  std::set<std::string> removed_;
  std::set<std::string> played_;  // began to
  int skips_ = 0;
};

// Sends at a steady rate, and counts the answers to each command. Only a machine that is too busy
// to keep up slows it down: people who see no answers stop typing, too.
class crowd {
 public:
  // `before` is what was told before they came.
  crowd(host::connection& bus, told before) : bus_(bus), heard_(std::move(before)) {
    auto opened = bus.subscribe("crowd.*", "", [this](host::inbound_message reply) {
      const std::lock_guard lock(mutex_);
      const int number = std::stoi(std::string(reply.subject().substr(6)));
      if (++answers_[number] > 1) ++doubled_;
      const json::value answer = json::parse(reply.payload());
      if (answer.at("success").as_bool()) {
        heard_.add(verb_of(number), answer);
      } else {
        failures_.emplace_back(reply.payload());
      }
    });
    EXPECT_TRUE(opened);
    inbox_ = std::move(*opened);
    EXPECT_TRUE(bus.flush(patience));
    sender_ = std::thread([this] { send(); });
  }

  ~crowd() {
    enough_ = true;
    if (sender_.joinable()) sender_.join();
  }

  // Ends the sending, and waits for the answers. How many commands there were.
  int finish() {
    enough_ = true;
    sender_.join();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (answered() < sent_ && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    // Behind this answer nothing of the plugin's is on its way any more.
    EXPECT_TRUE(bus_.request("rosey.command.playlist.queue", R"({"channel":"#load","user":"ann",
                                                                 "args":""})",
                             patience));
    inbox_.end();
    inbox_.finished().wait();
    return sent_;
  }

  int answered() {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(answers_.size());
  }
  int sent() const { return sent_; }
  void wait_for_one_more() const {
    for (const int before = sent_; sent_ == before;) std::this_thread::yield();
  }
  // After finish().
  const told& heard() const { return heard_; }
  double rate() const { return sent_ / sending_; }
  int doubled() const { return doubled_; }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  static const auto& step_of(int number) {
    return script[static_cast<std::size_t>(number) % std::size(script)];
  }
  static std::string_view verb_of(int number) { return step_of(number).verb; }

  void send() {
    const auto began = std::chrono::steady_clock::now();
    for (; !enough_; ++sent_) {
      const auto& step = step_of(sent_);
      const json::object command{{"channel", channel},
                                 {"user", "ann"},
                                 {"args", step.args},
                                 {"role", "moderator"},
                                 {"id", "load-" + std::to_string(sent_)}};
      natsConnection_PublishRequestString(
          bus_.native(), (std::string("rosey.command.playlist.") + step.verb).c_str(),
          ("crowd." + std::to_string(sent_)).c_str(), json::serialize(command).c_str());
      while (sent_ - answered() > most_unanswered && !enough_) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      std::this_thread::sleep_until(began +
                                    std::chrono::microseconds(1'000'000LL * sent_ / per_second));
    }
    sending_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }

  host::connection& bus_;
  host::subscription inbox_;
  std::mutex mutex_;  // guards the next four
  told heard_;
  std::map<int, int> answers_;
  int doubled_ = 0;
  std::vector<std::string> failures_;
  std::atomic<bool> enough_ = false;
  std::atomic<int> sent_ = 0;
  double sending_ = 0;  // seconds
  std::thread sender_;
};

// The first column of a query's rows.
std::vector<std::string> stored(const std::filesystem::path& database, const char* query) {
  sqlite3* file = nullptr;
  EXPECT_EQ(sqlite3_open(database.c_str(), &file), SQLITE_OK);
  std::vector<std::string> values;
  const int done = sqlite3_exec(
      file, query,
      [](void* into, int, char** row, char**) {
        static_cast<std::vector<std::string>*>(into)->emplace_back(row[0] ? row[0] : "");
        return 0;
      },
      &values, nullptr);
  EXPECT_EQ(done, SQLITE_OK) << query;
  sqlite3_close(file);
  return values;
}

// Each swap copies the library: a quarter of a gigabyte a second, if it holds what only a debugger
// reads.
void strip_plugin(const bot_folder& folder) {
  const finished done =
      run({"/usr/bin/env", "strip", "--strip-all", "libplaylist.so"}, folder.plugins());
  EXPECT_EQ(done.status, 0) << done.log;
}

TEST(Reload, TwoHundredTimesUnderLoadLosesNothing) {
  const bot_folder folder;
  strip_plugin(folder);
  folder.configure(R"({"rate_limit_count": 900, "rate_limit_seconds": 1,
                       "max_items_per_user": 900, "max_queue_size": 900})");
  running_bot bot(folder);
  // So many that no remove and no skip of the crowd finds nothing, in whatever order they arrive.
  told before;
  for (int item = 0; item < 50; ++item) {
    before.add("add", json::parse(bot.request(
                          "rosey.command.playlist.add",
                          R"({"channel":"#load","user":"ann","args":"yt:dQw4w9WgXcQ"})")));
  }
  crowd people(bot.bus(), std::move(before));
  host::connection admin({.url = bot.nats_url(), .name = "admin"});
  int quiet_swaps = 0;
  for (int swap = 0; swap < swaps; ++swap) {
    people.wait_for_one_more();
    const int sent_before = people.sent();
    const auto reply =
        admin.request("rosey.admin.plugin.reload", R"({"name":"playlist"})", patience);
    ASSERT_TRUE(reply);
    ASSERT_THAT(*reply, HasSubstr("Reloaded playlist 0.1.0 → 0.1.0\""));
    quiet_swaps += people.sent() == sent_before;
  }
  const int sent = people.finish();
  RecordProperty("commands", sent);
  RecordProperty("commands_per_second", std::to_string(people.rate()));
  EXPECT_EQ(quiet_swaps, 0) << "swaps without a command meanwhile";
  EXPECT_GT(sent, swaps);
  EXPECT_EQ(people.answered(), sent);
  EXPECT_EQ(people.doubled(), 0);
  EXPECT_THAT(people.failures(), testing::IsEmpty());

  std::vector<std::string> shown;
  const json::value queue =
      json::parse(bot.request("service.playlist.get_queue", R"({"channel":"#load"})"));
  for (const json::value& item : queue.at("items").as_array()) {
    shown.emplace_back(item.at("id").as_string());
  }
  EXPECT_EQ(bot.finish(), 0) << bot.child().log();

  const auto in_database = [&](const char* query) { return stored(folder.database(), query); };
  const auto queued =
      in_database("SELECT item_id FROM playlist_queue WHERE channel = '#load' ORDER BY position");
  EXPECT_EQ(queued, shown);
  EXPECT_THAT(queued, testing::UnorderedElementsAreArray(people.heard().waiting()));
  const auto playing = in_database("SELECT now_item_id FROM playlist_channel");
  ASSERT_EQ(playing.size(), 1u);
  EXPECT_THAT(people.heard().played(), testing::Contains(playing[0]));
  EXPECT_EQ(people.heard().played().size(), people.heard().skips() + 1u);
  EXPECT_THAT(in_database("SELECT COUNT(*) FROM playlist_history WHERE skipped"),
              testing::ElementsAre(std::to_string(people.heard().skips())));
}

}  // namespace
}  // namespace rosey::tests
