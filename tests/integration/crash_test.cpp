// kill -9 at any moment: what was answered is there again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>
#include <random>
#include <thread>

#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;

constexpr char unlimited[] =
    R"({"rate_limit_count": 900, "max_items_per_user": 900, "max_queue_size": 900})";

std::string add_request(int number) {
  return json::serialize(json::object{{"channel", "#lobby"},
                                      {"user", "ann"},
                                      {"args", "yt:AAAAAAA" + std::to_string(1000 + number)}});
}

// What get_queue tells: the item that plays, then those that wait.
std::vector<std::string> ids_in_order(running_bot& bot) {
  const auto current =
      json::parse(bot.request("service.playlist.get_current", R"({"channel":"#lobby"})"))
          .as_object();
  const auto queue =
      json::parse(bot.request("service.playlist.get_queue", R"({"channel":"#lobby"})")).as_object();
  std::vector<std::string> ids;
  if (const auto* item = current.if_contains("item"); item && item->is_object()) {
    ids.emplace_back(item->as_object().at("id").as_string());
  }
  for (const json::value& item : queue.at("items").as_array()) {
    ids.emplace_back(item.as_object().at("id").as_string());
  }
  return ids;
}

TEST(Crash, KeepsEveryItemWhoseAddWasAnswered) {
  const bot_folder folder;
  folder.configure(unlimited);
  std::vector<std::string> acknowledged;
  std::mt19937 random(20240607);  // NOLINT: the same moments every time
  int number = 0;
  for (int round = 0; round < 4; ++round) {
    running_bot bot(folder);
    EXPECT_EQ(ids_in_order(bot), acknowledged) << "round " << round;

    // One sender, killed in the middle of whatever it is waiting for.
    const int answers_before_kill = std::uniform_int_distribution(3, 40)(random);
    std::atomic<int> answered = 0;
    const auto send = [&] {
      for (;;) {
        const auto reply =
            bot.bus().request(add_subject, add_request(number++), std::chrono::milliseconds(500));
        if (!reply) return;
        const auto object = json::parse(*reply).as_object();
        ASSERT_TRUE(object.at("success").as_bool()) << *reply;
        acknowledged.emplace_back(
            object.at("data").as_object().at("item").as_object().at("id").as_string());
        ++answered;
        answered.notify_one();
      }
    };
    std::thread sender([&] {
      send();
      answered = std::numeric_limits<int>::max();  // also if an answer was a failure
      answered.notify_one();
    });
    for (int seen = answered; seen < answers_before_kill; seen = answered) answered.wait(seen);
    bot.child().signal(SIGKILL);
    bot.child().wait();
    sender.join();

    // An add whose answer was lost with the bot may be there as well, at the end: take it up.
    running_bot again(folder);
    const auto found = ids_in_order(again);
    ASSERT_GE(found.size(), acknowledged.size());
    EXPECT_TRUE(std::equal(acknowledged.begin(), acknowledged.end(), found.begin()));
    EXPECT_LE(found.size(), acknowledged.size() + 1);
    acknowledged = found;
    EXPECT_EQ(again.finish(), 0);
  }
}

TEST(Crash, KeepsWhatPlays) {
  const bot_folder folder;
  std::string playing;
  {
    running_bot bot(folder);
    bot.say("!add https://youtu.be/dQw4w9WgXcQ");
    bot.say("!add https://vimeo.com/76979871");
    playing = bot.request("service.playlist.get_current", R"({"channel":"#lobby"})");
    EXPECT_THAT(playing, testing::HasSubstr("dQw4w9WgXcQ"));
    bot.kill();
  }
  running_bot bot(folder);
  // It may have been said before the bot was ready.
  const std::string recovered = "Recovered 2 items for #lobby";
  if (bot.child().log().find(recovered) == std::string::npos) bot.child().wait_for_log(recovered);
  json::value before = json::parse(playing);
  json::value after =
      json::parse(bot.request("service.playlist.get_current", R"({"channel":"#lobby"})"));
  // It plays on: how far it is may differ, and never goes back.
  EXPECT_GE(after.at("item").at("elapsed").as_int64(), before.at("item").at("elapsed").as_int64());
  before.at("item").as_object().erase("elapsed");
  after.at("item").as_object().erase("elapsed");
  EXPECT_EQ(after.at("item"), before.at("item"));
  EXPECT_THAT(bot.say("!queue"), testing::HasSubstr("1. [vi] 76979871"));
  EXPECT_EQ(bot.finish(), 0);
}

}  // namespace
}  // namespace rosey::tests
