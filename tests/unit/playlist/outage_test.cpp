// Storage goes away and comes back: the truth is told meanwhile, and nothing is made up.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using fakes::storage_mode;
using ::testing::Contains;
using ::testing::HasSubstr;

class outage_test : public ::testing::TestWithParam<storage_mode> {
 protected:
  world here;
};

TEST_P(outage_test, makes_commands_fail_and_changes_nothing) {
  here.start();
  here.say("ann", "add", video(1));
  here.server().storage = GetParam();
  for (const auto& [verb, args] : std::vector<std::pair<std::string, std::string>>{
           {"add", video(2)}, {"skip", ""}, {"history", ""}, {"mystats", ""}, {"voteskip", ""}}) {
    const auto reply = here.say("ann", verb, args);
    EXPECT_EQ(reply.code, "storage_unavailable") << verb;
    EXPECT_EQ(reply.message, "❌ The playlist cannot reach its storage; try again in a moment");
  }
  here.server().storage = storage_mode::serving;
  EXPECT_EQ(here.stored_version(), 1);
  EXPECT_EQ(here.say("ann", "queue").message,
            "📺 **Playlist**\n"
            "▶️ Now: [yt] video000001 [??:??]\n"
            "   Added by: ann\n"
            "📊 1 items | 0m | 1 users");
  for (int number = 2; number <= 3; ++number) {
    EXPECT_TRUE(here.say("ann", "add", video(number)).success) << "a failed add counts nothing";
  }
  EXPECT_EQ(here.say("ann", "add", video(4)).code, "rate_limited");
}

// Hundreds of people and channels meet it; who reads the log needs to know once.
TEST_P(outage_test, is_told_once_and_not_for_every_name) {
  here.start();
  here.server().storage = GetParam();
  here.log().clear();
  for (int number = 0; number < 20; ++number) {
    const std::string user = "user" + std::to_string(number);
    EXPECT_EQ(here.say(user, "add", video(1)).code, "storage_unavailable");
  }
  here.pass(2);
  EXPECT_THAT(here.log(), ::testing::ElementsAre(HasSubstr("Storage")));
}

TEST_P(outage_test, at_the_start_delays_the_recovery) {
  instance& before = here.start();
  here.say("ann", "add", video(1));
  here.say("ann", "add", video(2));
  here.stop(before);
  here.server().storage = GetParam();
  here.log().clear();
  here.start();
  EXPECT_EQ(here.say("ann", "queue").code, "storage_unavailable");
  here.pass(2);
  here.pass(2);
  EXPECT_THAT(here.log(), ::testing::Not(Contains(HasSubstr("Recovered"))));
  here.server().storage = storage_mode::serving;
  here.pass(2);
  EXPECT_THAT(here.log(), Contains("Recovered 2 items for #lobby"));
}

std::string name_of(const ::testing::TestParamInfo<storage_mode>& mode) {
  switch (mode.param) {
    case storage_mode::absent:
      return "absent";
    case storage_mode::silent:
      return "silent";
    case storage_mode::refusing:
      return "refusing";
    case storage_mode::unreadable:
      return "unreadable";
    default:
      return "other";
  }
}

INSTANTIATE_TEST_SUITE_P(storage, outage_test,
                         ::testing::Values(storage_mode::absent, storage_mode::silent,
                                           storage_mode::refusing, storage_mode::unreadable),
                         name_of);

TEST(lost_answer, is_followed_by_reading_what_was_done) {
  world here;
  here.start();
  here.say("ann", "add", video(1));
  here.server().storage = storage_mode::forgetful;
  EXPECT_EQ(here.say("ann", "add", video(2)).code, "storage_unavailable");
  here.server().storage = storage_mode::serving;
  EXPECT_EQ(here.stored_version(), 2);
  EXPECT_THAT(here.say("ann", "queue").message, HasSubstr("1. [yt] video000002"));
  EXPECT_TRUE(here.say("ann", "add", video(3)).success);
  EXPECT_EQ(here.say("ann", "add", video(4)).code, "rate_limited") << "the lost one counts";
}

TEST(a_silent_storage, answers_a_crowd_as_soon_as_the_first_one) {
  world here;
  here.start({{"rate_limit_count", 100}});
  here.say("ann", "add", video(1));
  here.server().storage = storage_mode::stalled;
  std::vector<std::shared_ptr<said>> commands;
  for (int number = 0; number < 20; ++number) {
    wire::command_request request;
    request.channel = "#lobby";
    request.user = "user" + std::to_string(number);
    request.args = video(number);
    commands.push_back(here.begin("rosey.command.playlist.add", wire::encode(request)));
  }
  here.settle();
  EXPECT_EQ(here.server().stalled(), 1u) << "one tries, the others wait for it";
  here.server().expire();
  here.settle();
  for (const auto& command : commands) {
    ASSERT_TRUE(command->answered);
    EXPECT_THAT(command->payload, HasSubstr("storage_unavailable"));
  }
  here.server().storage = storage_mode::serving;
  here.server().expire();
  EXPECT_EQ(here.stored_version(), 1);
  EXPECT_TRUE(here.say("bob", "add", video(2)).success) << "nobody pays for what is over";
}

class passing_refusal : public ::testing::TestWithParam<const char*> {};

TEST_P(passing_refusal, fails_at_most_the_command_that_met_it) {
  world here;
  here.start();
  bool met = false;
  here.server().before_storage = [&](const std::string& subject, const std::string&) {
    if (met || subject != "db.batch.playlist") return;
    met = true;  // the first one's load of the channel, for which all wait
    here.server().refusals = {GetParam()};
  };
  std::vector<std::shared_ptr<said>> commands;
  for (int number = 0; number < 5; ++number) {
    wire::command_request request;
    request.channel = "#lobby";
    request.user = "user" + std::to_string(number);
    request.args = video(number);
    commands.push_back(here.begin("rosey.command.playlist.add", wire::encode(request)));
  }
  int failed = 0;
  for (const auto& command : commands) {
    const std::string payload = here.finish(command);
    if (payload.find("storage_unavailable") != std::string::npos) ++failed;
  }
  EXPECT_TRUE(met);
  const bool passes = GetParam() == std::string_view("BUSY");
  EXPECT_EQ(failed, passes ? 0 : 1);
  EXPECT_EQ(here.stored_version(), passes ? 5 : 4);
}

INSTANTIATE_TEST_SUITE_P(storage, passing_refusal, ::testing::Values("BUSY", "DATABASE_ERROR"),
                         [](const auto& code) { return std::string(code.param); });

TEST(a_busy_storage, that_stays_so_is_said_in_time_to_each) {
  world here;
  here.start();
  here.server().refusals.assign(1000, "BUSY");
  const auto reply = here.say("ann", "add", video(1));
  EXPECT_EQ(reply.code, "busy");
  EXPECT_LT(here.server().storage_subjects.size(), 30u) << "it is not asked without a pause";
  here.server().refusals.clear();
  EXPECT_TRUE(here.say("ann", "add", video(1)).success);
}

TEST(a_slow_storage, lets_nobody_wait_longer_than_routers_do) {
  world here;
  here.start();
  here.say("ann", "add", video(1));
  here.server().storage = storage_mode::stalled;
  const std::string skip = R"({"channel":"#lobby","user":"ann"})";
  const auto first = here.begin("rosey.command.playlist.skip", skip);
  const auto second = here.begin("rosey.command.playlist.skip", skip);
  here.settle();
  here.pass(3);
  EXPECT_FALSE(first->answered);
  ASSERT_TRUE(second->answered);
  EXPECT_THAT(second->payload, HasSubstr("\"busy\""));
  here.server().storage = storage_mode::serving;
  here.server().expire();
  here.settle();
  EXPECT_THAT(first->payload, HasSubstr("storage_unavailable"));
}

TEST(a_line, that_is_too_long_is_not_joined) {
  world here;
  here.start();
  here.say("ann", "add", video(1));
  here.server().storage = storage_mode::stalled;
  std::vector<std::shared_ptr<said>> commands;
  const std::string skip = R"({"channel":"#lobby","user":"ann"})";
  for (int number = 0; number < 502; ++number) {
    commands.push_back(here.begin("rosey.command.playlist.skip", skip));
  }
  here.settle();
  EXPECT_FALSE(commands[500]->answered);
  ASSERT_TRUE(commands[501]->answered);
  EXPECT_THAT(commands[501]->payload, HasSubstr("\"busy\""));
  here.server().storage = storage_mode::serving;
  here.server().expire();
}

TEST(nats, that_takes_no_messages_costs_the_answer_and_not_the_item) {
  world here;
  instance& playlist = here.start();
  playlist.bus.disconnected = true;
  wire::command_request request;
  request.channel = "#lobby";
  request.user = "ann";
  request.args = video(1);
  here.begin("rosey.command.playlist.add", wire::encode(request));
  here.settle();
  EXPECT_EQ(here.stored_version(), 1);
  EXPECT_THAT(here.log(), Contains(HasSubstr("an event was not published")));
  EXPECT_THAT(here.log(), Contains(HasSubstr("was not sent")));
  playlist.bus.disconnected = false;
  EXPECT_THAT(here.say("ann", "queue").message, HasSubstr("1 items"));
}

TEST(damaged_rows, are_reported_as_internal_and_logged) {
  world here;
  instance& before = here.start();
  here.say("ann", "add", video(1));
  here.stop(before);
  // A table that is not the playlist's own: rolling back the last migration takes columns away.
  here.server().ask_storage("db.migrate.playlist.rollback", R"({"to":3})");
  here.log().clear();
  here.start();
  const auto reply = here.say("ann", "queue");
  EXPECT_EQ(reply.code, "internal");
  EXPECT_EQ(reply.message, "❌ Something went wrong; the log says what");
  EXPECT_THAT(here.log(), Contains(HasSubstr("UNKNOWN_TABLE")));
}

}  // namespace
}  // namespace rosey::playlist::testing
