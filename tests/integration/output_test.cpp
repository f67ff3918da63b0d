// What leaves on standard output and standard error: clean, and never the end of the bot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <string>

#include "integration/support/bot.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

class Output : public testing::Test {
 protected:
  void install(const char* way) const {
    std::filesystem::copy_file(HOSTILE_PLUGINS "/lib" + std::string(way) + ".so",
                               folder_.plugins() / "libhostile.so");
  }

  // `rosey <arguments>` with its streams as a shell makes them: "2>&-".
  static std::vector<std::string> shell(const std::string& arguments) {
    return {"/bin/sh", "-c", "exec " ROSEY_BINARY " " + arguments};
  }

  const bot_folder folder_;
};

TEST_F(Output, OfTheConsoleCannotSteerATerminal) {
  install("speaks_strangely");
  running_bot bot(folder_);
  EXPECT_EQ(bot.say("!act"), "one\ntwo  [31m 2J  three");
  const boost::json::object line{{"channel", "#lobby"},
                                 {"message", "un\x1b]0;asked\x07\u009b2J\u200f\u2069"}};
  ASSERT_TRUE(bot.bus().publish("rosey.chat.send", boost::json::serialize(line)));
  EXPECT_EQ(bot.child().read_line(), "un ]0;asked  2J ");
  // A version that wants to be two lines.
  EXPECT_THAT(bot.say("!plugin list"), HasSubstr("harmless\\n2026-01-01"));
  EXPECT_EQ(bot.say("!plugin unload hostile").find('\n'), std::string::npos);
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(Output, OfTheLogIsALineForEachMessage) {
  install("speaks_strangely");
  running_bot bot(folder_);
  EXPECT_EQ(bot.finish(), 0);
  const std::string& log = bot.child().log();
  EXPECT_THAT(log, HasSubstr("[hostile] harmless\\n2026-01-01 00:00:00.000 error "
                             "forged\\r\\x1b[31m\\x9b2J\\u{2028}\\u{202e}\uFFFD\n"));
  EXPECT_THAT(log, Not(HasSubstr("\n2026-01-01")));
  EXPECT_TRUE(wire::is_valid_utf8(log));
  EXPECT_EQ(log.find_first_of("\r\x1b"), std::string::npos);
}

TEST_F(Output, OfARefusalIsClean) {
  install("fails_strangely");
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!plugin load hostile"), HasSubstr("harmless\\n2026-01-01"));
  const std::string reply = bot.request("rosey.admin.plugin.load", R"({"name": "hostile"})");
  EXPECT_TRUE(wire::is_valid_utf8(reply)) << reply;
  const finished refused = run(
      folder_.command({"plugin", "load", "hostile", "--nats-url", bot.nats_url()}), folder_.path());
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(std::count(refused.log.begin(), refused.log.end(), '\n'), 1) << refused.log;
  EXPECT_EQ(bot.finish(), 0);
  EXPECT_THAT(bot.child().log(), Not(HasSubstr("\n2026-01-01")));
}

TEST_F(Output, OfStorageIsClean) {
  running_bot bot(folder_);
  const std::string reply =
      bot.request("db.row.playlist.select", R"({"table": "a\n\u001b\u009b\u202e"})");
  EXPECT_THAT(reply, HasSubstr(R"(no table 'a\\n\\x1b\\x9b\\u{202e}')"));
  EXPECT_EQ(bot.finish(), 0);
}

// The bot goes on, and what it answers is kept.
TEST_F(Output, ThatCannotBeWrittenEndsNothing) {
  folder_.configure(R"({"rate_limit_count": 900, "max_items_per_user": 50})");
  int items = 0;
  for (const std::string streams : {"2>&-", "2>/dev/full", ">&-", ">/dev/full", ">&- 2>&-",
                                    ">/dev/full 2>/dev/full", "<&- >&- 2>&-"}) {
    process bot(shell("--log-level debug run " + streams), folder_.path());
    if (!streams.starts_with('<')) {
      bot.write("!add yt:AAAAAAAAA" + std::to_string(10 + items++) + "\n");
      bot.close_input();
    } else {
      // Without an input it is a service, which a signal ends whenever it comes.
      bot.signal(SIGTERM);
    }
    const int status = bot.wait();
    EXPECT_TRUE(status == 0 || (streams.starts_with('<') && status == 128 + SIGTERM))
        << streams << ": " << status << bot.log();
  }
  running_bot bot(folder_);
  const std::string queue = bot.say("!queue");
  EXPECT_THAT(queue, HasSubstr(std::to_string(items) + " items")) << queue;
  EXPECT_EQ(bot.finish(), 0);
  const finished sound = run(
      {"/usr/bin/sqlite3", folder_.database().string(), "PRAGMA integrity_check"}, folder_.path());
  EXPECT_EQ(sound.output, "ok\n");
}

TEST_F(Output, WhoseReaderLeftEndsNothing) {
  folder_.configure(R"({"rate_limit_count": 900})");
  const std::string script =
      "(for i in 1 2 3 4 5; do echo \"!add yt:AAAAAAAAA1$i\"; done) | (" ROSEY_BINARY
      " run 2>log; echo $? >status) | head -1";
  const finished first = run({"/bin/sh", "-c", script}, folder_.path());
  EXPECT_EQ(first.output, "📺 Added to queue (#1): [yt] AAAAAAAAA11\n");
  std::string status;
  std::ifstream(folder_.path() / "status") >> status;
  EXPECT_EQ(status, "0");
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!queue"), HasSubstr("5 items"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(Output, ThatCannotBeWrittenIsAFailureOfWhatOnlyWrites) {
  const std::string status = "migrate --plugin playlist --action status ";
  const finished full = run(shell(status + ">/dev/full"), folder_.path());
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.log, HasSubstr("standard output could not be written: No space left"));
  EXPECT_EQ(run(shell(status + ">&-"), folder_.path()).status, 0);
  EXPECT_EQ(run(shell("run --plugins nowhere 2>&-"), folder_.path()).status, 1);
  EXPECT_EQ(run(shell("run --plugins nowhere 2>/dev/full"), folder_.path()).status, 1);
  EXPECT_EQ(run(shell("fly 2>/dev/full"), folder_.path()).status, 2);
  EXPECT_EQ(run(shell("run --wings 2>/dev/full"), folder_.path()).status, 2);
}

}  // namespace
}  // namespace rosey::tests
