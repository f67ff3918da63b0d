// Events are enough to follow a queue, and their numbers enough to notice that one is missing.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <random>

#include "unit/playlist/queue_mirror.hpp"
#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;

// Storage writes whole seconds without a fraction, so that a time may be spelled in two ways.
json::value comparable(json::value item) {
  if (item.is_object()) item.as_object().erase("added_at");
  return item;
}

json::array comparable(const std::vector<json::value>& items) {
  json::array all;
  for (const json::value& item : items) all.push_back(comparable(item));
  return all;
}

class events_test : public ::testing::Test {
 protected:
  static constexpr std::size_t users = 7;

  events_test() {
    const json::object config{{"max_items_per_user", 30},
                              {"max_duration_per_user", 100'000},
                              {"rate_limit_count", 900},
                              {"rate_limit_seconds", 1}};
    here.start(config);
    here.start(config);
  }

  json::object call(const std::string& service, json::object fields) {
    fields["channel"] = "#lobby";
    return here.ask("service.playlist." + service, json::serialize(fields));
  }

  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  }

  std::string somebody() { return "user" + std::to_string(below(users)); }

  void do_something() {
    const std::string place = std::to_string(1 + below(8));
    switch (below(11)) {
      case 0:
      case 1:
      case 2:
      case 3:
        call("add_item", {{"url", video(static_cast<int>(below(1000)))}, {"user", somebody()}});
        break;
      case 4:
        call("remove_item", {{"item_id", place}});
        break;
      case 5:
        here.say(somebody(), "move", place + " " + std::to_string(1 + below(8)),
                 wire::role::moderator);
        break;
      case 6:
        call("shuffle", {});
        break;
      case 7:
        call("vote_skip", {{"user", somebody()}});
        break;
      case 8:
        call("skip", {});
        break;
      case 9:
        if (below(20) == 0) call("clear", {});
        break;
      default:
        here.pass(static_cast<std::int64_t>(below(60)));
    }
  }

  // Tells the mirror what has been published since, but for a share of it.
  void forward(queue_mirror& mirror, std::size_t lost_of_a_hundred) {
    here.settle();
    for (const json::object& event : std::exchange(here.events(), {})) {
      if (below(100) < lost_of_a_hundred) continue;
      mirror.hear(event);
    }
  }

  void expect_same(const queue_mirror& mirror) {
    const json::object queue = call("get_queue", {});
    json::value current = queue.at("current");
    if (current.is_object()) current = queue_mirror::without_clock(current.as_object());
    EXPECT_EQ(comparable(mirror.current), comparable(current));
    json::array items;
    for (const json::value& item : queue.at("items").as_array()) items.push_back(comparable(item));
    EXPECT_EQ(comparable(mirror.waiting), items);
  }

  world here;
  std::mt19937 random{20240607};
};

TEST_F(events_test, applied_to_a_snapshot_give_the_queue) {
  queue_mirror mirror([this] { return call("get_queue", {}); });
  mirror.recover();
  for (int step = 0; step < 3000; ++step) {
    do_something();
    forward(mirror, 0);
    if (step % 50 == 0) expect_same(mirror);
  }
  expect_same(mirror);
  EXPECT_EQ(mirror.recoveries, 1) << "nothing was missing";
  EXPECT_GT(here.stored_version(), 1500);
}

TEST_F(events_test, that_are_lost_are_noticed) {
  queue_mirror mirror([this] { return call("get_queue", {}); });
  mirror.recover();
  for (int step = 0; step < 1500; ++step) {
    do_something();
    forward(mirror, 20);
  }
  // The next event that arrives shows what has been missed.
  call("add_item", {{"url", video(1)}, {"user", "last"}});
  forward(mirror, 0);
  expect_same(mirror);
  EXPECT_GT(mirror.recoveries, 50);
}

}  // namespace
}  // namespace rosey::playlist::testing
