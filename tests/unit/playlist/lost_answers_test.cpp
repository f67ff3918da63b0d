// Storage does what is asked, its first answer is lost, and the second copy of the request brings a
// replay: nobody may see a difference.
#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;

struct seen_from_outside {
  std::vector<std::string> answers;
  std::vector<std::string> events;
  std::vector<std::string> rows;
};

void keep(std::vector<std::string>& texts, const json::array& rows) {
  for (const json::value& row : rows) texts.push_back(json::serialize(row));
}

seen_from_outside an_evening(fakes::storage_mode mode) {
  seen_from_outside seen;
  world here;
  here.start({{"max_items_per_user", 3}, {"rate_limit_count", 6}, {"min_skip_votes", 2}});
  here.server().storage = mode;
  const auto say = [&](const std::string& user, const std::string& verb,
                       const std::string& args = "", wire::role role = wire::role::user) {
    const auto reply = here.say(user, verb, args, role);
    seen.answers.push_back(user + " " + verb + ": " + reply.message);
  };
  for (int number = 1; number <= 5; ++number) say("ann", "add", video(number));
  say("bob", "add", video(6));
  say("bob", "add", video(6));
  say("bob", "queue");
  say("ann", "voteskip");
  say("bob", "voteskip");
  say("ann", "remove");
  say("ann", "skip", "", wire::role::moderator);
  for (int number = 10; number <= 14; ++number) say("cat", "add", video(number));
  say("cat", "shuffle", "", wire::role::moderator);
  say("cat", "history");
  say("ann", "mystats");
  // By another instance, which knows nothing yet.
  here.kill_all();
  here.start({{"max_items_per_user", 3}, {"rate_limit_count", 6}, {"min_skip_votes", 2}});
  say("cat", "add", video(20));
  say("ann", "clear", "", wire::role::admin);
  here.server().storage = fakes::storage_mode::serving;
  seen.events = here.event_names();
  keep(seen.rows, here.rows("history"));
  keep(seen.rows, here.rows("user_stats"));
  return seen;
}

TEST(LostAnswers, ChangeNothingThatCanBeSeen) {
  const seen_from_outside undisturbed = an_evening(fakes::storage_mode::serving);
  const seen_from_outside disturbed = an_evening(fakes::storage_mode::stuttering);
  EXPECT_EQ(disturbed.answers, undisturbed.answers);
  EXPECT_EQ(disturbed.events, undisturbed.events);
  EXPECT_EQ(disturbed.rows, undisturbed.rows);
}

}  // namespace
}  // namespace rosey::playlist::testing
