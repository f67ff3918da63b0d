// The command line: help, exit statuses, migrations, and one sentence for what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

finished rosey(const bot_folder& folder, std::vector<std::string> arguments) {
  return run(folder.command(std::move(arguments)), folder.path());
}

// Exit status 1, and nothing but this one sentence at the end of standard error.
void expect_failure(const finished& ended, std::string_view sentence) {
  EXPECT_EQ(ended.status, 1) << ended.log;
  EXPECT_THAT(ended.log, HasSubstr("rosey: "));
  EXPECT_THAT(ended.log, HasSubstr(std::string(sentence)));
  EXPECT_EQ(ended.output, "");
}

TEST(CommandLine, HelpsWithEverySubcommand) {
  const bot_folder folder;
  const finished help = rosey(folder, {"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* subcommand : {"run", "storage", "migrate", "import", "plugin"}) {
    EXPECT_THAT(help.output, HasSubstr(subcommand));
    const finished each = rosey(folder, {subcommand, "--help"});
    EXPECT_EQ(each.status, 0);
    EXPECT_THAT(each.output, HasSubstr("Usage: rosey " + std::string(subcommand)));
  }
  EXPECT_EQ(rosey(folder, {"--version"}).output, "0.1.0\n");
}

TEST(CommandLine, UsageErrorsExitWithTwo) {
  const bot_folder folder;
  EXPECT_EQ(rosey(folder, {}).status, 2);
  const finished unknown = rosey(folder, {"fly"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.log, HasSubstr("There is no command 'fly'"));
  EXPECT_EQ(rosey(folder, {"run", "--wings"}).status, 2);
  EXPECT_EQ(rosey(folder, {"migrate", "--plugin", "playlist"}).status, 2);
  EXPECT_EQ(rosey(folder, {"migrate", "--plugin", "playlist", "--action", "sideways"}).status, 2);
}

TEST(CommandLine, NamesWhatIsWrongWithTheConfiguration) {
  const bot_folder folder;
  const auto with = [&](std::string_view text) {
    std::ofstream(folder.path() / "rosey.json") << text;
    return rosey(folder, {"run"});
  };
  expect_failure(with(R"({"storrage": {}})"),
                 "rosey.json: unknown key 'storrage'; known here: nats, storage, plugins, chat");
  expect_failure(with(R"({"plugins": {"dir": "x"}})"), "unknown key 'plugins.dir'");
  expect_failure(with(R"({"storage": {"enabled": "yes"}})"),
                 "'storage.enabled' must be true or false");
  expect_failure(with(R"({"chat": {"connectors": [{"type": "irc"}]}})"),
                 "'chat.connectors[0].type' must be \"console\"");
  expect_failure(with("{"), "rosey.json: not valid JSON");
  expect_failure(rosey(folder, {"run", "--config", "nowhere.json"}),
                 "nowhere.json: cannot be read: No such file or directory");
  expect_failure(rosey(folder, {"run", "--config", "plugins"}),
                 "plugins: cannot be read: it is a folder");
  expect_failure(with(""), "rosey.json: not valid JSON");
  expect_failure(with(R"({"storage": {"readers": 0}})"),
                 "'storage.readers' must be a whole number from 1 to 64");
  expect_failure(with(R"({"storage": {"busy_timeout_ms": "1s"}})"),
                 "'storage.busy_timeout_ms' must be a whole number of milliseconds from 1 to");
  EXPECT_EQ(
      with("\xEF\xBB\xBF{ /* all defaults */ \"plugins\": {\"directory\": \"plugins\",}, }").status,
      0);
}

TEST(CommandLine, NamesWhatCannotBeReached) {
  const bot_folder folder;
  expect_failure(rosey(folder, {"run", "--plugins", "nowhere"}),
                 "the plugins folder 'nowhere' does not exist");
  expect_failure(rosey(folder, {"run", "--wait", "0", "--nats-url", "nats://127.0.0.1:1"}),
                 "cannot reach NATS at nats://127.0.0.1:1");
  expect_failure(rosey(folder, {"run", "--wait", "0", "--nats-url", "nats://secret@127.0.0.1:1"}),
                 "cannot reach NATS at nats://127.0.0.1:1");
  expect_failure(rosey(folder, {"run", "--database", "sqlite:/proc/rosey/rosey.db"}),
                 "/proc/rosey");
  expect_failure(rosey(folder, {"run", "--database", "oracle:x"}), "sqlite:PATH");
  expect_failure(rosey(folder, {"run", "--database", "postgresql://ann:secret@127.0.0.1:1/x"}),
                 "Cannot use the database 'postgresql://127.0.0.1:1/x': cannot reach the server");
  expect_failure(rosey(folder, {"run", "--migrations", "nowhere"}),
                 "the migrations folder 'nowhere' does not exist");
  expect_failure(rosey(folder, {"plugin", "list"}), "which bot?");
  expect_failure(rosey(folder, {"storage"}), "needs a NATS");
}

// Those of the playlist, in their order.
std::vector<std::string> migrations_of(const bot_folder& folder) {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder.path() / "migrations/playlist")) {
    const std::string name = entry.path().filename().string();
    if (name.find(".postgresql.") == std::string::npos) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  EXPECT_GE(names.size(), 6U);
  return names;
}

// It is the plugin's that is refused, and nobody else's.
TEST(CommandLine, RefusesAMigrationWithoutAWayBack) {
  const bot_folder folder;
  const std::string number = std::to_string(1001 + migrations_of(folder).size()).substr(1);
  std::ofstream(folder.path() / "migrations/playlist" / (number + "_oops.sql"))
      << "-- UP\nCREATE TABLE playlist_oops (id INTEGER PRIMARY KEY);\n";
  std::filesystem::copy_file(HELLO_PLUGIN, folder.plugins() / "libhello.so");
  const std::string why = number + "_oops.sql has no '-- DOWN'";
  const finished ended = rosey(folder, {"run"});
  EXPECT_EQ(ended.status, 0) << ended.log;
  EXPECT_THAT(ended.log, HasSubstr("storage: migrations of 'playlist': " + why));
  EXPECT_THAT(ended.log, ContainsRegex("plugin not loaded: the migrations of playlist .* are "
                                       "refused: " +
                                       why));
  EXPECT_THAT(ended.log, HasSubstr("loaded hello"));
  EXPECT_THAT(ended.log, HasSubstr("rosey ready"));
  const finished up = rosey(folder, {"migrate", "--plugin", "playlist", "--action", "up"});
  expect_failure(up, number + "_oops.sql");
  EXPECT_THAT(up.log, HasSubstr("-- DOWN"));
}

// Looking creates nothing: a mistyped path is not a new database.
TEST(CommandLine, ShowsTheStatusOfADatabaseThatIsNotThere) {
  const bot_folder folder;
  const std::vector<std::string> status{"migrate", "--plugin", "playlist",   "--action",
                                        "status",  "--json",   "--database", "sqlite:typo/x.db"};
  const finished ended = rosey(folder, status);
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.log, HasSubstr("there is no database 'typo/x.db' yet"));
  EXPECT_THAT(ended.output, StartsWith(R"({"version":0,"applied":[],"pending":[{"version":1,)"
                                       R"("name":"001_create_queue.sql"},)"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "typo"));
  expect_failure(rosey(folder, {"migrate", "--plugin", "nobody", "--action", "status"}), "nobody");
}

TEST(CommandLine, LeavesHiddenFoldersAmongTheMigrationsAlone) {
  const bot_folder folder;
  std::filesystem::create_directories(folder.path() / "migrations/.git/objects");
  const finished ended = rosey(folder, {"run"});
  EXPECT_EQ(ended.status, 0) << ended.log;
}

// As an operator compares it: sqlite3 FILE .schema
std::string schema(const bot_folder& folder) {
  const finished shown =
      run({"/usr/bin/sqlite3", folder.database().string(), ".schema"}, folder.path());
  EXPECT_EQ(shown.status, 0) << shown.log;
  return shown.output;
}

TEST(CommandLine, MigratesUpDownAndUpToTheSameSchema) {
  const bot_folder folder;
  const auto migrate = [&](std::vector<std::string> more) {
    std::vector<std::string> all{"migrate", "--plugin", "playlist", "--action"};
    all.insert(all.end(), more.begin(), more.end());
    const finished ended = rosey(folder, std::move(all));
    EXPECT_EQ(ended.status, 0) << ended.log;
    return ended.output;
  };
  EXPECT_THAT(migrate({"status"}), HasSubstr("001_create_queue.sql       pending"));
  EXPECT_FALSE(std::filesystem::exists(folder.database()));
  EXPECT_THAT(migrate({"up", "--dry-run"}), HasSubstr("would have applied 001_create_queue.sql"));
  EXPECT_THAT(migrate({"status"}), HasSubstr("001_create_queue.sql       pending"));

  const std::vector<std::string> files = migrations_of(folder);
  const std::string newest = std::to_string(files.size());
  std::string all_applied;
  for (const std::string& each : files) all_applied += "applied " + each + "\n";
  EXPECT_EQ(migrate({"up"}), all_applied + "version " + newest + "\n");
  const std::string first = schema(folder);
  EXPECT_THAT(first, HasSubstr("CREATE TABLE playlist_queue"));
  EXPECT_THAT(migrate({"up"}), StartsWith("nothing to do\n"));
  const std::string status = migrate({"status"});
  EXPECT_THAT(status, testing::Not(HasSubstr("pending")));
  EXPECT_THAT(status, StartsWith("FILE                       APPLIED\n"
                                 "001_create_queue.sql       20"));
  EXPECT_THAT(status,
              testing::ContainsRegex("\n003_create_user_stats.sql  20..-..-..T..:..:..Z\n"));

  EXPECT_EQ(migrate({"down"}),
            "rolled back " + files.back() + "\nversion " + std::to_string(files.size() - 1) + "\n");
  EXPECT_THAT(migrate({"down", "--to", "0"}), EndsWith("version 0\n"));
  EXPECT_THAT(schema(folder), testing::Not(HasSubstr("playlist_")));
  EXPECT_THAT(migrate({"up", "--to", "2"}), EndsWith("version 2\n"));
  EXPECT_THAT(migrate({"up"}), EndsWith("version " + newest + "\n"));
  EXPECT_EQ(schema(folder), first);
  expect_failure(rosey(folder, {"migrate", "--plugin", "nobody", "--action", "up"}), "nobody");
}

TEST(CommandLine, StorageAndHostCanBeTwoProcesses) {
  const bot_folder folder;
  folder.configure("{}", {.storage = R"({"enabled": false})"});
  running_bot hub(folder);  // lends its NATS
  std::filesystem::create_directory(folder.path() / "elsewhere");
  process storage(folder.command({"storage", "--nats-url", hub.nats_url(), "--database",
                                  "sqlite:elsewhere/x.db"}),
                  folder.path());
  storage.wait_for_log("rosey ready");
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "elsewhere/x.db"));
  storage.signal(SIGTERM);
  EXPECT_EQ(storage.wait(), 0) << storage.log();
  EXPECT_EQ(hub.finish(), 0);
}

TEST(CommandLine, ASignalEndsTheBotCleanly) {
  const bot_folder folder;
  running_bot bot(folder);
  bot.say("!add https://youtu.be/dQw4w9WgXcQ");
  bot.child().signal(SIGTERM);
  EXPECT_EQ(bot.child().wait(), 0);
}

}  // namespace
}  // namespace rosey::tests
