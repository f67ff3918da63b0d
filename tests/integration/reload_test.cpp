// Hot reload by an admin in the channel: a newer build takes over, and the old file is gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <set>
#include <thread>

#include "host_stub/bus/nats_server.hpp"
#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;

// The copies of the plugin that the bot has mapped.
std::set<std::string> mapped_plugins(const running_bot& bot) {
  std::ifstream maps("/proc/" + std::to_string(const_cast<running_bot&>(bot).child().id()) +
                     "/maps");
  std::set<std::string> found;
  for (std::string line; std::getline(maps, line);) {
    const auto path = line.find('/');
    if (path != line.npos && line.find("libplaylist") != line.npos) found.insert(line.substr(path));
  }
  return found;
}

void install_next(const bot_folder& folder) {
  std::filesystem::copy_file(NEXT_PLAYLIST_PLUGIN, folder.path() / "next.so");
  std::filesystem::rename(folder.path() / "next.so", folder.plugins() / "libplaylist.so");
}

constexpr int items_per_channel = 500;  // fewer than a queue may have

// The number says which item it is: users and channels change before a limit is met.
std::string load_request(int number) {
  const std::string group = std::to_string(number / items_per_channel);
  return R"({"channel":"#load)" + group + R"(","user":"ann)" + group +
         R"(","args":"yt:dQw4w9WgXcQ"})";
}

int items_in(running_bot& bot, int channel) {
  const std::string reply = bot.request("service.playlist.get_stats",
                                        R"({"channel":"#load)" + std::to_string(channel) + "\"}");
  const std::string key = R"("total_items":)";
  const auto found = reply.find(key);
  return found == reply.npos ? -1 : std::stoi(reply.substr(found + key.size()));
}

TEST(Reload, TakesTheNewBuildAndKeepsTheQueue) {
  const bot_folder folder;
  running_bot bot(folder);
  bot.say("!add https://youtu.be/dQw4w9WgXcQ");
  const auto before = mapped_plugins(bot);
  ASSERT_EQ(before.size(), 1u);
  install_next(folder);

  EXPECT_EQ(bot.say("!plugin reload playlist"), "🔌 Reloaded playlist 0.1.0 → 9.9.9");
  EXPECT_THAT(bot.say("!plugin list"), HasSubstr("playlist 9.9.9 - running"));
  const auto after = mapped_plugins(bot);
  ASSERT_EQ(after.size(), 1u);
  EXPECT_NE(after, before);
  EXPECT_THAT(bot.say("!queue"), HasSubstr("▶️ Now: [yt] dQw4w9WgXcQ"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST(Reload, LosesNoCommandUnderLoad) {
  const bot_folder folder;
  folder.configure(
      R"({"rate_limit_count": 900, "max_items_per_user": 900, "max_queue_size": 900})");
  running_bot bot(folder);
  bot.say("!queue");
  std::atomic<bool> enough = false;
  int added = 0;
  std::vector<std::string> failures;
  bot.bus();
  std::thread load([&] {
    while (!enough) {
      const auto reply = bot.bus().request(add_subject, load_request(added), patience);
      if (reply && reply->find(R"("success":true)") != reply->npos) {
        ++added;
      } else {
        failures.push_back(reply ? *reply : reply.error().message);
      }
    }
  });
  for (int swap = 0; swap < 20; ++swap) {
    EXPECT_THAT(bot.request("rosey.admin.plugin.reload", R"({"name":"playlist"})"),
                HasSubstr(R"("success":true)"));
  }
  enough = true;
  load.join();
  EXPECT_THAT(failures, testing::IsEmpty());
  EXPECT_GT(added, 0);

  // What was answered is what is there.
  int stored = 0;
  for (int channel = 0; channel <= added / items_per_channel; ++channel) {
    stored += items_in(bot, channel);
  }
  EXPECT_EQ(stored, added);
  EXPECT_EQ(mapped_plugins(bot).size(), 1u);
  EXPECT_EQ(bot.finish(), 0) << bot.child().log();
}

TEST(Reload, KnowsWhoIsThereToVote) {
  const bot_folder folder;
  running_bot bot(folder);
  bot.say("!add https://youtu.be/dQw4w9WgXcQ");
  for (const char* user : {"a", "b", "c", "d", "e"}) {
    bot.say("/as " + std::string(user));
    bot.say("!nowplaying");
  }
  bot.say("/as you admin");
  EXPECT_THAT(bot.say("!plugin reload playlist"), HasSubstr("Reloaded"));
  EXPECT_EQ(bot.say("!voteskip"), "⏭️ Vote recorded (1/3 needed)");
  EXPECT_EQ(bot.finish(), 0);
}

TEST(Reload, UnloadAndLoadAreAnsweredClearly) {
  const bot_folder folder;
  running_bot bot(folder);
  EXPECT_EQ(bot.say("!plugin unload playlist"), "🔌 Unloaded playlist 0.1.0");
  EXPECT_EQ(mapped_plugins(bot).size(), 0u);
  EXPECT_EQ(bot.say("!queue"),
            "❌ The plugin 'playlist' is not loaded; an admin can bring it back with "
            "!plugin load playlist");
  EXPECT_EQ(bot.say("!plugin list"), "🔌 No plugins are loaded");
  EXPECT_EQ(bot.say("!plugin unload playlist"), "❌ The plugin 'playlist' is not loaded");
  EXPECT_EQ(bot.say("!plugin load playlist"), "🔌 Loaded playlist 0.1.0");
  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
  EXPECT_THAT(bot.say("!plugin load nothing"),
              HasSubstr("❌ There is no plugin 'nothing' in plugins"));
  EXPECT_THAT(bot.say("!plugin explode playlist"), HasSubstr("❌ Usage: !plugin list | load"));
  EXPECT_EQ(bot.finish(), 0);
}

// An outage of NATS does not keep the bot from ending, with everything taken down in order.
TEST(Reload, TheBotEndsWhileNatsDoesNotAnswer) {
  const host::nats_server server;
  const bot_folder folder;
  folder.configure("{}", {.storage = R"({"enabled": true})"});
  running_bot bot(folder, {"--nats-url", server.url()});
  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
  ASSERT_EQ(::kill(server.id(), SIGSTOP), 0);
  bot.child().signal(SIGTERM);
  EXPECT_EQ(bot.child().wait(), 0) << bot.child().log();
  // In order, or with a word about what it asked for a moment before.
  EXPECT_THAT(bot.child().log(),
              testing::AnyOf(HasSubstr("unloaded playlist"), HasSubstr("it waits for an answer")));
  EXPECT_THAT(bot.child().log(), testing::Not(HasSubstr("quarantine")));
}

TEST(Reload, TheCommandLineDoesTheSame) {
  const bot_folder folder;
  running_bot bot(folder);
  const auto rosey = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "plugin");
    arguments.insert(arguments.end(), {"--nats-url", bot.nats_url()});
    return run(folder.command(std::move(arguments)), folder.path());
  };
  EXPECT_THAT(rosey({"list"}).output, HasSubstr("playlist  0.1.0    running"));
  install_next(folder);
  EXPECT_EQ(rosey({"reload", "playlist"}).output, "Reloaded playlist 0.1.0 → 9.9.9\n");
  EXPECT_EQ(rosey({"unload", "playlist"}).output, "Unloaded playlist 9.9.9\n");
  EXPECT_EQ(rosey({"load", "playlist"}).output, "Loaded playlist 9.9.9\n");
  const finished failed = rosey({"load", "nothing"});
  EXPECT_EQ(failed.status, 1);
  EXPECT_THAT(failed.log, HasSubstr("There is no plugin 'nothing'"));
  EXPECT_EQ(bot.finish(), 0);
}

}  // namespace
}  // namespace rosey::tests
