// Storage hangs, and carries out later what it was given: then everybody hears of it, once.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

using fakes::storage_mode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class a_late_change : public ::testing::Test {
 protected:
  // Storage takes the next change without an answer, and goes on answering all else.
  void hang_at_the_next_change() {
    here.server().before_storage = [this](const std::string&, const std::string& payload) {
      const bool hangs = late_.empty() && payload.find("\"$set\"") != std::string::npos;
      if (hangs) late_ = payload;
      here.server().storage = hangs ? storage_mode::silent : storage_mode::serving;
    };
  }

  void carry_out() {
    EXPECT_THAT(here.server().ask_storage("db.batch.playlist", late_),
                HasSubstr("\"success\":true"));
  }

  wire::command_reply skip(int attempt = 1) {
    wire::command_request request;
    request.channel = "#lobby";
    request.user = "ann";
    request.id = "id-1";
    request.attempt = attempt;
    return here.say("skip", request);
  }

  void start_and_hang_at_a_skip() {
    here.start(generous);
    for (int number = 1; number <= 3; ++number) here.say("ann", "add", video(number));
    here.settle();
    here.events().clear();
    hang_at_the_next_change();
    EXPECT_EQ(skip().code, "storage_unavailable");
    here.settle();
    EXPECT_EQ(here.stored_version(), 3);
  }

  std::int64_t published(const std::string& name) {
    here.settle();
    const std::vector<std::string> names = here.event_names();
    return std::count(names.begin(), names.end(), name);
  }

  world here;

 private:
  std::string late_;
};

TEST_F(a_late_change, is_seen_and_published_at_the_next_use) {
  start_and_hang_at_a_skip();
  EXPECT_THAT(here.say("bob", "queue").message, HasSubstr("Now: [yt] video000001"));
  carry_out();
  EXPECT_THAT(here.say("bob", "queue").message, HasSubstr("Now: [yt] video000002"));
  here.settle();
  EXPECT_THAT(here.event_names(), ElementsAre("playlist.item.finished", "playlist.item.playing"));
  for (const auto& event : here.events()) EXPECT_EQ(event.at("version"), 4);
  here.say("bob", "queue");
  EXPECT_TRUE(here.say("ann", "skip").success);
  EXPECT_EQ(published("playlist.item.finished"), 2) << "the late one and this one";
}

TEST_F(a_late_change, is_believed_again_once_it_is_known) {
  start_and_hang_at_a_skip();
  carry_out();
  here.say("bob", "queue");
  here.settle();
  here.server().storage_subjects.clear();
  here.say("bob", "queue");
  EXPECT_THAT(here.server().storage_subjects, IsEmpty());
}

TEST_F(a_late_change, is_found_also_when_nobody_asks) {
  start_and_hang_at_a_skip();
  carry_out();
  here.pass(2);
  EXPECT_THAT(here.event_names(), ElementsAre("playlist.item.finished", "playlist.item.playing"));
}

TEST_F(a_late_change, that_nobody_asked_for_by_an_id_is_published_too) {
  here.start({{"max_unknown_duration", 60}});
  here.say("ann", "add", video(1));
  here.settle();
  here.events().clear();
  hang_at_the_next_change();
  here.pass(60);
  EXPECT_THAT(here.rows("history"), IsEmpty());
  carry_out();
  here.pass(2);
  EXPECT_EQ(published("playlist.item.finished"), 1);
  EXPECT_EQ(here.rows("history").size(), 1u);
}

TEST_F(a_late_change, is_published_once_when_it_is_asked_for_again) {
  start_and_hang_at_a_skip();
  carry_out();
  EXPECT_TRUE(skip(2).success);
  EXPECT_EQ(published("playlist.item.finished"), 1);
  here.say("bob", "queue");
  here.pass(2);
  EXPECT_EQ(published("playlist.item.finished"), 1);
  EXPECT_EQ(here.stored_version(), 4);
}

TEST_F(a_late_change, is_published_once_when_it_was_done_anew_before) {
  start_and_hang_at_a_skip();
  EXPECT_TRUE(skip(2).success);
  carry_out();
  here.say("bob", "queue");
  here.pass(2);
  EXPECT_EQ(published("playlist.item.finished"), 1);
  EXPECT_EQ(here.stored_version(), 4);
}

TEST_F(a_late_change, is_published_once_when_another_instance_does_it_anew) {
  instance& first = here.start(generous);
  here.server().chosen = &first.bus;
  for (int number = 1; number <= 3; ++number) here.say("ann", "add", video(number));
  instance& second = here.start(generous);
  here.events().clear();
  hang_at_the_next_change();
  EXPECT_EQ(skip().code, "storage_unavailable");
  here.server().chosen = &second.bus;
  EXPECT_TRUE(skip(2).success);
  here.server().chosen = &first.bus;
  carry_out();
  EXPECT_THAT(here.say("bob", "queue").message, HasSubstr("Now: [yt] video000002"));
  here.pass(2);
  EXPECT_EQ(published("playlist.item.finished"), 1);
}

TEST_F(a_late_change, that_never_comes_is_waited_for_a_minute) {
  start_and_hang_at_a_skip();
  here.say("bob", "queue");
  here.server().storage_subjects.clear();
  here.say("bob", "queue");
  EXPECT_EQ(here.server().storage_subjects.size(), 1u) << "read again";
  here.pass(59);
  here.server().storage_subjects.clear();
  here.say("bob", "queue");
  EXPECT_EQ(here.server().storage_subjects.size(), 1u);
  here.pass(2);
  here.say("bob", "queue");
  here.settle();
  here.server().storage_subjects.clear();
  here.say("bob", "queue");
  EXPECT_THAT(here.server().storage_subjects, IsEmpty());
  EXPECT_THAT(here.events(), IsEmpty());
}

}  // namespace
}  // namespace rosey::playlist::testing
