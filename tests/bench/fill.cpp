#include "bench/fill.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

namespace rosey::bench {
namespace {

void run(SQLite::Database& file, const char* sql, const std::string& name, int many, int each = 0,
         int users = 0) {
  SQLite::Statement statement(file, sql);
  const std::string text(sql);
  if (text.find(":name") != text.npos) statement.bind(":name", name);
  if (text.find(":many") != text.npos) statement.bind(":many", many);
  if (text.find(":each") != text.npos) statement.bind(":each", each);
  if (text.find(":users") != text.npos) statement.bind(":users", users);
  statement.exec();
}

constexpr char channels_sql[] =
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :many) "
    "INSERT INTO playlist_channel (channel, version, next_item, now_item_id, now_media_type, "
    "now_media_id, now_title, now_duration, now_added_by, now_added_at, started_at, now_exempt) "
    "SELECT :name || '-' || n, :each + 1, :each + 2, 'q1', 'yt', 'b0000000000', 'What plays now', "
    "0, 'nobody', '2026-01-01 00:00:00.000', 1000 * strftime('%s', 'now'), 0 FROM c";

constexpr char queues_sql[] =
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :many), "
    "i(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM i WHERE k < :each) "
    "INSERT INTO playlist_queue (channel, position, item_id, media_type, media_id, title, "
    "duration, added_by, added_at, exempt) "
    "SELECT :name || '-' || n, k, 'q' || (k + 1), 'yt', printf('c%010d', k), "
    "'A title of usual length, number ' || k, 200, 'owner-' || (k % :users), "
    "'2026-01-01 00:00:00.000', 0 FROM c, i";

constexpr char history_sql[] =
    "WITH RECURSIVE i(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM i WHERE k < :each) "
    "INSERT INTO playlist_history (channel, media_type, media_id, title, duration, added_by, "
    "played_at, play_duration, skipped) "
    "SELECT '#history', 'yt', printf('d%010d', k), 'A title of usual length, number ' || k, 200, "
    ":name, strftime('%Y-%m-%d %H:%M:%f', '2020-01-01', '+' || (k * 3) || ' seconds'), 200, "
    "k % 10 = 0 FROM i";

constexpr char stats_sql[] =
    "INSERT INTO playlist_user_stats (user_id, items_added, items_played, items_skipped, "
    "total_duration_added, total_duration_played, last_add) "
    "VALUES (:name, :each, :each, :each / 10, :each * 200, :each * 200, '2026-01-01 00:00:00.000')";

}  // namespace

void fill_queues(const std::filesystem::path& database, const std::string& name, int channels,
                 int items, int users) {
  SQLite::Database file(database.string(), SQLite::OPEN_READWRITE);
  file.exec("BEGIN");
  run(file, channels_sql, name, channels, items);
  run(file, queues_sql, name, channels, items, users);
  file.exec("COMMIT");
}

void fill_history(const std::filesystem::path& database, const std::string& user, int plays) {
  SQLite::Database file(database.string(), SQLite::OPEN_READWRITE);
  file.exec("BEGIN");
  run(file, history_sql, user, 0, plays);
  run(file, stats_sql, user, 0, plays);
  file.exec("COMMIT");
}

}  // namespace rosey::bench
