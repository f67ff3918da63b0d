// The whole path: a line at the console, the router, NATS, the plugin, storage, and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;

constexpr char no_rate_limit[] = R"({"rate_limit_count": 900})";

std::string link(int number) {
  return "!add yt:AAAAAAAAA" + std::to_string(number + 10);
}

TEST(Console, AnswersAPipedScriptInOrderAndEnds) {
  const bot_folder folder;
  const finished bot = run(folder.command({"run"}), folder.path(),
                           "!add https://youtu.be/dQw4w9WgXcQ\nhello there\n!queue\n!mystats\n");
  EXPECT_EQ(bot.status, 0) << bot.log;
  EXPECT_EQ(bot.output,
            "📺 Added to queue (#1): [yt] dQw4w9WgXcQ\n"
            "📺 **Playlist**\n"
            "▶️ Now: [yt] dQw4w9WgXcQ [??:??]\n"
            "   Added by: you\n"
            "📊 1 items | 0m | 1 users\n"
            "📊 **Playlist Stats for you**\n"
            "\n"
            "• Items Added: 1\n"
            "• Items Played: 0\n"
            "• Skip Rate: 0%\n"
            "• Total Time: 0h 0m\n")
      << bot.log;
}

TEST(Console, KnowsEveryVerb) {
  const bot_folder folder;
  folder.configure(no_rate_limit);
  running_bot bot(folder);
  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
  EXPECT_EQ(bot.say("!history"), "📜 No play history yet");
  EXPECT_EQ(bot.say("!mystats"), "📊 No playlist stats yet");
  EXPECT_EQ(bot.say("!nowplaying"), "❌ Nothing is playing!");
  EXPECT_EQ(bot.say("!skip"), "❌ Nothing is playing!");
  EXPECT_EQ(bot.say("!voteskip"), "❌ Nothing is playing!");
  EXPECT_EQ(bot.say("!remove"), "❌ You have nothing in the queue");
  EXPECT_EQ(bot.say("!shuffle"), "❌ Need at least 2 items to shuffle");
  EXPECT_EQ(bot.say("!add"), "❌ Usage: !add <url>");

  EXPECT_EQ(bot.say(link(1)), "📺 Added to queue (#1): [yt] AAAAAAAAA11");
  EXPECT_EQ(bot.say(link(2)), "📺 Added to queue (#1): [yt] AAAAAAAAA12");
  EXPECT_EQ(bot.say(link(3)), "📺 Added to queue (#2): [yt] AAAAAAAAA13");
  EXPECT_EQ(bot.say(link(4)), "📺 Added to queue (#3): [yt] AAAAAAAAA14");
  EXPECT_EQ(bot.say("!move 3 start"), "↕️ Moved: [yt] AAAAAAAAA14");
  EXPECT_EQ(bot.say("!move 1 2"), "↕️ Moved: [yt] AAAAAAAAA14");
  EXPECT_THAT(bot.say("!queue"), HasSubstr("**Up Next:**\n"
                                           "1. [yt] AAAAAAAAA12 [??:??] - you\n"
                                           "2. [yt] AAAAAAAAA14 [??:??] - you\n"
                                           "3. [yt] AAAAAAAAA13 [??:??] - you"));
  EXPECT_THAT(bot.say("!nowplaying"), HasSubstr("[yt] AAAAAAAAA11"));
  EXPECT_EQ(bot.say("!remove 999"), "❌ Item '999' not found");
  EXPECT_EQ(bot.say("!remove 2"), "🗑️ Removed: [yt] AAAAAAAAA14");
  EXPECT_EQ(bot.say("!remove"), "🗑️ Removed: [yt] AAAAAAAAA13");
  EXPECT_EQ(bot.say("!skip"), "⏭️ Skipped. Now playing: [yt] AAAAAAAAA12");
  EXPECT_EQ(bot.say("!skip"), "⏭️ Skipped. Queue is now empty.");
  EXPECT_EQ(bot.say("!history"),
            "📜 **Recent Plays**\n"
            "\n"
            "⏭️ [yt] AAAAAAAAA12 - you\n"
            "⏭️ [yt] AAAAAAAAA11 - you");
  EXPECT_THAT(bot.say("!mystats"), HasSubstr("• Items Played: 2\n• Skip Rate: 100%"));

  for (int number = 5; number < 8; ++number) bot.say(link(number));
  EXPECT_EQ(bot.say("!shuffle"), "🔀 Shuffled 2 items");
  EXPECT_EQ(bot.say("!clear"), "🗑️ Cleared 2 items from queue");
  EXPECT_EQ(bot.finish(), 0);
}

TEST(Console, LetsSeveralPeopleSpeak) {
  const bot_folder folder;
  folder.configure(no_rate_limit);
  running_bot bot(folder);
  bot.say(link(1));
  bot.say(link(2));
  EXPECT_EQ(bot.say("/as ann"), "You speak as ann (user)");
  EXPECT_EQ(bot.say("!skip"), "❌ You can only skip your own items; !voteskip asks the others");
  EXPECT_EQ(bot.say("!remove 1"), "❌ You can only remove your own items");
  EXPECT_EQ(bot.say("!clear"), "❌ Admin only command");
  EXPECT_EQ(bot.say("!plugin list"), "❌ Admin only command");
  EXPECT_EQ(bot.say("!voteskip"), "⏭️ Vote recorded (1/2 needed)");
  EXPECT_EQ(bot.say("!voteskip"), "❌ You already voted to skip!");
  EXPECT_EQ(bot.say("/as bob"), "You speak as bob (user)");
  EXPECT_EQ(bot.say("!voteskip"), "⏭️ Skip vote passed! (2 votes)");
  EXPECT_EQ(bot.say("/as carl moderator"), "You speak as carl (moderator)");
  EXPECT_EQ(bot.say("!skip"), "⏭️ Skipped. Queue is now empty.");
  EXPECT_EQ(bot.finish(), 0);
}

TEST(Console, EnforcesTheQuotasOfTheDefaults) {
  const bot_folder folder;
  running_bot bot(folder);
  for (int number = 0; number < 3; ++number)
    EXPECT_THAT(bot.say(link(number)), HasSubstr("📺 Added"));
  EXPECT_THAT(bot.say(link(3)), testing::StartsWith("❌ Slow down! You're adding too fast."));
  EXPECT_EQ(bot.finish(), 0);
}

TEST(Console, RefusesTheSixthItem) {
  const bot_folder folder;
  folder.configure(no_rate_limit);
  running_bot bot(folder);
  for (int number = 0; number < 5; ++number)
    EXPECT_THAT(bot.say(link(number)), HasSubstr("📺 Added"));
  EXPECT_EQ(bot.say(link(5)), "❌ You can only have 5 items in queue; you have 5");
  EXPECT_EQ(bot.finish(), 0);
}

TEST(Console, HelpListsWhatThePluginsOffer) {
  const bot_folder folder;
  running_bot bot(folder);
  const std::string help = bot.say("!help");
  for (const char* verb : {"add <url>", "queue", "nowplaying", "skip", "voteskip", "remove",
                           "clear", "shuffle", "move", "history", "mystats"}) {
    EXPECT_THAT(help, HasSubstr(std::string("\n!") + verb));
  }
  EXPECT_THAT(help, HasSubstr("\n!plugin list"));
  EXPECT_THAT(bot.say("!help add"), testing::StartsWith("!add <url> - "));
  bot.say("/as ann");
  const std::string for_users = bot.say("!help");
  EXPECT_THAT(for_users, testing::Not(HasSubstr("!clear")));
  EXPECT_THAT(for_users, testing::Not(HasSubstr("!plugin")));
  EXPECT_EQ(bot.say("!nonsense"), "❌ Unknown command !nonsense; !help lists what there is");
  EXPECT_EQ(bot.finish(), 0);
}

}  // namespace
}  // namespace rosey::tests
