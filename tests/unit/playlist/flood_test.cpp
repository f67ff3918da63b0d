// Names that are never heard of again: what is kept of them is bounded, however many come.
#include <gmock/gmock.h>
#include <malloc.h>

#include "playlist_plugin/domain/votes.hpp"
#include "playlist_plugin/storage/quota_manager.hpp"
#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

using ::testing::Contains;
using ::testing::Key;

std::string name(const std::string& kind, int number) {
  return kind + std::string(200, 'x') + std::to_string(number);
}

TEST(active_users_of_a_flood, are_those_who_were_seen_last) {
  active_users known(600'000);
  for (int user = 0; user < 50'000; ++user) known.saw("#lobby", name("u", user), 1000 + user);
  EXPECT_LE(known.count("#lobby", 60'000), active_users::most_users);
  EXPECT_GE(known.count("#lobby", 60'000), active_users::most_users / 2);
  EXPECT_THAT(known.seen_in("#lobby", 60'000), Contains(Key(name("u", 49'999))));
  sightings others;
  for (int user = 0; user < 50'000; ++user) others[name("v", user)] = {70'000 + user, true};
  known.merge("#lobby", others, 130'000);
  EXPECT_LE(known.count("#lobby", 130'000), active_users::most_users);
}

TEST(active_users_of_a_flood, are_known_in_those_channels_where_somebody_was_last) {
  active_users known(600'000);
  for (int channel = 0; channel < 20'000; ++channel) {
    known.saw(name("#", channel), "ann", 1000 + channel);
  }
  EXPECT_LE(known.channels(), active_users::most_channels);
  EXPECT_GE(known.channels(), active_users::most_channels / 2);
  EXPECT_EQ(known.count(name("#", 19'999), 60'000), 1U);
}

TEST(recent_adds_of_a_flood, are_known_of_some_thousand_users) {
  world here;
  fakes::fake_message_bus bus(here.server());
  sdk::storage_client db(bus, "playlist", std::chrono::seconds(2));
  quota_config a_day;
  a_day.rate_limit_seconds = 24 * 3600;
  quota_manager quotas(db, a_day);
  for (int user = 0; user < 25'000; ++user) quotas.added(name("u", user), {1000 + user}, 1);
  EXPECT_LE(quotas.known(), quota_manager::most_known);
  EXPECT_EQ(quotas.recent_adds(name("u", 24'999), 60'000).size(), 1U);
}

class a_flood_of_names : public ::testing::Test {
 protected:
  void come(int first, int count) {
    for (int number = first; number < first + count; ++number) {
      here.server().deliver({"rosey.chat.users", "",
                             R"({"channel":")" + name("#", number) +
                                 R"(","event":"join","user":")" + name("u", number) + "\"}"});
      if (number % 500 == 0) here.settle();
    }
    here.settle();
  }

  void ask(int first, int count) {
    for (int number = first; number < first + count; ++number) {
      here.ask("rosey.command.playlist.nowplaying",
               R"({"channel":")" + name("#", number) + R"(","user":")" + name("u", number) + "\"}");
    }
    here.server().storage_subjects.clear();
  }

  static std::size_t memory() { return ::mallinfo2().uordblks; }

  world here;
};

TEST_F(a_flood_of_names, takes_memory_once) {
  here.start(generous);
  come(0, 8'000);
  ask(0, 1'200);
  const std::size_t before = memory();
  come(8'000, 8'000);
  ask(8'000, 1'200);
  come(16'000, 8'000);
  const std::size_t after = memory();
  EXPECT_LT(after, before + 4'000'000) << "a name takes some kilobytes, as long as it is kept";
  EXPECT_TRUE(here.say("ann", "add", video(1)).success);
}

}  // namespace
}  // namespace rosey::playlist::testing
