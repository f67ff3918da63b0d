// Two hundred swaps of the playlist in a row, under five hundred commands a second against one
// channel: each command is answered once, none with an error, and the database agrees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <boost/json.hpp>
#include <map>
#include <mutex>
#include <thread>

#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

constexpr int swaps = 200;
constexpr int per_second = 500;
constexpr int most_unanswered = per_second;
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

// Sends at a steady rate, and counts the answers to each command. Only a machine that is too busy
// to keep up slows it down: people who see no answers stop typing, too.
class crowd {
 public:
  explicit crowd(host::connection& bus) : bus_(bus) {
    auto opened = bus.subscribe("crowd.*", "", [this](host::inbound_message reply) {
      const std::lock_guard lock(mutex_);
      const int number = std::stoi(std::string(reply.subject().substr(6)));
      if (++answers_[number] > 1) ++doubled_;
      const json::value answer = json::parse(reply.payload());
      if (!answer.at("success").as_bool()) failures_.emplace_back(reply.payload());
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
  int doubled() const { return doubled_; }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  void send() {
    const auto began = std::chrono::steady_clock::now();
    for (; !enough_; ++sent_) {
      const auto& step = script[static_cast<std::size_t>(sent_) % std::size(script)];
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
  }

  host::connection& bus_;
  host::subscription inbox_;
  std::mutex mutex_;  // guards the next three
  std::map<int, int> answers_;
  int doubled_ = 0;
  std::vector<std::string> failures_;
  std::atomic<bool> enough_ = false;
  int sent_ = 0;
  std::thread sender_;
};

std::vector<std::string> stored_links(const std::filesystem::path& database) {
  sqlite3* file = nullptr;
  EXPECT_EQ(sqlite3_open(database.c_str(), &file), SQLITE_OK);
  std::vector<std::string> links;
  sqlite3_exec(
      file, "SELECT media_id FROM playlist_queue WHERE channel = '#load' ORDER BY position",
      [](void* into, int, char** values, char**) {
        static_cast<std::vector<std::string>*>(into)->emplace_back(values[0]);
        return 0;
      },
      &links, nullptr);
  sqlite3_close(file);
  return links;
}

TEST(Reload, TwoHundredTimesUnderLoadLosesNothing) {
  const bot_folder folder;
  folder.configure(R"({"rate_limit_count": 900, "rate_limit_seconds": 1,
                       "max_items_per_user": 900, "max_queue_size": 900})");
  running_bot bot(folder);
  // So many that no remove and no skip of the crowd finds nothing, in whatever order they arrive.
  for (int item = 0; item < 50; ++item) {
    bot.request("rosey.command.playlist.add",
                R"({"channel":"#load","user":"ann","args":"yt:dQw4w9WgXcQ"})");
  }
  crowd people(bot.bus());
  host::connection admin({.url = bot.nats_url(), .name = "admin"});
  for (int swap = 0; swap < swaps; ++swap) {
    const auto reply =
        admin.request("rosey.admin.plugin.reload", R"({"name":"playlist"})", patience);
    ASSERT_TRUE(reply);
    ASSERT_THAT(*reply, HasSubstr("Reloaded playlist 0.1.0 → 0.1.0\""));
  }
  const int sent = people.finish();
  RecordProperty("commands", sent);
  EXPECT_GT(sent, swaps);
  EXPECT_EQ(people.answered(), sent);
  EXPECT_EQ(people.doubled(), 0);
  EXPECT_THAT(people.failures(), testing::IsEmpty());

  std::vector<std::string> shown;
  const json::value queue =
      json::parse(bot.request("service.playlist.get_queue", R"({"channel":"#load"})"));
  for (const json::value& item : queue.at("items").as_array()) {
    shown.emplace_back(item.at("media_id").as_string());
  }
  EXPECT_EQ(bot.finish(), 0) << bot.child().log();
  EXPECT_EQ(stored_links(folder.database()), shown);
}

}  // namespace
}  // namespace rosey::tests
