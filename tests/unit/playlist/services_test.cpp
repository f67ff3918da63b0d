// What other plugins may ask for.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;

class services_test : public ::testing::Test {
 protected:
  services_test() { here.start(); }

  json::object call(const std::string& name, json::object fields) {
    if (!fields.contains("channel")) fields["channel"] = "#lobby";
    return here.ask("service.playlist." + name, json::serialize(fields));
  }
  json::object add(const std::string& user, int number) {
    return call("add_item", {{"url", video(number)}, {"user", user}});
  }

  world here;
};

TEST_F(services_test, add_item_is_charged_to_its_user) {
  const json::object added = add("ann", 1);
  EXPECT_EQ(added.at("success"), true);
  EXPECT_EQ(added.at("position"), 1);
  EXPECT_EQ(added.at("item").at("added_by"), "ann");
  add("ann", 2);
  add("ann", 3);
  const json::object refused = add("ann", 4);
  EXPECT_EQ(refused.at("success"), false);
  EXPECT_EQ(refused.at("code"), "rate_limited");
  EXPECT_FALSE(refused.contains("message"));
}

TEST_F(services_test, get_queue_gives_a_snapshot_with_its_version) {
  add("ann", 1);
  add("bob", 2);
  const json::object queue = call("get_queue", {});
  EXPECT_EQ(queue.at("version"), 2);
  EXPECT_EQ(queue.at("current").at("id"), "q1");
  EXPECT_EQ(queue.at("items").as_array().size(), 1u);
  EXPECT_EQ(queue.at("items").at(0).at("formatted_duration"), "??:??");
  EXPECT_EQ(call("get_current", {}).at("item").at("id"), "q1");
  EXPECT_EQ(call("get_current", {{"channel", "#none"}}).at("item"), nullptr);
  const json::object stats = call("get_stats", {});
  EXPECT_EQ(stats.at("total_items"), 2);
  EXPECT_EQ(stats.at("unique_users"), 2);
}

TEST_F(services_test, get_queue_gives_a_long_queue_in_pages) {
  const std::string long_url = "https://example.com/" + std::string(1900, 'a') + ".mp4";
  here.storage("row.playlist.insert", {{"table", "channel"},
                                       {"values", json::object{{"channel", "#long"},
                                                               {"version", 1},
                                                               {"next_item", 301},
                                                               {"now_item_id", "q0"},
                                                               {"now_media_type", "yt"},
                                                               {"now_media_id", "video000000"},
                                                               {"started_at", 1}}}});
  json::array rows;
  for (int number = 1; number <= 300; ++number) {
    rows.push_back(json::object{{"channel", "#long"},
                                {"position", number},
                                {"item_id", "q" + std::to_string(number)},
                                {"media_type", "fi"},
                                {"media_id", long_url},
                                {"title", "Song"},
                                {"added_by", "ann"}});
  }
  here.storage("row.playlist.insert", {{"table", "queue"}, {"values", rows}});
  std::vector<json::value> ids;
  for (bool more = true; more;) {
    const json::object request{{"channel", "#long"}, {"offset", ids.size()}};
    const std::string answer =
        here.finish(here.begin("service.playlist.get_queue", json::serialize(request)));
    EXPECT_LE(answer.size(), 1024u * 1024);
    const json::object page = json::parse(answer).as_object();
    EXPECT_EQ(page.at("total"), 300);
    for (const json::value& item : page.at("items").as_array()) ids.push_back(item.at("id"));
    more = page.at("truncated").as_bool();
  }
  ASSERT_EQ(ids.size(), 300u);
  EXPECT_EQ(ids.back(), "q300");
  EXPECT_EQ(call("get_queue", {{"offset", 1000}}).at("items").as_array().size(), 0u);
  EXPECT_EQ(call("get_queue", {{"offset", -1}}).at("code"), "bad_request");
}

TEST_F(services_test, remove_item_asks_who_asks) {
  add("ann", 1);
  add("ann", 2);
  EXPECT_EQ(call("remove_item", {{"item_id", "q2"}, {"user", "bob"}}).at("code"), "forbidden");
  EXPECT_EQ(call("remove_item", {{"item_id", "q2"}, {"user", "bob"}, {"is_admin", true}})
                .at("item")
                .at("id"),
            "q2");
  EXPECT_EQ(call("remove_item", {{"item_id", "q2"}}).at("code"), "not_found");
}

TEST_F(services_test, skip_vote_shuffle_and_clear_do_what_the_commands_do) {
  add("ann", 1);
  add("ann", 2);
  add("bob", 3);
  add("bob", 4);
  EXPECT_EQ(call("skip", {{"user", "bob"}}).at("code"), "forbidden");
  EXPECT_EQ(call("skip", {}).at("next_item").at("id"), "q2");
  EXPECT_EQ(call("vote_skip", {{"user", "bob"}}).at("needed"), 2);
  EXPECT_EQ(call("vote_skip", {{"user", "cid"}}).at("passed"), true);
  EXPECT_EQ(call("shuffle", {}).at("code"), "too_few_items");
  add("cid", 5);
  for (const char* operation : {"shuffle", "clear"}) {
    EXPECT_EQ(call(operation, {{"user", "bob"}}).at("code"), "forbidden");
    EXPECT_EQ(call(operation, {{"user", "bob"}, {"is_admin", false}}).at("code"), "forbidden");
  }
  EXPECT_EQ(call("shuffle", {}).at("count"), 2);
  EXPECT_EQ(call("clear", {{"user", "bob"}, {"is_admin", true}}).at("count"), 2);
  EXPECT_EQ(call("skip", {}).at("next_item"), nullptr);
}

TEST_F(services_test, get_history_and_get_user_stats_read_what_was_played) {
  EXPECT_EQ(call("get_user_stats", {{"user", "ann"}}).at("code"), "not_found");
  add("ann", 1);
  here.pass(5);
  call("skip", {});
  const json::object history = call("get_history", {{"limit", 5}});
  ASSERT_EQ(history.at("items").as_array().size(), 1u);
  EXPECT_EQ(history.at("items").at(0).at("play_duration"), 5);
  EXPECT_EQ(history.at("items").at(0).at("skipped"), true);
  const json::object stats = call("get_user_stats", {{"user", "ann"}});
  EXPECT_EQ(stats.at("items_added"), 1);
  EXPECT_EQ(stats.at("total_duration_played"), 5);
}

TEST_F(services_test, with_an_id_are_done_once) {
  const json::object request{{"url", video(1)}, {"user", "ann"}, {"id", "x"}};
  const json::object first = call("add_item", request);
  EXPECT_EQ(call("add_item", request), first);
  EXPECT_EQ(here.stored_version(), 1);
}

TEST_F(services_test, name_the_field_that_is_missing_or_wrong) {
  EXPECT_EQ(call("add_item", {{"user", "ann"}}).at("error"), "'url' is missing");
  EXPECT_EQ(call("add_item", {{"url", video(1)}}).at("error"), "'user' is missing");
  EXPECT_EQ(call("remove_item", {}).at("error"), "'item_id' is missing");
  EXPECT_EQ(call("remove_item", {{"item_id", "q1"}, {"user", 7}}).at("code"), "bad_request");
  EXPECT_EQ(call("vote_skip", {}).at("error"), "'user' is missing");
  EXPECT_EQ(call("skip", {{"is_admin", "yes"}}).at("error"), "'is_admin' must be true or false");
  EXPECT_EQ(call("shuffle", {{"user", ""}}).at("code"), "bad_request");
  EXPECT_EQ(call("clear", {{"user", ""}}).at("code"), "bad_request");
  EXPECT_EQ(call("get_history", {{"limit", 51}}).at("code"), "bad_request");
  EXPECT_EQ(call("get_user_stats", {}).at("error"), "'user' is missing");
  EXPECT_EQ(call("get_queue", {{"channel", ""}}).at("error"), "'channel' must not be empty");
  EXPECT_EQ(here.ask("service.playlist.get_queue", "{").at("code"), "bad_request");
}

TEST(import, that_was_done_is_told_again_when_the_answer_was_lost) {
  world here;
  here.start();
  json::object asked{{"step", "begin"}, {"channel", "#lobby"}, {"content", "c"},
                     {"count", 2},      {"user", "old"},       {"index", 0}};
  const auto ask = [&] { return here.ask("service.playlist.import", json::serialize(asked)); };
  const json::object begun = ask();
  asked["import"] = begun.at("import");
  asked["number"] = begun.at("number");
  const json::object old{{"type", "vi"}, {"id", "76979871"}, {"title", std::string(500, 'x')}};
  asked["entries"] = json::array{json::object{{"url", video(1)}}, json::object{{"media", old}}};
  asked["step"] = "stage";
  EXPECT_EQ(ask().at("success"), true);
  asked["step"] = "commit";
  here.server().storage = fakes::storage_mode::forgetful;
  EXPECT_EQ(ask().at("code"), "storage_unavailable");
  here.server().storage = fakes::storage_mode::serving;
  const json::object again = ask();
  EXPECT_EQ(again.at("success"), true) << again;
  EXPECT_EQ(again.at("version"), 2);
  here.settle();
  EXPECT_THAT(here.say("ann", "queue").message, ::testing::HasSubstr("2 items"));
  EXPECT_EQ(here.rows("queue", {{"position", 1}}).at(0).at("title"),
            json::value(std::string(119, 'x') + "…"));
  asked["import"] = "another";
  EXPECT_EQ(ask().at("success"), false) << "of which nothing was staged";
}

}  // namespace
}  // namespace rosey::playlist::testing
