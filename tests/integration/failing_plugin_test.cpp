// A plugin that throws costs its own command, and nobody a wait.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "host_stub/chat/command_router.hpp"
#include "integration/support/hostile_host.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::tests {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;

constexpr char internal[] =
    R"({"success":false,"error":"Something went wrong; the log says what","code":"internal",)"
    R"("message":"❌ Something went wrong; the log says what"})";

class FailingPlugin : public testing::Test {
 protected:
  FailingPlugin() { EXPECT_TRUE(host_.plugins.load("hostile")); }

  hostile_host host_{"failing"};
};

TEST_F(FailingPlugin, IsAnsweredForAtOnceAndCalledOnce) {
  host::command_router router(host_.bus, [&] { return host_.plugins.verbs(); }, {});
  const auto began = steady_clock::now();
  for (const char* line : {"!fail", "!fail-later"}) {
    EXPECT_EQ(router.answer({"#lobby", "ann", wire::role::user, line}),
              "❌ Something went wrong; the log says what");
  }
  EXPECT_EQ(host_.ask("failing.handler"), internal);
  EXPECT_EQ(host_.ask("failing.task"), internal);
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(5)) << "what the router waits";
  EXPECT_EQ(host_.ask("failing.calls"), "4") << "nothing was sent again";
  EXPECT_THAT(host_.log(), HasSubstr("rosey.command.failing.fail: thrown from a verb"));
  EXPECT_THAT(host_.log(),
              HasSubstr("an exception escaped from the handler of failing.handler: thrown from a "
                        "handler, \xEF\xBF\xBD"));
  EXPECT_THAT(host_.log(), HasSubstr("task: thrown from a coroutine"));
}

// As of a plugin on another host, which has died.
TEST_F(FailingPlugin, ThatIsGoneIsNamedWithTheSubjectOnWhichNobodyListens) {
  const auto verbs = host_.plugins.verbs();
  ASSERT_TRUE(host_.plugins.unload("failing"));
  host::command_router router(host_.bus, [&] { return verbs; }, {});
  EXPECT_EQ(
      router.answer({"#lobby", "ann", wire::role::user, "!fail"}),
      "❌ The plugin 'failing' cannot be reached: nobody listens on rosey.command.failing.fail");
}

TEST_F(FailingPlugin, IsNotAnsweredForWhenItHasAnsweredOrIsNotTheOneToAnswer) {
  EXPECT_EQ(host_.ask("failing.answered"), "answered");
  const auto event = host_.bus.request("failing.event", "{}", std::chrono::milliseconds(200));
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, "timeout") << "another one may be working on it";
}

TEST_F(FailingPlugin, IsUnloadedWithWhatItThrowsInTheLog) {
  ASSERT_TRUE(host_.bus.publish("failing.linger", "{}"));
  EXPECT_EQ(host_.ask("failing.calls"), "0");
  const auto unloaded = host_.plugins.unload("failing");
  EXPECT_TRUE(unloaded) << unloaded.error().message;
  const std::string log = host_.log();
  EXPECT_THAT(log, HasSubstr("[failing] stop: thrown from stop"));
  EXPECT_THAT(log, HasSubstr("cannot stop yet: it waits for the end of lingering"));
  EXPECT_THAT(log, HasSubstr("an exception escaped from the destructor: thrown from the "
                             "destructor, \xEF\xBF\xBD"));
  EXPECT_TRUE(wire::is_valid_utf8(log));
  EXPECT_TRUE(host_.others_are_served());
}

}  // namespace
}  // namespace rosey::tests
