// Events are enough to follow a queue, and their numbers enough to notice that one is missing.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <random>
#include <set>

#include "playlist_plugin/metadata/metadata_config.hpp"
#include "playlist_plugin/service/messages.hpp"
#include "rosey/wire/presence.hpp"
#include "rosey/wire/subjects.hpp"
#include "unit/playlist/queue_mirror.hpp"
#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;

constexpr int known_media = 40;
constexpr char list[] = "yp:PLabcdefghijklmnop";

std::string vimeo_id(std::size_t number) {
  return std::to_string(1'000'000 + number);
}

class events_test : public ::testing::TestWithParam<const char*> {
 protected:
  static constexpr std::size_t users = 7;

  events_test() {
    // What sites would tell is in the cache: nobody is asked, and it comes late where nobody waits.
    const metadata_config sites;
    for (int number = 0; number < known_media; ++number) {
      keep("meta:oembed:vi:" + vimeo_id(number), json::object{{"title", "A song"},
                                                              {"duration", 10 + 5 * number},
                                                              {"endpoint", sites.oembed.at("vi")}});
    }
    json::array entries;
    for (int number = 0; number < 7; ++number) {
      entries.push_back(
          json::object{{"id", video(number).substr(17)}, {"title", "Of a list"}, {"duration", 30}});
    }
    keep(std::string("list50:") + list,
         json::object{{"entries", entries}, {"endpoint", sites.youtube_api}});
    here.start(config(0));
    here.start(config(2000));
  }

  void keep(const std::string& key, const json::value& value) {
    here.storage("kv.playlist.set", {{"key", key}, {"value", value}});
  }

  static json::object config(std::int64_t deadline_ms) {
    const json::object metadata{{"deadline_ms", deadline_ms}, {"youtube_api_key", "unused"}};
    return {{"max_items_per_user", 30},   {"max_duration_per_user", 3'000},
            {"max_item_duration", 180},   {"rate_limit_count", 900},
            {"rate_limit_seconds", 1},    {"order", GetParam()},
            {"max_unknown_duration", 90}, {"metadata", metadata}};
  }

  json::object call(const std::string& service, json::object fields) {
    fields["channel"] = "#lobby";
    return here.ask("service.playlist." + service, json::serialize(fields));
  }
  void begin(const std::string& subject, json::object fields) {
    fields["channel"] = "#lobby";
    begun.push_back(here.begin(subject, json::serialize(fields)));
  }
  void begin_service(const std::string& service, json::object fields) {
    begin("service.playlist." + service, std::move(fields));
  }

  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  }

  std::string somebody() { return "user" + std::to_string(below(users)); }

  std::string some_media() {
    if (below(3) == 0) return "https://streamable.com/abc" + std::to_string(below(90));
    return "vi:" + vimeo_id(below(known_media));
  }

  void import_some() {
    json::array entries;
    for (std::size_t left = 1 + below(3); left > 0; --left) {
      entries.push_back(json::object{{"url", some_media()}});
    }
    json::object asked{{"step", "begin"},
                       {"content", std::to_string(random())},
                       {"count", entries.size()},
                       {"user", "old"},
                       {"index", 0}};
    const json::object begun_import = call("import", asked);
    asked["import"] = begun_import.at("import");
    asked["number"] = begun_import.at("number");
    asked["entries"] = entries;
    asked["step"] = "stage";
    EXPECT_EQ(call("import", asked).at("success"), true);
    asked["step"] = "commit";
    EXPECT_EQ(call("import", asked).at("success"), true);
  }

  void begin_something(const queue_mirror& mirror) {
    const std::string place = std::to_string(1 + below(8));
    const std::string range = place + "-" + std::to_string(std::stoi(place) + 2);
    switch (below(15)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return begin_service("add_item", {{"url", some_media()}, {"user", somebody()}});
      case 5:
        if (below(3) > 0) return;
        return begin_service("add_item", {{"url", list}, {"user", somebody()}});
      case 6:
        return begin_service("remove_item", {{"item_id", below(2) == 0 ? place : range}});
      case 7:
        return begin("rosey.command.playlist.move",
                     {{"user", "mod"},
                      {"role", "moderator"},
                      {"args", (below(2) == 0 ? place : range) + " " +
                                   (below(4) == 0 ? "start" : std::to_string(1 + below(8)))}});
      case 8:
        return begin_service("shuffle", {});
      case 9:
      case 10:
        voter = somebody();
        return begin_service("vote_skip", {{"user", voter}});
      case 11: {
        const std::string user = below(2) == 0 ? voter : somebody();
        const wire::user_presence gone{"#lobby", user, wire::presence_event::part};
        here.server().deliver({wire::subjects::chat_users, "", wire::encode(gone)});
        return;
      }
      case 12:
        if (mirror.current.is_null()) return;
        return begin("playlist.player.position",
                     {{"item_id", mirror.current.at("id")}, {"position", below(60)}});
      case 13:
        if (below(3) > 0 || mirror.current.is_null()) return;
        return begin("playlist.player.finished", {{"item_id", mirror.current.at("id")}});
      default:
        if (below(8) == 0) return begin_service("clear", {});
        return begin_service("skip", {});
    }
  }

  // A few things at once, at both instances.
  void do_something(const queue_mirror& mirror) {
    if (below(30) == 0) import_some();
    for (std::size_t left = 1 + below(3); left > 0; --left) begin_something(mirror);
    for (const auto& each : std::exchange(begun, {})) here.finish(each);
    if (below(3) == 0) here.pass(static_cast<std::int64_t>(below(60)));
  }

  // Tells the mirror what has been published since, but for a share of it.
  void forward(queue_mirror& mirror, std::size_t lost_of_a_hundred) {
    here.settle();
    while (!here.events().empty()) {
      for (const json::object& event : std::exchange(here.events(), {})) {
        kinds.emplace(event.at("event").as_string());
        if (below(100) < lost_of_a_hundred) continue;
        mirror.hear(event);
      }
    }
  }

  void expect_same(const queue_mirror& mirror) {
    const json::object queue = call("get_queue", {});
    json::value current = queue.at("current");
    if (current.is_object()) current = queue_mirror::without_clock(current.as_object());
    EXPECT_EQ(mirror.current, current);
    EXPECT_EQ(json::array(mirror.waiting.begin(), mirror.waiting.end()), queue.at("items"));
  }

  queue_mirror make_mirror() {
    return queue_mirror([this](std::int64_t at_least) {
      return call("get_queue", {{"at_least", at_least}});
    });
  }

  world here;
  std::mt19937 random{20240607};
  std::vector<std::shared_ptr<said>> begun;
  std::set<std::string> kinds;  // of events that were published
  std::string voter = "user0";  // the last one
};

TEST_P(events_test, applied_to_a_snapshot_give_the_queue) {
  queue_mirror mirror = make_mirror();
  mirror.recover();
  for (int step = 0; step < 1000; ++step) {
    do_something(mirror);
    forward(mirror, 0);
    if (step % 25 == 0) expect_same(mirror);
    ASSERT_FALSE(HasFailure()) << "after step " << step;
  }
  forward(mirror, 0);
  expect_same(mirror);
  EXPECT_EQ(mirror.recoveries, 1 + mirror.imports) << "nothing was missing";
  EXPECT_GT(mirror.imports, 2);
  EXPECT_GT(here.stored_version(), 200);
  for (const std::string_view kind : event_subjects()) {
    EXPECT_TRUE(kinds.contains(std::string(kind))) << kind << " was never published";
  }
}

TEST_P(events_test, that_are_lost_are_noticed) {
  queue_mirror mirror = make_mirror();
  mirror.recover();
  for (int step = 0; step < 100; ++step) {
    do_something(mirror);
    forward(mirror, 20);
  }
  // The next event that arrives shows what has been missed.
  call("add_item", {{"url", "https://streamable.com/abc12"}, {"user", "last"}});
  forward(mirror, 0);
  expect_same(mirror);
  EXPECT_GT(mirror.recoveries, 5);
}

INSTANTIATE_TEST_SUITE_P(orders, events_test, ::testing::Values("added", "fair"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace rosey::playlist::testing
