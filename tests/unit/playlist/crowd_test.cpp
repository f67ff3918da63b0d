// Four instances and fifty users at once, in one channel and in fifty: nothing is lost or doubled,
// no limit is exceeded, and every answer was true.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <random>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;

constexpr int users = 50;
constexpr int rounds = 6;
constexpr std::int64_t most_items = 3;

class crowd_test : public ::testing::TestWithParam<int> {
 protected:
  crowd_test() {
    json::object config{
        {"max_items_per_user", most_items}, {"rate_limit_count", 900}, {"max_queue_size", 900}};
    for (int each = 0; each < 4; ++each) here.start(config);
  }

  std::string channel_of(int user) const { return "#c" + std::to_string(user % GetParam()); }

  wire::command_request from(int user, std::string args = {}) {
    wire::command_request request;
    request.channel = channel_of(user);
    request.user = "user" + std::to_string(user);
    request.args = std::move(args);
    request.id = "id-" + std::to_string(++last_id_);
    return request;
  }

  struct sent {
    std::string verb;
    wire::command_request request;
    std::shared_ptr<said> answer;
  };

  sent send(std::string verb, wire::command_request request) {
    auto answer = here.begin("rosey.command.playlist." + verb, wire::encode(request));
    return {std::move(verb), std::move(request), std::move(answer)};
  }

  wire::command_reply reply_to(const sent& command) {
    const auto reply = wire::decode_reply(std::string_view(here.finish(command.answer)));
    EXPECT_TRUE(reply) << command.answer->payload;
    return *reply;
  }

  world here;
  std::mt19937 random{4711};

 private:
  int last_id_ = 0;
};

TEST_P(crowd_test, loses_and_doubles_nothing) {
  std::map<std::string, std::set<std::string>> present;  // ids by channel, as was answered
  std::map<std::string, std::size_t> gone;               // removed or ended, as was answered
  std::size_t busy = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<sent> commands;
    for (int user = 0; user < users; ++user) {
      const auto dice = random() % 10;
      if (dice < 6) {
        commands.push_back(send("add", from(user, video(static_cast<int>(random() % 1000)))));
      } else if (dice < 8) {
        commands.push_back(send("remove", from(user)));
      } else {
        commands.push_back(send("skip", from(user)));
      }
    }
    for (const sent& command : commands) {
      const auto reply = reply_to(command);
      const std::string& channel = command.request.channel;
      if (reply.code == "busy") ++busy;
      if (!reply.success) continue;
      if (command.verb == "add") {
        const std::string id(reply.data.at("item").at("id").as_string());
        EXPECT_TRUE(present[channel].insert(id).second) << id << " was given twice";
      } else {
        ++gone[channel];
      }
      // The same command again is answered alike, and changes nothing.
      if (random() % 5 == 0) {
        wire::command_request again = command.request;
        again.attempt = 2;
        EXPECT_EQ(reply_to(send(command.verb, again)).message, reply.message);
      }
    }
    // Whatever was refused as busy was not done.
    std::map<std::string, std::map<std::string, std::int64_t>> items_of;
    std::map<std::string, std::size_t> stored;
    const auto count = [&](const json::value& row, const char* adder) {
      const std::string channel(row.at("channel").as_string());
      ++stored[channel];
      ++items_of[channel][std::string(row.at(adder).as_string())];
    };
    for (const json::value& row : here.rows("queue")) count(row, "added_by");
    for (const json::value& row : here.rows("channel")) {
      if (!row.at("now_item_id").is_null()) count(row, "now_added_by");
    }
    for (const auto& [channel, added] : present) {
      EXPECT_EQ(stored[channel], added.size() - gone[channel]) << channel;
    }
    for (const auto& [channel, counts] : items_of) {
      for (const auto& [user, items] : counts) EXPECT_LE(items, most_items) << user << channel;
    }
  }
  EXPECT_LT(busy, users * rounds / 20u) << "a crowd is served, not sent away";
}

TEST_P(crowd_test, numbers_its_queue_without_a_gap) {
  std::vector<sent> commands;
  for (int user = 0; user < users; ++user) {
    for (int each = 0; each < 2; ++each) commands.push_back(send("add", from(user, video(user))));
  }
  for (const sent& command : commands) reply_to(command);
  here.settle();
  const std::string asked = R"({"channel":")" + channel_of(0) + "\"}";
  const json::object queue = here.ask("service.playlist.get_queue", asked);
  const json::array& items = queue.at("items").as_array();
  for (std::size_t number = 1; number <= items.size(); ++number) {
    const json::object named{{"channel", channel_of(0)},
                             {"item_id", std::to_string(items.size() + 1 - number)}};
    const json::object removed = here.ask("service.playlist.remove_item", json::serialize(named));
    EXPECT_EQ(removed.at("item").at("id"), items[items.size() - number].at("id"));
  }
}

INSTANTIATE_TEST_SUITE_P(channels, crowd_test, ::testing::Values(1, 50));

}  // namespace
}  // namespace rosey::playlist::testing
