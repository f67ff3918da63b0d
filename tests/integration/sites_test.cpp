// The plugin in its host asks a site over TLS, and can be unloaded while it waits for one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "fakes/https_server.hpp"
#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using fakes::certificate_authority;
using fakes::https_server;
using testing::HasSubstr;

class SiteTest : public testing::Test {
 protected:
  SiteTest() {
    std::ofstream(folder.path() / "ca.pem") << authority.certificate();
    folder.configure(R"({"metadata": {"ca_file": ")" + (folder.path() / "ca.pem").string() +
                     R"(", "endpoints": {"vi": ")" + site.url("/vi") + R"("}}})");
  }

  https_server::answer song() const {
    return {.body = R"({"title": "A song", "duration": 225})", .held = held};
  }

  const bot_folder folder;
  certificate_authority authority;
  std::atomic<bool> held = false;
  https_server site{authority.issue("localhost"), [this](const std::string&) { return song(); }};
};

TEST_F(SiteTest, TellsTheTitle) {
  running_bot bot(folder);
  EXPECT_EQ(bot.say("!add https://vimeo.com/123"), "📺 Added to queue (#1): A song");
  EXPECT_THAT(bot.say("!queue"), HasSubstr("▶️ Now: A song [3:45]"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(SiteTest, ThatIsSlowDelaysTheAnswerAndNotTheUnloading) {
  held = true;
  running_bot bot(folder);
  EXPECT_EQ(bot.say("!add https://vimeo.com/123"), "📺 Added to queue (#1): [vi] 123");
  // The fetch goes on.
  EXPECT_THAT(bot.say("!plugin unload playlist"), HasSubstr("Unloaded"));
  held = false;
  site.release();
  EXPECT_THAT(bot.say("!plugin load playlist"), HasSubstr("Loaded"));
  const auto title = [&bot] { return bot.say("!nowplaying"); };
  while (title().find("A song") == std::string::npos) {
    // Taken up again by the new instance; the test's own deadline ends this.
  }
  EXPECT_EQ(bot.finish(), 0);
}

}  // namespace
}  // namespace rosey::tests
