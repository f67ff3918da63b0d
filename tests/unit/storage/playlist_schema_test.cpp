// The playlist's own migrations: back and forth without a trace, data kept, history unsorted.
#include "unit/storage/migration_test.hpp"

namespace rosey::storage {
namespace {

class playlist_schema : public migration_test {
 protected:
  migrator playlist() { return migrator(*database_, ROSEY_MIGRATIONS, "playlist"); }

  std::string plan_of(const std::string& query) const {
    SQLite::Database connection(database_file(), SQLite::OPEN_READONLY);
    SQLite::Statement rows(connection, "EXPLAIN QUERY PLAN " + query);
    std::string text;
    while (rows.executeStep()) text += rows.getColumn(3).getString() + "\n";
    return text;
  }
};

TEST_F(playlist_schema, up_down_up_gives_the_same_schema) {
  ASSERT_TRUE(playlist().up());
  const std::string first = schema_text();
  ASSERT_TRUE(playlist().down(0));
  EXPECT_EQ(schema_text(), "");
  ASSERT_TRUE(playlist().up());
  EXPECT_EQ(schema_text(), first);
}

TEST_F(playlist_schema, every_rollback_restores_the_schema_before) {
  const auto newest = static_cast<std::int64_t>(playlist().status()->pending.size());
  for (std::int64_t version = 1; version <= newest; ++version) {
    const std::string before = schema_text();
    ASSERT_TRUE(playlist().up(version));
    const std::string after = schema_text();
    ASSERT_TRUE(playlist().down(version - 1));
    EXPECT_EQ(schema_text(), before) << version;
    ASSERT_TRUE(playlist().up(version));
    EXPECT_EQ(schema_text(), after) << version;
  }
}

TEST_F(playlist_schema, queued_items_get_ids_and_their_channels_a_state) {
  ASSERT_TRUE(playlist().up(3));
  sql(R"(INSERT INTO playlist_queue (id, channel, position, media_type, media_id, title, added_by)
         VALUES (1, '#a', 0, 'yt', 'x', 'X', 'ann'), (7, '#a', 1, 'yt', 'y', 'Y', 'bob'),
                (3, '#b', 0, 'yt', 'z', 'Z', 'cid'))");
  ASSERT_TRUE(playlist().up());
  EXPECT_EQ(value("SELECT group_concat(item_id) FROM (SELECT * FROM playlist_queue ORDER BY id)"),
            "q1,q3,q7");
  EXPECT_EQ(value("SELECT version || ' ' || next_item FROM playlist_channel WHERE channel = '#a'"),
            "1 8");
  ASSERT_TRUE(playlist().down());
  EXPECT_EQ(value("SELECT COUNT(*) FROM playlist_queue"), "3");
}

TEST_F(playlist_schema, history_is_read_newest_first_without_sorting) {
  ASSERT_TRUE(playlist().up());
  for (const std::string who : {"channel", "added_by"}) {
    const std::string plan = plan_of("SELECT * FROM playlist_history WHERE " + who +
                                     " = ?1 ORDER BY played_at DESC, id DESC LIMIT ?2");
    EXPECT_NE(plan.find("USING INDEX"), std::string::npos) << plan;
    EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << plan;
  }
}

}  // namespace
}  // namespace rosey::storage
