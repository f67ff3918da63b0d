// Whatever is sent, typed or configured wrongly gets one clear sentence, and the bot goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;

TEST(BadInput, OverNatsIsAnsweredWithTheFieldThatIsWrong) {
  const bot_folder folder;
  running_bot bot(folder);
  const auto refused = [&](std::string_view payload, std::string_view sentence) {
    const std::string reply = bot.request(add_subject, payload);
    EXPECT_THAT(reply, HasSubstr(R"("code":"bad_request")")) << payload.substr(0, 80);
    EXPECT_THAT(reply, HasSubstr(std::string(sentence))) << payload.substr(0, 80);
  };
  refused("", "not valid JSON");
  refused("{", "not valid JSON");
  refused("[1]", "must be a JSON object");
  refused(R"({"user":"ann","args":"x"})", "'channel' is missing");
  refused(R"({"channel":"#lobby","args":"x"})", "'user' is missing");
  refused(R"({"channel":7,"user":"ann"})", "'channel' must be a string");
  refused(R"({"channel":"#lobby","user":"ann","args":["x"]})", "'args' must be a string");
  refused(R"({"channel":"","user":"ann"})", "'channel' must not be empty");
  refused(R"({"channel":"#lobby","user":""})", "'user' must not be empty");
  refused(R"({"channel":"#lo\nbby","user":"ann"})",
          "'channel' must not contain control characters");
  refused(R"({"channel":"#lobby","user":"a\u0000nn"})",
          "'user' must not contain control characters");
  refused(R"({"channel":"#lobby","user":"ann","role":"king"})", "'role' must be");
  refused(R"({"channel":"#lobby","user":"ann","attempt":"two"})", "'attempt' must be");
  refused("{\"channel\":\"#lobby\",\"user\":\"\xff\xfe\"}", "not valid JSON");
  refused(R"({"channel":"#lobby","user":"ann","args":")" + std::string(900'000, 'x') + "\"}",
          "at most 65536 are accepted");
  refused(std::string(60'000, '['), "not valid JSON");
  const std::string long_url = R"({"channel":"#lobby","user":"ann","args":"https://youtu.be/)" +
                               std::string(60'000, 'x') + "\"}";
  EXPECT_THAT(bot.request(add_subject, long_url), HasSubstr(R"("code":"unrecognized_media")"));

  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty") << "nothing of it did anything";
  EXPECT_EQ(bot.finish(), 0);
}

TEST(BadInput, OfMaximumSizeIsAnswered) {
  const bot_folder folder;
  running_bot bot(folder);
  // The most that NATS carries by default.
  EXPECT_THAT(bot.request(add_subject, std::string(1024 * 1024, 'x')),
              HasSubstr("has 1048576 bytes"));
  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
  EXPECT_EQ(bot.finish(), 0);
}

TEST(BadInput, AtTheConsoleIsAnsweredInOneLine) {
  const bot_folder folder;
  running_bot bot(folder);
  EXPECT_EQ(bot.say("!remove 999"), "❌ Item '999' not found");
  EXPECT_THAT(bot.say("!add https://example.org/watch?v=dQw4w9WgXcQ"),
              testing::StartsWith("❌ Unrecognized media URL"));
  EXPECT_THAT(bot.say("!add https://evil.example/?x=youtube.com/watch?v=dQw4w9WgXcQ"),
              testing::StartsWith("❌ Unrecognized media URL"));
  EXPECT_THAT(bot.say("!add http://example.org/song.mp3"), HasSubstr("https"));
  EXPECT_THAT(bot.say("!history many"), HasSubstr("❌ Usage: !history"));
  EXPECT_THAT(bot.say("!move 1"), HasSubstr("❌ Usage: !move"));
  EXPECT_EQ(bot.say("!add \xff\xfe"), "❌ That line is not valid UTF-8");
  EXPECT_THAT(bot.say("!add https://youtu.be/" + std::string(100'000, 'x')),
              HasSubstr("❌ That line has 100022 bytes; a command may have"));
  EXPECT_THAT(bot.say("!add " + std::string(1'000'000, 'x')),
              HasSubstr("❌ That line has more than"));
  bot.child().write("just talking\n!!! wow\n! add\n");  // which nobody answers
  EXPECT_EQ(bot.say("/as"), "❌ Usage: /as NAME [user|moderator|admin]");
  EXPECT_EQ(bot.say("/as ann king"), "❌ Usage: /as NAME [user|moderator|admin]");
  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
  EXPECT_EQ(bot.finish(), 0);
}

TEST(BadInput, AFileThatIsNoPluginIsNamedAndTheOthersRun) {
  const bot_folder folder;
  std::ofstream(folder.plugins() / "libnoise.so") << "this is no library";
  std::ofstream(folder.plugins() / "readme.txt") << "neither is this, nor need it be";
  running_bot bot(folder);
  EXPECT_THAT(bot.child().log(),
              HasSubstr("plugin not loaded: plugins/libnoise.so: is not a loadable library"));
  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
  EXPECT_THAT(bot.say("!plugin load noise"), HasSubstr("❌ plugins/libnoise.so: is not a loadable"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST(BadInput, ABadSettingKeepsThePluginOutAndIsNamed) {
  const bot_folder folder;
  folder.configure(R"({"max_items_per_user": "five"})");
  running_bot bot(folder);
  EXPECT_THAT(bot.child().log(), HasSubstr("max_items_per_user"));
  EXPECT_THAT(bot.say("!plugin list"),
              HasSubstr("playlist 0.1.0 - refused: playlist: 'max_items_per_user' must be"));
  folder.configure("{}");
  EXPECT_EQ(bot.say("!plugin load playlist"), "🔌 Loaded playlist 0.1.0") << "it is read anew";
  EXPECT_EQ(bot.finish(), 0);
}

}  // namespace
}  // namespace rosey::tests
