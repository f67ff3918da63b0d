// What a plugin may subscribe to: events of everybody, requests to itself.
#include "host_stub/plugins/subscription_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rosey::host {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string problem_of_hello(std::string_view subject, std::string_view group = {}) {
  return problem_with_subscription("hello", subject, group);
}

TEST(SubscriptionRules, LetAPluginListenToEvents) {
  for (const char* subject :
       {"playlist.>", "playlist.item.*", "rosey.chat.users", "rosey.chat.*", "rosey.chat.send",
        "hello.mine", "weather.*.today", "_INBOX.abc.*", "rosey.command", "service"}) {
    EXPECT_THAT(problem_of_hello(subject), IsEmpty());
    EXPECT_THAT(problem_of_hello(subject, "hello"), IsEmpty());
    EXPECT_THAT(problem_of_hello(subject, "hello.workers"), IsEmpty());
  }
}

TEST(SubscriptionRules, LetAPluginServeItsOwn) {
  for (const char* subject : {"rosey.command.hello.hello", "rosey.command.hello.>",
                              "rosey.command.hello.*", "service.hello.count", "service.hello.>"}) {
    EXPECT_THAT(problem_of_hello(subject, "hello"), IsEmpty());
  }
}

TEST(SubscriptionRules, KeepItOutOfTheLineForOthers) {
  for (const char* subject : {"rosey.command.playlist.add",
                              "rosey.command.playlist.>",
                              "rosey.command.*.add",
                              "rosey.command.>",
                              "rosey.command.hello-2.add",
                              "rosey.command.*",
                              "rosey.>",
                              "rosey.*.playlist.*",
                              "rosey.*.hello.hello",
                              "service.playlist.skip",
                              "service.>",
                              "service.*.skip",
                              "db.>",
                              "db.row.hello.select",
                              "db.*.*.*",
                              "rosey.admin.plugin.load",
                              "rosey.*.plugin.load",
                              "rosey.monitoring.storage",
                              "_INBOX.>",
                              "_INBOX.*",
                              "_INBOX.*.*"}) {
    EXPECT_THAT(problem_of_hello(subject), HasSubstr(subject)) << "with an observer too";
    EXPECT_THAT(problem_of_hello(subject, "hello"), HasSubstr(subject));
  }
}

TEST(SubscriptionRules, NameWhoseRequestsTheyAre) {
  EXPECT_EQ(
      problem_of_hello("rosey.command.playlist.add"),
      "'rosey.command.playlist.add' would take requests of the plugin 'playlist'; 'hello' may "
      "subscribe to 'rosey.command.hello.…'");
  EXPECT_EQ(problem_of_hello("service.*.skip"),
            "'service.*.skip' would take requests of every plugin; 'hello' may subscribe to "
            "'service.hello.…'");
}

TEST(SubscriptionRules, KeepGroupsApart) {
  for (const char* group : {"playlist", "storage", "hello-2", "hellox", "workers"}) {
    EXPECT_THAT(problem_of_hello("rosey.command.hello.hello", group),
                HasSubstr("cannot be a queue group"));
  }
  EXPECT_THAT(problem_of_hello("hello.a", "hello. a"), HasSubstr("white space"));
}

TEST(SubscriptionRules, KnowWhenPatternsMeet) {
  EXPECT_TRUE(overlap("a.b", "a.b"));
  EXPECT_TRUE(overlap("a.*.c", "a.b.*"));
  EXPECT_TRUE(overlap("a.>", "a.b.c"));
  EXPECT_TRUE(overlap("a.b.c", "*.>"));
  EXPECT_FALSE(overlap("a.>", "a"));
  EXPECT_FALSE(overlap("a.b", "a.b.c"));
  EXPECT_FALSE(overlap("a.*", "a.b.c"));
  EXPECT_FALSE(overlap("a.b", "a.c"));
}

}  // namespace
}  // namespace rosey::host
