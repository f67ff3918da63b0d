// The whole bot on PostgreSQL instead of SQLite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "integration/support/bot.hpp"
#include "storage/test_database.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;

TEST(PostgreSQL, KeepsTheQueueWhenTheBotIsKilled) {
  const auto database = storage::make_postgresql_database();
  const std::vector<std::string> on_postgresql{"--database", database->url()};
  const bot_folder folder;
  std::string queue;
  {
    running_bot bot(folder, on_postgresql);
    EXPECT_THAT(bot.say("!add https://youtu.be/dQw4w9WgXcQ"), HasSubstr("Added to queue"));
    EXPECT_THAT(bot.say("!add https://vimeo.com/76979871"), HasSubstr("Added to queue"));
    queue = bot.say("!queue");
    bot.kill();
  }
  EXPECT_EQ(database->value("SELECT COUNT(*) FROM playlist_queue"), "1");
  EXPECT_FALSE(std::filesystem::exists(folder.database()));
  running_bot bot(folder, on_postgresql);
  EXPECT_EQ(bot.say("!queue"), queue);
  EXPECT_THAT(queue, HasSubstr("1. [vi] 76979871"));
  EXPECT_THAT(bot.say("!skip"), HasSubstr("Now playing: [vi] 76979871"));
  EXPECT_THAT(bot.say("!history"), HasSubstr("dQw4w9WgXcQ"));
  EXPECT_THAT(bot.say("!mystats"), HasSubstr("Items Added: 2"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST(PostgreSQL, IsNamedInTheConfiguration) {
  const auto database = storage::make_postgresql_database();
  const bot_folder folder;
  folder.configure("{}", {.storage = R"({"database": ")" + database->url() + R"("})"});
  running_bot bot(folder);
  EXPECT_THAT(bot.say("!add https://youtu.be/dQw4w9WgXcQ"), HasSubstr("Added to queue"));
  EXPECT_EQ(bot.finish(), 0);
  EXPECT_EQ(database->value("SELECT now_media_id FROM playlist_channel"), "dQw4w9WgXcQ");
  EXPECT_FALSE(std::filesystem::exists(folder.database()));
}

TEST(PostgreSQL, MigratesUpAndDown) {
  const auto database = storage::make_postgresql_database();
  const bot_folder folder;
  const auto migrate = [&](std::vector<std::string> more) {
    std::vector<std::string> all{"migrate",    "--plugin",      "playlist",
                                 "--database", database->url(), "--action"};
    all.insert(all.end(), more.begin(), more.end());
    const finished ended = run(folder.command(std::move(all)), folder.path());
    EXPECT_EQ(ended.status, 0) << ended.log;
    return ended.output;
  };
  const auto tables = [&] {
    return database->value(
        "SELECT string_agg(table_name || '.' || column_name || ' ' || data_type, ', ' "
        "ORDER BY table_name, column_name) FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND table_name LIKE 'playlist_%'");
  };
  EXPECT_THAT(migrate({"up"}), HasSubstr("applied 001_create_queue.sql"));
  const std::string first = tables();
  EXPECT_THAT(first, HasSubstr("playlist_queue.id bigint"));
  EXPECT_THAT(migrate({"down", "--to", "0"}), HasSubstr("version 0"));
  EXPECT_EQ(tables(), "");
  migrate({"up"});
  EXPECT_EQ(tables(), first);
}

}  // namespace
}  // namespace rosey::tests
