// The plugins folder of a running bot: a library that comes is loaded, one that changes is swapped,
// one that goes is unloaded; once for each change, and never half of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string content_of(const std::filesystem::path& file) {
  std::string content(std::filesystem::file_size(file), '\0');
  std::ifstream(file, std::ios::binary).read(content.data(), std::ssize(content));
  return content;
}

class FolderWatch : public testing::Test {
 protected:
  FolderWatch() { folder_.configure("{}", {.watch = true}); }

  std::filesystem::path file(const std::string& name = "libplaylist.so") const {
    return folder_.plugins() / name;
  }
  // As an operator does it who knows how: written beside, then renamed.
  void rename_over(const std::filesystem::path& library, const std::string& name) const {
    std::filesystem::copy_file(library, file(".new"));
    std::filesystem::rename(file(".new"), file(name));
  }
  // What happened before this was seen, if the bot had anything to do about it.
  void wait_until_seen(running_bot& bot) const {
    rename_over(HELLO_PLUGIN, "libhello.so");
    bot.child().wait_for_log("loaded hello 1.0.0");
    std::filesystem::remove(file("libhello.so"));
    bot.child().wait_for_log("unloaded hello 1.0.0");
  }
  static std::size_t swaps(running_bot& bot) {
    std::size_t found = 0;
    for (auto at = bot.child().log().find("Reloaded"); at != std::string::npos;
         at = bot.child().log().find("Reloaded", at + 1)) {
      ++found;
    }
    return found;
  }

  bot_folder folder_;
};

TEST_F(FolderWatch, LoadsWhatComesAndUnloadsWhatGoes) {
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!hello"), HasSubstr("❌ Unknown command !hello"));
  std::filesystem::copy_file(HELLO_PLUGIN, file("libhello.so"));
  bot.child().wait_for_log("loaded hello 1.0.0 from plugins/libhello.so");
  EXPECT_THAT(bot.say("!hello"), HasSubstr("Hello, you!"));
  std::filesystem::remove(file("libhello.so"));
  bot.child().wait_for_log("unloaded hello 1.0.0");
  EXPECT_THAT(bot.say("!hello"), HasSubstr("'hello' is not loaded"));

  std::filesystem::create_symlink(HELLO_PLUGIN, file("libhello.so"));
  bot.child().wait_for_log("loaded hello 1.0.0 from plugins/libhello.so");
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(FolderWatch, SwapsWhatIsRenamedOver) {
  running_bot bot(folder_);
  bot.say("!add https://youtu.be/dQw4w9WgXcQ");
  rename_over(NEXT_PLAYLIST_PLUGIN, "libplaylist.so");
  bot.child().wait_for_log("Reloaded playlist 0.1.0 → 9.9.9");
  EXPECT_THAT(bot.say("!queue"), HasSubstr("▶️ Now: [yt] dQw4w9WgXcQ"));
  wait_until_seen(bot);
  EXPECT_EQ(swaps(bot), 1u);
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(FolderWatch, WaitsForAWriterInPlaceToFinish) {
  const std::string next = content_of(NEXT_PLAYLIST_PLUGIN);
  running_bot bot(folder_);
  {
    std::ofstream writer(file(), std::ios::binary | std::ios::trunc);
    const std::size_t part = next.size() / 20;
    for (std::size_t at = 0; at < 10 * part; at += part) {
      writer << next.substr(at, part) << std::flush;
    }
    // Half of it is there, and stays so for as long as the bot needs to see it.
    wait_until_seen(bot);
    EXPECT_EQ(swaps(bot), 0u);
    EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
    EXPECT_THAT(bot.say("!plugin reload playlist"), HasSubstr("is still being written"));
    writer << next.substr(10 * part);
  }
  bot.child().wait_for_log("Reloaded playlist 0.1.0 → 9.9.9");
  wait_until_seen(bot);
  EXPECT_EQ(swaps(bot), 1u);
  EXPECT_THAT(bot.child().log(), Not(HasSubstr("not replaced")));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(FolderWatch, KeepsTheOldOneWhenAFileIsCutShort) {
  const std::string next = content_of(NEXT_PLAYLIST_PLUGIN);
  running_bot bot(folder_);
  std::ofstream(file(), std::ios::binary | std::ios::trunc) << next.substr(0, next.size() / 2);
  EXPECT_THAT(bot.child().wait_for_log("plugin not replaced"), HasSubstr("is cut short: it has"));
  EXPECT_THAT(bot.say("!plugin list"),
              HasSubstr("playlist 0.1.0 - running; the newest build was refused: "));
  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
  // The writer comes back for the rest.
  std::ofstream(file(), std::ios::binary | std::ios::app) << next.substr(next.size() / 2);
  bot.child().wait_for_log("Reloaded playlist 0.1.0 → 9.9.9");
  EXPECT_THAT(bot.say("!plugin list"), HasSubstr("playlist 9.9.9 - running"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(FolderWatch, DoesNothingWhenTheContentIsTheSame) {
  running_bot bot(folder_);
  std::filesystem::last_write_time(file(), std::filesystem::file_time_type::clock::now());
  rename_over(PLAYLIST_PLUGIN, "libplaylist.so");
  wait_until_seen(bot);
  EXPECT_EQ(swaps(bot), 0u);
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(FolderWatch, FollowsAFileThatIsRenamed) {
  running_bot bot(folder_);
  bot.say("!add https://youtu.be/dQw4w9WgXcQ");
  std::filesystem::rename(file(), file("libplaylist-1.so"));
  bot.child().wait_for_log("plugins/libplaylist-1.so");
  EXPECT_THAT(bot.say("!plugin list"), HasSubstr("playlist 0.1.0 - running"));
  EXPECT_THAT(bot.say("!queue"), HasSubstr("▶️ Now: [yt] dQw4w9WgXcQ"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(FolderWatch, TakesAFileWhosePermissionsAreMended) {
  std::ofstream(folder_.path() / "rosey.json")
      << R"({"plugins": {"directory": "plugins", "writable_by_others": "refuse",)"
      << R"( "config": {"playlist": {"metadata": "none"}}}})";
  ASSERT_EQ(::chmod(folder_.plugins().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(file().c_str(), 0777), 0);
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!plugin list"),
              HasSubstr("playlist - refused: plugins/libplaylist.so: others "
                        "can write it"));
  ASSERT_EQ(::chmod(file().c_str(), 0755), 0);
  bot.child().wait_for_log("loaded playlist");
  EXPECT_THAT(bot.say("!plugin list"), HasSubstr("playlist 0.1.0 - running"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(FolderWatch, NamesWhatIsNoFileAndTakesTheTwinOfADeletedOne) {
  std::filesystem::create_directory(file("libfolder.so"));
  std::filesystem::create_symlink("nowhere", file("liblink.so"));
  std::filesystem::copy_file(NEXT_PLAYLIST_PLUGIN, file("libtwin.so"));
  running_bot bot(folder_);
  const std::string list = bot.say("!plugin list");
  EXPECT_THAT(list,
              HasSubstr("\nfolder - refused: plugins/libfolder.so: is a folder, not the file"));
  EXPECT_THAT(list,
              HasSubstr("\nlink - refused: plugins/liblink.so: is a link to 'nowhere', which "));
  EXPECT_THAT(list, HasSubstr("\nplaylist 0.1.0 - running"));
  EXPECT_THAT(list, HasSubstr("\nplaylist 9.9.9 - refused: plugins/libtwin.so: the plugin "
                              "'playlist' is loaded already, from plugins/libplaylist.so"));
  std::filesystem::remove(file());
  bot.child().wait_for_log("Reloaded playlist 0.1.0 → 9.9.9 from plugins/libtwin.so");
  EXPECT_THAT(bot.say("!plugin list"), HasSubstr("playlist 9.9.9 - running"));
  EXPECT_EQ(bot.say("!plugin reload twin"), "🔌 Reloaded playlist 9.9.9 → 9.9.9");
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(FolderWatch, CanBeSwitchedOff) {
  folder_.configure("{}");
  running_bot bot(folder_);
  const std::string descriptors = "/proc/" + std::to_string(bot.child().id()) + "/fd";
  for (const auto& open : std::filesystem::directory_iterator(descriptors)) {
    std::error_code closed_meanwhile;
    EXPECT_THAT(std::filesystem::read_symlink(open, closed_meanwhile).string(),
                Not(HasSubstr("inotify")));
  }
  std::filesystem::copy_file(HELLO_PLUGIN, file("libhello.so"));
  EXPECT_THAT(bot.say("!hello"), HasSubstr("❌ Unknown command !hello"));
  EXPECT_EQ(bot.say("!plugin load hello"), "🔌 Loaded hello 1.0.0");
  EXPECT_EQ(bot.finish(), 0);
}

// The default deadlines, and people in the channel.
TEST_F(FolderWatch, AStuckPluginIsNamedWhileChatGoesOn) {
  std::filesystem::copy_file(std::string(HOSTILE_PLUGINS) + "/libbusy_loop.so",
                             file("libhostile.so"));
  running_bot bot(folder_);
  bot.child().write("!act\n");
  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
  EXPECT_THAT(bot.child().wait_for_log("is stuck"), HasSubstr("the plugin hostile 1.0.0"));
  EXPECT_THAT(bot.say("!plugin list"), HasSubstr("hostile 1.0.0 - stuck: in one call for"));
  // Nobody waits for it any more: all of this is answered before the first of them is given up.
  for (int again = 0; again < 6; ++again) bot.child().write("!act\n");
  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
  EXPECT_EQ(bot.say("!plugin unload nothing"), "❌ The plugin 'nothing' is not loaded");
  EXPECT_THAT(bot.child().read_line(),
              HasSubstr("❌ The plugin 'hostile' did not answer in time; it is stuck: in one call"));
  bot.kill();
}

// Without the watcher nobody would ever see it again, so it is said.
TEST_F(FolderWatch, AFileThatIsWrittenAtTheStartIsNamed) {
  folder_.configure("{}");
  std::filesystem::copy_file(HELLO_PLUGIN, file("libhello.so"));
  const std::ofstream writer(file("libhello.so"), std::ios::binary | std::ios::app);
  running_bot bot(folder_);
  EXPECT_THAT(bot.child().log(), HasSubstr("plugin not loaded: plugins/libhello.so: is still being "
                                           "written"));
  EXPECT_EQ(bot.finish(), 0);
}

}  // namespace
}  // namespace rosey::tests
