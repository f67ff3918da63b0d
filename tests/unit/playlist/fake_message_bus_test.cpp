// The fake is as strict as NATS about subjects, and loud about requests that nobody serves.
#include "fakes/fake_message_bus.hpp"

#include <gtest/gtest-spi.h>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

TEST(fake_message_bus, matches_subjects_as_nats_does) {
  using fakes::matches;
  EXPECT_TRUE(matches("a.b", "a.b"));
  EXPECT_FALSE(matches("a.b", "a.b.c"));
  EXPECT_FALSE(matches("a.b.c", "a.b"));
  EXPECT_TRUE(matches("a.*", "a.b"));
  EXPECT_FALSE(matches("a.*", "a.b.c"));
  EXPECT_TRUE(matches("a.>", "a.b.c"));
  EXPECT_FALSE(matches("a.>", "a"));
}

TEST(fake_message_bus, fails_the_test_when_nobody_serves_a_request) {
  world here;
  EXPECT_NONFATAL_FAILURE(here.finish(here.begin("rosey.command.nobody", "{}")),
                          "nobody serves requests on rosey.command.nobody");
  here.server().tolerate_no_responders = true;
  EXPECT_EQ(here.finish(here.begin("rosey.command.nobody", "{}")),
            "nobody listens on this subject");
}

}  // namespace
}  // namespace rosey::playlist::testing
