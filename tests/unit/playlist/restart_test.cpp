// What was answered is still there after a restart: items, ids, order, what plays, who voted.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using ::testing::Contains;
using ::testing::HasSubstr;

json::object queue_of(world& here) {
  return here.ask("service.playlist.get_queue", R"({"channel":"#lobby"})");
}

TEST(restart, keeps_the_queue_as_it_was) {
  world here;
  instance& before = here.start(generous);
  for (int number = 1; number <= 6; ++number) here.say("ann", "add", video(number));
  here.say("mod", "shuffle", "", wire::role::moderator);
  here.say("ann", "move", "q6 start");
  here.say("ann", "remove", "3");
  here.say("bob", "voteskip");
  here.pass(42);
  const json::object queue = queue_of(here);
  EXPECT_EQ(queue.at("items").as_array().size(), 4u);
  here.stop(before);
  here.log().clear();
  here.start(generous);
  EXPECT_THAT(here.log(), Contains("Recovered 5 items for #lobby"));
  EXPECT_EQ(queue_of(here), queue);
  EXPECT_THAT(here.say("ann", "nowplaying").message, HasSubstr("0:42"));
  EXPECT_EQ(here.say("bob", "voteskip").code, "duplicate");
  EXPECT_EQ(here.say("ann", "add", video(7)).data.at("item").at("id"), "q7");
}

TEST(restart, keeps_the_turns_of_a_fair_order) {
  const json::object fair{
      {"max_items_per_user", 100}, {"rate_limit_count", 100}, {"order", "fair"}};
  world here;
  instance& before = here.start(fair);
  here.say("ann", "add", video(1));
  for (int number = 2; number <= 4; ++number) here.say("bob", "add", video(number));
  here.say("ann", "add", video(5));
  here.stop(before);
  here.start(fair);
  // ann plays and has had her turn: her second item stands behind the first of cid.
  EXPECT_EQ(here.say("cid", "add", video(6)).message, "📺 Added to queue (#2): [yt] video000006");
  const json::object queue = queue_of(here);
  std::vector<std::string> order;
  for (const json::value& item : queue.at("items").as_array()) {
    order.emplace_back(item.at("id").as_string());
  }
  EXPECT_THAT(order, ::testing::ElementsAre("q2", "q6", "q3", "q5", "q4"));
}

TEST(restart, recovers_every_channel) {
  world here;
  instance& before = here.start(generous);
  for (const char* channel : {"#a", "#b", "#c"}) {
    wire::command_request request;
    request.channel = channel;
    request.user = "ann";
    request.args = video(1);
    EXPECT_TRUE(here.say("add", request).success);
  }
  here.stop(before);
  here.log().clear();
  here.start(generous);
  for (const char* channel : {"#a", "#b", "#c"}) {
    EXPECT_THAT(here.log(), Contains("Recovered 1 items for " + std::string(channel)));
  }
}

TEST(restart, beside_a_running_instance_takes_over_without_a_gap) {
  world here;
  instance& old = here.start(generous);
  here.say("ann", "add", video(1));
  here.start(generous);
  here.say("ann", "add", video(2));
  here.say("ann", "add", video(3));
  const auto in_flight =
      here.begin("rosey.command.playlist.add",
                 R"({"channel":"#lobby","user":"bob","args":")" + video(4) + "\"}");
  here.stop(old);
  EXPECT_THAT(here.finish(in_flight), HasSubstr("Added to queue"));
  EXPECT_THAT(here.say("ann", "queue").message, HasSubstr("4 items"));
}

TEST(restart, that_is_broken_off_is_no_failure) {
  world here;
  instance& before = here.start(generous);
  here.say("ann", "add", video(1));
  here.stop(before);
  here.server().before_storage = [&here](const std::string& subject, const std::string&) {
    const bool reads_a_channel = subject == "db.batch.playlist";
    here.server().storage =
        reads_a_channel ? fakes::storage_mode::stalled : fakes::storage_mode::serving;
  };
  instance& again = here.start(generous);
  EXPECT_EQ(here.server().stalled(), 1u) << "it recovers";
  here.log().clear();
  here.stop(again);
  EXPECT_THAT(here.log(), ::testing::IsEmpty());
}

TEST(restart, reads_a_queue_that_is_longer_than_one_answer) {
  world here;
  json::array rows;
  for (int number = 1; number <= 800; ++number) {
    rows.push_back(json::object{{"channel", "#lobby"},
                                {"position", number},
                                {"item_id", "q" + std::to_string(number)},
                                {"media_type", "fi"},
                                {"media_id", "https://example.com/" + std::string(900, 'x') +
                                                 std::to_string(number) + ".mp4"},
                                {"title", std::string(300, 't')},
                                {"added_by", "ann"}});
  }
  for (std::size_t from = 0; from < rows.size(); from += 200) {
    json::object request{{"table", "queue"}};
    request["values"] = json::array(rows.begin() + static_cast<std::ptrdiff_t>(from),
                                    rows.begin() + static_cast<std::ptrdiff_t>(from + 200));
    here.storage("row.playlist.insert", std::move(request));
  }
  here.storage(
      "row.playlist.insert",
      {{"table", "channel"},
       {"values", json::object{{"channel", "#lobby"}, {"version", 1}, {"next_item", 801}}}});
  here.start({{"max_queue_size", 900}});
  EXPECT_THAT(here.log(), Contains("Recovered 800 items for #lobby"));
  EXPECT_THAT(here.say("bob", "queue").message, HasSubstr("800 items"));
  EXPECT_EQ(here.say("bob", "add", video(1)).data.at("item").at("id"), "q801");
}

TEST(restart, shows_nothing_that_would_break_a_line) {
  world here;
  here.storage("row.playlist.insert", {{"table", "queue"},
                                       {"values", json::object{{"channel", "#lobby"},
                                                               {"position", 0},
                                                               {"item_id", "q1"},
                                                               {"media_type", "yt"},
                                                               {"media_id", "video000001"},
                                                               {"title", "a\nb\x1b[31m"},
                                                               {"added_by", "an\rn"}}}});
  here.start();
  EXPECT_THAT(here.say("bob", "queue").message, HasSubstr("Now: a b [31m [??:??]\n"));
}

TEST(restart, knows_every_user_again_whatever_the_name) {
  world here;
  instance& before = here.start(generous);
  const std::string name = "  a\u202e  b\u0085 ";
  for (int number = 1; number <= 3; ++number) here.say(name, "add", video(number));
  here.stop(before);
  here.start(generous);
  EXPECT_THAT(here.say("bob", "queue").message, HasSubstr("1. [yt] video000002 [??:??] - a b\n"));
  EXPECT_EQ(here.say(name, "remove").message, "🗑️ Removed: [yt] video000003");
  EXPECT_EQ(here.say(name, "remove", "q2").message, "🗑️ Removed: [yt] video000002");
  EXPECT_THAT(here.say("bob", "queue").message, HasSubstr("1 users"));
}

TEST(a_wrong_setting, stops_the_start) {
  world here;
  EXPECT_THROW(here.start({{"volume", 11}}), std::runtime_error);
}

}  // namespace
}  // namespace rosey::playlist::testing
