// A plugins folder, or a library in it, that others may write: said once, or refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view warning = "others can put code into the bot";

class PluginFolder : public testing::Test {
 protected:
  PluginFolder() {
    std::filesystem::copy_file(HELLO_PLUGIN, hello());
    set_mode(hello(), 0755);
    set_mode(folder_.plugins() / "libplaylist.so", 0755);
    set_mode(folder_.plugins(), 0755);
  }

  std::filesystem::path hello() const { return folder_.plugins() / "libhello.so"; }

  static void set_mode(const std::filesystem::path& entry, mode_t mode) {
    ASSERT_EQ(::chmod(entry.c_str(), mode), 0);
  }

  void configure(std::string_view policy) const {
    std::ofstream(folder_.path() / "rosey.json")
        << R"({"plugins": {"directory": "plugins", "watch": false, "writable_by_others": )"
        << policy << R"(, "config": {"playlist": {"metadata": "none"}}}})";
  }

  static std::size_t warnings_in(const std::string& log) {
    std::size_t count = 0;
    for (auto at = log.find(warning); at != std::string::npos; at = log.find(warning, at + 1)) {
      ++count;
    }
    return count;
  }

  const bot_folder folder_;
};

TEST_F(PluginFolder, ThatOthersMayWriteIsWarnedOfInOneLine) {
  set_mode(folder_.plugins(), 0777);
  set_mode(hello(), 0777);
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!plugin reload hello"), HasSubstr("Reloaded"));
  EXPECT_EQ(bot.finish(), 0);
  EXPECT_EQ(warnings_in(bot.child().log()), 1U) << bot.child().log();
  EXPECT_THAT(bot.child().log(), HasSubstr("'plugins' may be written by everybody; run: chmod "
                                           "go-w 'plugins'"));
}

TEST_F(PluginFolder, HoldsALibraryThatIsWarnedOfOnce) {
  set_mode(hello(), 0777);
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!plugin reload hello"), HasSubstr("Reloaded"));
  EXPECT_EQ(bot.finish(), 0);
  EXPECT_EQ(warnings_in(bot.child().log()), 1U) << bot.child().log();
  EXPECT_THAT(bot.child().log(), HasSubstr("libhello.so' may be written by everybody"));
}

TEST_F(PluginFolder, OfItsUserAloneIsNotWarnedOf) {
  running_bot bot(folder_);
  EXPECT_EQ(bot.finish(), 0);
  EXPECT_EQ(warnings_in(bot.child().log()), 0U) << bot.child().log();
}

TEST_F(PluginFolder, ThatOthersMayWriteIsRefusedWhereTheOperatorWantsIt) {
  configure(R"("refuse")");
  set_mode(folder_.plugins(), 0777);
  const finished ended = run(folder_.command({"run"}), folder_.path());
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.log, HasSubstr("rosey: others can put code into the bot: 'plugins' may be "
                                   "written by everybody"));
}

TEST_F(PluginFolder, HoldsALibraryThatIsRefused) {
  configure(R"("refuse")");
  set_mode(hello(), 0777);
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!plugin list"), Not(HasSubstr("hello 1.0.0")));
  EXPECT_THAT(bot.say("!plugin load hello"), HasSubstr("others can write it"));
  set_mode(hello(), 0755);
  EXPECT_THAT(bot.say("!plugin load hello"), HasSubstr("Loaded hello"));
  // Also later, and the running one stays.
  set_mode(folder_.plugins(), 0777);
  EXPECT_THAT(bot.say("!plugin reload hello"), HasSubstr("hello 1.0.0 keeps running"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(PluginFolder, HasAPolicyOfTwoWords) {
  configure(R"("ignore")");
  const finished ended = run(folder_.command({"run"}), folder_.path());
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.log, HasSubstr(R"('plugins.writable_by_others' must be "warn" or "refuse")"));
}

}  // namespace
}  // namespace rosey::tests
