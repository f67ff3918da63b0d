// A crash inside a plugin takes the bot with it; the last line of its log says which one it was.
// And the level from which a plugin's lines are logged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <string>

#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

struct crash {
  const char* way;
  int signal;
  const char* sentence;
};

void use_only(const bot_folder& folder, const std::string& way,
              std::string_view log_levels = "{}") {
  std::filesystem::remove(folder.plugins() / "libplaylist.so");
  std::filesystem::copy_file(std::string(HOSTILE_PLUGINS) + "/lib" + way + ".so",
                             folder.plugins() / "libhostile.so");
  std::ofstream(folder.path() / "rosey.json")
      << R"({"plugins": {"directory": "plugins", "watch": false, "log_levels": )" << log_levels
      << "}}";
}

std::string last_line(std::string log) {
  while (!log.empty() && log.back() == '\n') log.pop_back();
  return log.substr(log.rfind('\n') + 1);
}

class PluginCrash : public testing::TestWithParam<crash> {};

TEST_P(PluginCrash, IsTheLastLineOfTheLog) {
  if (SANITIZED) GTEST_SKIP() << "the sanitizer reports it";
  const bot_folder folder;
  use_only(folder, GetParam().way);
  running_bot bot(folder);
  bot.child().write("!act\n");
  EXPECT_EQ(bot.child().wait(), 128 + GetParam().signal);
  EXPECT_THAT(last_line(bot.child().log()), HasSubstr(GetParam().sentence));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, PluginCrash,
    testing::Values(crash{"crashes", SIGSEGV, "rosey: the plugin 'hostile' crashed: SIGSEGV"},
                    crash{"overflows", SIGSEGV, "rosey: the plugin 'hostile' crashed: SIGSEGV"},
                    crash{"aborts", SIGABRT, "rosey: the plugin 'hostile' crashed: SIGABRT"},
                    crash{"crashes_in_a_thread", SIGSEGV,
                          "rosey: a plugin crashed, in a thread that it started from 'hostile#"}),
    [](const auto& tested) { return std::string(tested.param.way); });

TEST(PluginLog, HasALevelOfItsOwn) {
  const bot_folder folder;
  use_only(folder, "logs_at_every_level", R"({"hostile": "debug"})");
  running_bot bot(folder, {"--log-level", "error"});
  EXPECT_THAT(bot.child().log(), HasSubstr("debug [hostile] a detail"));
  EXPECT_THAT(bot.child().log(), Not(HasSubstr("loaded hostile")));
  EXPECT_EQ(bot.finish(), 0);
}

TEST(PluginLog, IsTakenAnewAtEachReload) {
  const bot_folder folder;
  use_only(folder, "logs_at_every_level");
  running_bot bot(folder);
  EXPECT_THAT(bot.child().log(), HasSubstr("info [hostile] a fact"));
  EXPECT_THAT(bot.child().log(), Not(HasSubstr("a detail")));
  std::ofstream(folder.path() / "rosey.json")
      << R"({"plugins": {"directory": "plugins", "watch": false, "log_levels": {"hostile": "debug"}}})";
  EXPECT_THAT(bot.say("!plugin reload hostile"), HasSubstr("Reloaded"));
  bot.child().wait_for_log("debug [hostile] a detail");
  EXPECT_EQ(bot.finish(), 0);
}

}  // namespace
}  // namespace rosey::tests
