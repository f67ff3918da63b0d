// Four instances of the playlist in two host processes, on one NATS and one storage service, under
// a crowd; one host is killed in the middle. No item is lost or there twice, and no limit exceeded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iterator>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "host_stub/bus/nats_server.hpp"
#include "integration/support/bot.hpp"
#include "integration/support/process.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;

constexpr int users = 50;
constexpr int commands_each = 16;
constexpr std::size_t quota = 3;
// As the command router waits: an instance carries nothing out that is older.
constexpr std::chrono::seconds attempt_timeout{5};

std::string user_name(int user) {
  return "user" + std::to_string(user);
}

// An id as YouTube's are, of no other item.
std::string media_of(int user, int number) {
  const std::string tail = std::to_string(user * 1000 + number);
  return std::string("AAAAAAAAAAA").substr(tail.size()) + tail;
}

class Crowd : public testing::Test {
 protected:
  Crowd() {
    storage_ = std::make_unique<process>(
        folder_.command({"storage", "--nats-url", nats_.url(), "--database",
                         "sqlite:" + folder_.database().string()}),
        folder_.path());
    storage_->wait_for_log("rosey ready");
    for (auto& host : hosts_) host = start_host();
  }

  std::unique_ptr<process> start_host() {
    constexpr char config[] = R"({"metadata": "none", "max_items_per_user": 3,
        "max_queue_size": 900, "rate_limit_count": 900, "announce": false})";
    auto started =
        std::make_unique<process>(std::vector<std::string>{SEVERAL_INSTANCES, nats_.url(),
                                                           folder_.plugins().string(), "2", config},
                                  folder_.path());
    started->wait_for_log("ready");
    return started;
  }

  // A read, until somebody has time for it.
  json::object ask(const std::string& subject, const json::object& payload) {
    for (int attempt = 1; attempt < 60; ++attempt) {
      // One that the dying host took is lost.
      const auto reply = bus_.request(subject, json::serialize(payload), attempt_timeout);
      if (!reply) continue;
      json::object answer = json::parse(*reply).as_object();
      if (!is_for_later(answer)) return answer;
    }
    ADD_FAILURE() << subject << " was never answered";
    return {};
  }

  static bool is_for_later(const json::object& answer) {
    const json::value* code = answer.if_contains("code");
    return code && (*code == "busy" || *code == "storage_unavailable");
  }

  // As a command router does it: the same id until there is an answer.
  json::object command(const std::string& verb, json::object payload, const std::string& id) {
    payload["id"] = id;
    for (std::int64_t attempt = 1; attempt < 60; ++attempt) {
      if (attempt > 1) payload["attempt"] = attempt;
      const auto reply =
          bus_.request("rosey.command.playlist." + verb, json::serialize(payload), attempt_timeout);
      if (!reply) continue;
      json::object answer = json::parse(*reply).as_object();
      if (!is_for_later(answer)) return answer;
    }
    ADD_FAILURE() << verb << " " << json::serialize(payload) << " was never answered";
    return {};
  }

  // What one user types, and what the answers say.
  void type(int user, const std::string& channel) {
    std::mt19937 random(static_cast<unsigned>(user));
    const std::string name = user_name(user);
    const json::object who{{"channel", channel}, {"user", name}};
    for (int number = 0; number < commands_each; ++number) {
      const std::string id = name + "-" + std::to_string(number);
      json::object asked = who;
      std::string verb = "add";
      asked["args"] = "yt:" + media_of(user, number);
      const int choice = std::uniform_int_distribution(0, 9)(random);
      if (choice >= 6) {
        verb = choice == 6 ? "remove" : choice == 7 ? "voteskip" : choice == 8 ? "queue" : "skip";
        asked["args"] = "";
      }
      const json::object answer = command(verb, asked, id);
      if (answer.empty()) return;
      note(verb, user, number, answer);
      const bool changed = answer.at("success").as_bool() && verb != "queue";
      if (changed && number % 5 == 0) {
        // Asked again, whoever hears it: answered alike.
        asked["attempt"] = 2;
        EXPECT_EQ(command(verb, asked, id), answer) << verb;
      }
      ++answered_;
      answered_.notify_all();
    }
  }

  void note(const std::string& verb, int user, int number, const json::object& answer) {
    const std::lock_guard lock(mutex_);
    if (!answer.at("success").as_bool()) {
      ++refusals_[std::string(answer.at("code").as_string())];
      return;
    }
    if (verb == "queue") return;
    const auto& data = answer.at("data").as_object();
    if (verb == "add") {
      EXPECT_EQ(data.at("item").at("media_id").as_string(), media_of(user, number));
      EXPECT_TRUE(ids_.insert(where_is(data)).second) << "two items have the id of " << answer;
      added_.insert(media_of(user, number));
    } else if (verb == "remove") {
      EXPECT_EQ(data.at("item").at("added_by").as_string(), user_name(user));
      EXPECT_TRUE(removed_.emplace(data.at("item").at("media_id").as_string()).second) << answer;
    }
  }

  // Ids are unique in a channel, and a user is in one.
  std::string where_is(const json::object& data) const {
    const json::object& item = data.at("item").as_object();
    return channel_of(item.at("added_by").as_string()) + " " +
           std::string(item.at("id").as_string());
  }
  std::string channel_of(std::string_view user) const {
    return "#" + std::to_string(std::stoi(std::string(user.substr(4))) % channels_);
  }

  // As storage has it: who died between a commit and its events has told nobody.
  json::object newest(const std::string& subject, const std::string& channel) {
    const json::object asked{{"table", "channel"}, {"filter", json::object{{"channel", channel}}}};
    const json::object stored = ask("db.row.playlist.select", asked);
    const json::value& version = stored.at("rows").at(0).at("version");
    return ask(subject, {{"channel", channel}, {"at_least", version}});
  }

  // What is to be found in a channel: what waits, and what plays.
  std::vector<json::object> items_of(const std::string& channel) {
    std::vector<json::object> items;
    const json::object queue = newest("service.playlist.get_queue", channel);
    if (const auto* item = queue.if_contains("current"); item && item->is_object()) {
      items.push_back(item->as_object());
    }
    for (const json::value& item : queue.at("items").as_array()) items.push_back(item.as_object());
    return items;
  }

  void expect_quotas(const std::string& channel) {
    const json::object queue = ask("service.playlist.get_queue", {{"channel", channel}});
    std::map<std::string, std::size_t> count;
    for (const json::value& item : queue.at("items").as_array()) {
      ++count[std::string(item.at("added_by").as_string())];
    }
    for (const auto& [user, items] : count) EXPECT_LE(items, quota) << user << " in " << channel;
  }

  void hammer(int channels) {
    channels_ = channels;
    std::vector<std::thread> crowd;
    for (int user = 0; user < users; ++user) {
      crowd.emplace_back([this, user] { type(user, channel_of(user_name(user))); });
    }
    // In the middle, one host is gone; later another takes its place.
    wait_for(users * commands_each / 3);
    expect_quotas("#0");
    hosts_[0]->signal(SIGKILL);
    hosts_[0]->wait();
    wait_for(users * commands_each * 2 / 3);
    expect_quotas("#0");
    hosts_[0] = start_host();
    for (std::thread& each : crowd) each.join();
    EXPECT_EQ(answered_, users * commands_each);
    expect_nothing_lost();
  }

  void wait_for(int answers) {
    for (int seen = answered_; seen < answers; seen = answered_) answered_.wait(seen);
  }

  // Every item that was added is in one place, and nothing else is anywhere.
  void expect_nothing_lost() {
    std::multiset<std::string> found(removed_.begin(), removed_.end());
    for (int channel = 0; channel < channels_; ++channel) {
      const std::string name = "#" + std::to_string(channel);
      for (const json::object& item : items_of(name))
        found.emplace(item.at("media_id").as_string());
      for (const json::value& item : history_of(name)) {
        found.emplace(item.at("media_id").as_string());
      }
      expect_alike_everywhere(name);
      expect_numbers_without_gaps(name);
    }
    std::vector<std::string> lost, unknown;
    std::set_difference(added_.begin(), added_.end(), found.begin(), found.end(),
                        std::back_inserter(lost));
    std::set_difference(found.begin(), found.end(), added_.begin(), added_.end(),
                        std::back_inserter(unknown));
    EXPECT_THAT(lost, testing::IsEmpty());
    EXPECT_THAT(unknown, testing::IsEmpty()) << "there twice, or never acknowledged";
    EXPECT_GT(added_.size(), static_cast<std::size_t>(users));
    std::set<std::string> codes;
    for (const auto& [code, count] : refusals_) codes.insert(code);
    EXPECT_THAT(codes, testing::IsSubsetOf({"quota_items", "not_found", "nothing_playing",
                                            "forbidden", "duplicate"}));
  }

  json::array history_of(const std::string& channel) {
    const json::object asked{{"table", "history"}, {"filter", json::object{{"channel", channel}}}};
    return ask("db.row.playlist.select", asked).at("rows").as_array();
  }

  // Whichever instance is asked: the queue group chooses another one each time.
  void expect_alike_everywhere(const std::string& channel) {
    const auto without_clock = [&] {
      json::object queue = newest("service.playlist.get_queue", channel);
      if (auto* current = queue.at("current").if_object()) current->erase("elapsed");
      return json::serialize(queue);
    };
    const std::string first = without_clock();
    const int times = channels_ == 1 ? 20 : 3;
    for (int i = 0; i < times; ++i) EXPECT_EQ(without_clock(), first);
  }

  // People see 1, 2, 3 … whatever was added, moved and removed.
  void expect_numbers_without_gaps(const std::string& channel) {
    const json::object who{{"channel", channel}, {"user", "ann"}, {"args", ""}};
    const json::object shown = ask("rosey.command.playlist.queue", who);
    std::istringstream lines{std::string(shown.at("message").as_string())};
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
      if (line.empty() || line[0] < '0' || line[0] > '9') continue;
      EXPECT_EQ(std::stoi(line), ++number) << shown;
    }
  }

  const bot_folder folder_;
  const host::nats_server nats_;
  std::unique_ptr<process> storage_;
  std::array<std::unique_ptr<process>, 2> hosts_;
  host::connection bus_{{.url = nats_.url(), .name = "crowd"}};

  int channels_ = 1;
  std::atomic<int> answered_ = 0;
  std::mutex mutex_;  // guards what follows
  std::set<std::string> ids_;
  std::set<std::string> added_;
  std::set<std::string> removed_;
  std::map<std::string, int> refusals_;
};

TEST_F(Crowd, OfFiftyInOneChannelLosesNothing) {
  hammer(1);
}

TEST_F(Crowd, OfFiftyInFiftyChannelsLosesNothing) {
  hammer(50);
}

}  // namespace
}  // namespace rosey::tests
