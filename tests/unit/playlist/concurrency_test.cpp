// Somebody else may change a channel at any moment: nothing is lost, nothing is done twice.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string command(const std::string& user, const std::string& args, const std::string& id = "",
                    int attempt = 1) {
  wire::command_request request;
  request.channel = "#lobby";
  request.user = user;
  request.args = args;
  request.id = id;
  request.attempt = attempt;
  return wire::encode(request);
}

// Raises the version as another instance would.
void change_from_outside(world& here) {
  json::object filter{{"channel", "#lobby"}};
  json::object increment{{"version", 1}};
  json::object update{{"$inc", increment}};
  here.storage("row.playlist.update",
               {{"table", "channel"}, {"filter", filter}, {"update", update}});
}

TEST(conflict, is_solved_by_deciding_again) {
  world here;
  here.start(generous);
  here.say("ann", "add", video(1));
  change_from_outside(here);
  here.server().storage_subjects.clear();
  EXPECT_EQ(here.say("ann", "add", video(2)).message, "📺 Added to queue (#1): [yt] video000002");
  EXPECT_THAT(here.server().storage_subjects,
              ElementsAre("db.batch.playlist", "db.batch.playlist", "db.batch.playlist"))
      << "refused, read, stored";
  EXPECT_EQ(here.stored_version(), 3);
  EXPECT_EQ(here.rows("queue").size(), 1u);
}

TEST(conflict, on_the_first_change_of_a_channel_is_solved_too) {
  world here;
  here.start(generous);
  EXPECT_EQ(here.say("ann", "queue").message, "📺 Queue is empty");
  here.storage("row.playlist.insert",
               {{"table", "channel"},
                {"values", json::object{{"channel", "#lobby"}, {"version", 5}, {"next_item", 9}}}});
  EXPECT_EQ(here.say("ann", "add", video(1)).data.at("item").at("id"), "q9");
  EXPECT_EQ(here.stored_version(), 6);
}

TEST(conflict, without_end_is_answered_busy) {
  world here;
  here.start(generous);
  here.say("ann", "add", video(1));
  here.server().before_storage = [&here](const std::string&, const std::string& payload) {
    if (payload.find("\"update\"") != std::string::npos) change_from_outside(here);
  };
  const auto reply = here.say("ann", "add", video(2));
  EXPECT_EQ(reply.code, "busy");
  EXPECT_EQ(reply.message, "❌ Too many people are changing this queue; try again");
  here.server().before_storage = nullptr;
  EXPECT_THAT(here.rows("queue"), IsEmpty());
  EXPECT_TRUE(here.say("ann", "add", video(2)).success);
}

TEST(conflict, on_a_row_that_somebody_deleted_is_solved_by_reading_again) {
  world here;
  here.start(generous);
  here.say("ann", "add", video(1));
  here.say("ann", "add", video(2));
  here.storage("row.playlist.delete",
               {{"table", "queue"}, {"filter", json::object{{"item_id", "q2"}}}});
  EXPECT_EQ(here.say("ann", "remove", "q2").message, "❌ Item 'q2' not found");
}

TEST(two_instances, see_what_the_other_has_done) {
  world here;
  here.start(generous);
  here.start(generous);
  for (int number = 1; number <= 8; ++number) {
    EXPECT_TRUE(here.say("ann", "add", video(number)).success);
    here.settle();
    // Commands go to the instances in turn.
    const std::string expected = "📊 " + std::to_string(number) + " items";
    for (int turn = 0; turn < 3; ++turn) {
      EXPECT_NE(here.say("bob", "queue").message.find(expected), std::string::npos) << number;
    }
  }
}

TEST(two_instances, lose_and_double_nothing_when_many_users_add_at_once) {
  world here;
  here.start(generous);
  here.start(generous);
  std::vector<std::shared_ptr<said>> adds;
  for (int number = 0; number < 24; ++number) {
    adds.push_back(here.begin("rosey.command.playlist.add",
                              command("user" + std::to_string(number), video(number))));
  }
  std::set<std::string> acknowledged;
  for (const auto& add : adds) {
    const auto reply = wire::decode_reply(std::string_view(here.finish(add)));
    ASSERT_TRUE(reply);
    if (!reply->success) {
      EXPECT_EQ(reply->code, "busy");
      continue;
    }
    const std::string id(reply->data.at("item").at("id").as_string());
    EXPECT_TRUE(acknowledged.insert(id).second) << id << " was given twice";
  }
  std::set<std::string> stored;
  for (const json::value& row : here.rows("queue")) {
    stored.emplace(row.at("item_id").as_string());
  }
  for (const json::value& row : here.rows("channel")) {
    stored.emplace(row.at("now_item_id").as_string());
  }
  EXPECT_EQ(stored, acknowledged);
  EXPECT_EQ(here.stored_version(), static_cast<std::int64_t>(acknowledged.size()));
}

TEST(two_instances, watch_what_the_other_one_has_started) {
  world here;
  const json::object a_minute{{"max_unknown_duration", 60}};
  instance& first = here.start(a_minute);
  instance& second = here.start(a_minute);
  here.server().chosen = &second.bus;
  EXPECT_EQ(here.say("bob", "queue").message, "📺 Queue is empty");
  here.server().chosen = &first.bus;
  here.say("ann", "add", video(1));
  here.settle();
  here.stop(first);
  here.pass(60);
  EXPECT_EQ(here.rows("history").size(), 1u);
}

json::object queue_at(world& here, instance& which, std::int64_t at_least) {
  here.server().chosen = &which.bus;
  const json::object asked{{"channel", "#lobby"}, {"at_least", at_least}};
  return here.ask("service.playlist.get_queue", json::serialize(asked));
}

TEST(a_deaf_instance, is_told_by_the_listener_what_there_is_at_least) {
  world here;
  instance& first = here.start(generous);
  instance& second = here.start(generous);
  here.server().chosen = &second.bus;
  here.say("bob", "queue");
  here.server().deaf = &second.bus;
  here.server().chosen = &first.bus;
  here.say("ann", "add", video(1));
  here.settle();
  EXPECT_EQ(queue_at(here, second, 0).at("version"), 0) << "it has not heard";
  EXPECT_EQ(queue_at(here, second, 1).at("version"), 1);
  EXPECT_EQ(queue_at(here, second, 99).at("version"), 1) << "storage's word ends the matter";
}

TEST(a_deaf_instance, asks_storage_after_some_time) {
  world here;
  instance& first = here.start(generous);
  instance& second = here.start(generous);
  here.server().chosen = &second.bus;
  EXPECT_EQ(here.say("bob", "skip").code, "nothing_playing");
  here.server().deaf = &second.bus;
  here.server().chosen = &first.bus;
  here.say("ann", "add", video(1));
  here.settle();
  here.server().chosen = &second.bus;
  EXPECT_EQ(here.say("bob", "queue").message, "📺 Queue is empty");
  here.pass(30);
  EXPECT_EQ(here.say("bob", "skip").code, "forbidden") << "a refusal is an answer, too";
  EXPECT_THAT(here.say("bob", "queue").message, ::testing::HasSubstr("1 items"));
  here.server().storage_subjects.clear();
  here.say("bob", "queue");
  EXPECT_THAT(here.server().storage_subjects, IsEmpty());
}

TEST(events, delivered_twice_change_nothing) {
  world here;
  here.server().duplicate_deliveries = true;
  here.start(generous);
  here.start(generous);
  for (int number = 1; number <= 4; ++number) here.say("ann", "add", video(number));
  here.settle();
  EXPECT_EQ(here.stored_version(), 4);
  EXPECT_EQ(here.rows("queue").size(), 3u);
}

TEST(events, that_lie_or_make_no_sense_do_no_harm) {
  world here;
  here.start(generous);
  here.say("ann", "add", video(1));
  for (const char* payload :
       {"", "[]", "{}", R"({"channel":"#lobby"})", R"({"channel":"","version":3})",
        R"({"channel":"#lobby","version":"x"})", R"({"channel":"#lobby","version":999999})",
        R"({"channel":"#nowhere","version":4})"}) {
    here.server().deliver({"playlist.item.playing", "", payload});
    here.server().deliver({"playlist.cleared", "", payload});
    here.settle();
  }
  // The last lines are heard by the test as well; it reads only what is an event.
  EXPECT_TRUE(here.say("ann", "add", video(2)).success);
  here.server().storage_subjects.clear();
  here.say("ann", "queue");
  EXPECT_THAT(here.server().storage_subjects, IsEmpty()) << "storage's word ends the matter";
}

TEST(replay, of_a_command_with_an_id_gives_the_first_answer) {
  world here;
  here.start(generous);
  const std::string first =
      here.finish(here.begin("rosey.command.playlist.add", command("ann", video(1), "id-1")));
  here.say("ann", "add", video(2));
  const std::string again =
      here.finish(here.begin("rosey.command.playlist.add", command("ann", video(1), "id-1", 2)));
  EXPECT_EQ(json::parse(again), json::parse(first));
  EXPECT_EQ(here.stored_version(), 2);
}

TEST(replay, tells_of_the_success_even_where_it_would_be_refused_now) {
  world here;
  here.start({{"max_items_per_user", 1}});
  const std::string first =
      here.finish(here.begin("rosey.command.playlist.add", command("ann", video(1), "id-1")));
  const std::string again =
      here.finish(here.begin("rosey.command.playlist.add", command("ann", video(1), "id-1", 2)));
  EXPECT_EQ(json::parse(again), json::parse(first));
  EXPECT_EQ(here.say("ann", "add", video(1)).code, "quota_items");
}

TEST(replay, without_an_attempt_number_is_found_by_the_batch) {
  world here;
  here.start(generous);
  const std::string first =
      here.finish(here.begin("rosey.command.playlist.add", command("ann", video(1), "id-1")));
  const std::string again =
      here.finish(here.begin("rosey.command.playlist.add", command("ann", video(1), "id-1")));
  EXPECT_EQ(json::parse(again), json::parse(first));
  EXPECT_EQ(here.stored_version(), 1);
  EXPECT_TRUE(here.say("ann", "add", video(2)).success) << "the channel is still known";
  EXPECT_EQ(here.rows("queue").size(), 1u);
}

json::value twice(world& here, const std::string& subject, const std::string& payload) {
  const std::string first = here.finish(here.begin(subject, payload));
  const std::string again = here.finish(here.begin(subject, payload));
  EXPECT_EQ(json::parse(again), json::parse(first)) << subject;
  return json::parse(first);
}

TEST(replay, without_an_attempt_number_is_found_before_what_would_refuse_it) {
  world here;
  here.start({{"max_items_per_user", 1}});
  const std::string verb = "rosey.command.playlist.";
  EXPECT_EQ(twice(here, verb + "add", command("ann", video(1), "id-1")).at("success"), true);
  EXPECT_EQ(twice(here, verb + "add", command("bob", video(2), "id-2")).at("success"), true);
  EXPECT_EQ(twice(here, verb + "voteskip", command("bob", "", "id-3")).at("success"), true);
  EXPECT_EQ(twice(here, verb + "remove", command("bob", "", "id-4")).at("success"), true);
  EXPECT_EQ(twice(here, verb + "skip", command("ann", "", "id-5")).at("success"), true);
  EXPECT_EQ(twice(here, verb + "skip", command("ann", "", "id-6")).at("success"), false);
  EXPECT_EQ(here.stored_version(), 5);
}

TEST(replay, without_an_attempt_number_is_found_where_nothing_is_left_to_do) {
  world here;
  here.start(generous);
  here.say("ann", "add", video(1));
  here.say("ann", "add", video(2));
  const std::string clear = R"({"channel":"#lobby","id":"id-1"})";
  EXPECT_EQ(twice(here, "service.playlist.clear", clear).at("count"), 1);
}

TEST(replay, without_an_attempt_number_is_found_before_a_site_is_asked) {
  world here;
  const json::object site{{"yt", "https://127.0.0.1:1/oembed"}};  // nobody listens there
  const json::object metadata{{"source", "oembed"}, {"endpoints", site}};
  here.start({{"max_items_per_user", 1}, {"metadata", metadata}});
  const std::string add = "rosey.command.playlist.add";
  EXPECT_EQ(twice(here, add, command("ann", video(1), "id-1")).at("success"), true);
  EXPECT_EQ(here.stored_version(), 1);
}

TEST(replay, is_looked_for_once_before_a_refusal_and_not_without_an_id) {
  world here;
  here.start(generous);
  here.say("ann", "add", video(1));
  here.server().storage_subjects.clear();
  here.finish(here.begin("rosey.command.playlist.skip", command("bob", "", "id-1")));
  EXPECT_THAT(here.server().storage_subjects, ElementsAre("db.batch.playlist"));
  EXPECT_EQ(here.say("bob", "skip").code, "forbidden");
  EXPECT_EQ(here.server().storage_subjects.size(), 1u) << "the channel is still known";
  here.finish(here.begin("rosey.command.playlist.skip", command("ann", "", "id-2")));
  EXPECT_EQ(here.server().storage_subjects.size(), 2u);
}

TEST(replay, is_not_that_of_another_channel_user_or_verb) {
  world here;
  here.start(generous);
  const std::string add = "rosey.command.playlist.add";
  here.finish(here.begin(add, command("ann", video(1), "id-1")));
  here.finish(here.begin(add, command("bob", video(2), "id-1")));
  EXPECT_EQ(here.stored_version(), 2) << "another user";
  wire::command_request elsewhere;
  elsewhere.channel = "#den";
  elsewhere.user = "ann";
  elsewhere.args = video(3);
  elsewhere.id = "id-1";
  EXPECT_TRUE(here.say("add", elsewhere).success);
  EXPECT_EQ(here.stored_version("#den"), 1) << "another channel";
  here.finish(here.begin("rosey.command.playlist.skip", command("ann", "", "id-1")));
  EXPECT_EQ(here.stored_version(), 3) << "another verb";
  here.ask("service.playlist.remove_item",
           R"({"channel":"#lobby","item_id":"all","user":"bob","id":"id-1"})");
  here.ask("service.playlist.add_item",
           R"({"channel":"#lobby","url":"yt:video000004","user":"bob","id":"id-1"})");
  here.ask("service.playlist.add_item",
           R"({"channel":"#lobby","url":"yt:video000004","user":"ann","id":"id-1"})");
  EXPECT_EQ(here.stored_version(), 5)
      << "other services and their users; bob has nothing to remove";
}

TEST(replay, after_a_lost_answer_tells_what_was_done) {
  world here;
  here.start(generous);
  here.server().storage = fakes::storage_mode::forgetful;
  const std::string lost =
      here.finish(here.begin("rosey.command.playlist.add", command("ann", video(1), "id-1")));
  EXPECT_NE(lost.find("storage_unavailable"), std::string::npos);
  here.server().storage = fakes::storage_mode::serving;
  const std::string again =
      here.finish(here.begin("rosey.command.playlist.add", command("ann", video(1), "id-1", 2)));
  EXPECT_NE(again.find("Added to queue (#1)"), std::string::npos) << again;
  const std::int64_t version = here.stored_version();
  EXPECT_EQ(version, 1);
  EXPECT_THAT(here.say("bob", "queue").message, ::testing::HasSubstr("1 items"));
}

TEST(replay, by_another_instance_than_the_one_that_died_reads_what_it_has_stored) {
  world here;
  const json::object a_minute{{"max_unknown_duration", 60}};
  instance& first = here.start(a_minute);
  instance& second = here.start(a_minute);
  here.server().chosen = &second.bus;
  EXPECT_EQ(here.say("bob", "queue").message, "📺 Queue is empty");
  here.server().chosen = &first.bus;
  first.bus.disconnected = true;  // it tells nobody any more
  here.begin("rosey.command.playlist.add", command("ann", video(1), "id-1"));
  here.settle();
  EXPECT_EQ(here.stored_version(), 1);
  here.stop(first);
  const std::string again =
      here.finish(here.begin("rosey.command.playlist.add", command("ann", video(1), "id-1", 2)));
  EXPECT_NE(again.find("Added to queue (#1)"), std::string::npos) << again;
  EXPECT_THAT(here.say("bob", "queue").message, ::testing::HasSubstr("1 items"));
  here.pass(60);
  EXPECT_EQ(here.rows("history").size(), 1u) << "it is watched, too";
}

TEST(replay, of_a_first_attempt_that_never_arrived_is_carried_out) {
  world here;
  here.start(generous);
  const std::string answer =
      here.finish(here.begin("rosey.command.playlist.add", command("ann", video(1), "id-9", 2)));
  EXPECT_NE(answer.find("Added to queue (#1)"), std::string::npos) << answer;
}

TEST(replay, works_for_the_longest_id) {
  world here;
  here.start(generous);
  const std::string id(256, 'i');
  for (int attempt = 1; attempt <= 2; ++attempt) {
    here.finish(here.begin("rosey.command.playlist.add", command("ann", video(1), id, attempt)));
  }
  EXPECT_EQ(here.stored_version(), 1);
}

}  // namespace
}  // namespace rosey::playlist::testing
