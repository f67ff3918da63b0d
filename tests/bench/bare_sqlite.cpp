#include "bench/bare_sqlite.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <optional>
#include <string>
#include <utility>

namespace rosey::bench {
namespace {

void make_durable(SQLite::Database& file) {
  file.exec("PRAGMA journal_mode = WAL");
  file.exec("PRAGMA synchronous = FULL");
}

void run_once(SQLite::Statement& statement) {
  statement.exec();
  statement.reset();
}

// As long as what the playlist answers. pgbench takes a colon before a letter for a parameter.
constexpr char reply[] =
    R"({"stamp": "2130743374-4059575324-2","answer": {"success": true,"message": "Added to queue (#1): [yt] dQw4w9WgXca","data": {"item": {"id": "q2","media_type": "yt","media_id": "dQw4w9WgXca","url": "https://www.youtube.com/watch?v=dQw4w9WgXca","title": "[yt] dQw4w9WgXca","duration": 0,"formatted_duration": "??","added_by": "you","added_at": "2026-11-28T17:59:37.576Z"},"count": 1,"position": 1,"playing": false}}})";

}  // namespace

double bare_inserts_per_second(const std::filesystem::path& database, int batch,
                               std::chrono::duration<double> time) {
  SQLite::Database file(database.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  make_durable(file);
  file.exec("CREATE TABLE bench_note (id INTEGER PRIMARY KEY, channel TEXT, body TEXT, n INTEGER)");
  SQLite::Statement insert(file, "INSERT INTO bench_note (channel, body, n) VALUES (?, ?, ?)");
  SQLite::Statement begin(file, "BEGIN IMMEDIATE");
  SQLite::Statement commit(file, "COMMIT");
  const std::string channel = "#lobby";
  const std::string body = "a note of usual length, for the bench";
  const auto began = std::chrono::steady_clock::now();
  std::int64_t rows = 0;
  std::chrono::duration<double> took{};
  while ((took = std::chrono::steady_clock::now() - began) < time) {
    run_once(begin);
    for (int i = 0; i < batch; ++i, ++rows) {
      insert.bindNoCopy(1, channel);
      insert.bindNoCopy(2, body);
      insert.bind(3, rows);
      run_once(insert);
    }
    run_once(commit);
  }
  return static_cast<double>(rows) / took.count();
}

const std::vector<std::string>& statements_of_an_add() {
  static const std::vector<std::string> statements{
      std::string("INSERT INTO rosey_request (plugin, request_id, reply, created_at) VALUES "
                  "('playlist', 'cmd:[add, #bare-' || :client || ', ' || :number || ']', '") +
          reply + "', :now) ON CONFLICT DO NOTHING",
      "UPDATE playlist_channel SET version = version + 1, next_item = next_item + 1, had_turn = "
      "'[]' WHERE channel = '#bare-' || :client AND version = :number",
      "INSERT INTO playlist_queue (channel, position, item_id, media_type, media_id, title, "
      "duration, added_by, added_at, thumbnail_url, channel_name, exempt) VALUES ('#bare-' || "
      ":client, :number, 'q' || :number, 'yt', 'dQw4w9WgXca', '[yt] dQw4w9WgXca', 0, 'person-' || "
      ":client, '2026-11-28 17:59:37.578', NULL, NULL, FALSE)",
      "INSERT INTO playlist_user_stats (user_id, items_added, last_add) VALUES ('person-' || "
      ":client, 1, '2026-11-28 17:59:37.578') ON CONFLICT (user_id) DO UPDATE SET items_added = "
      "playlist_user_stats.items_added + 1, last_add = excluded.last_add",
      "INSERT INTO rosey_kv (plugin, key, value, revision, expires_at, set_at) VALUES ('playlist', "
      "'ratelimit/person-' || :client, '[1795888777578]', :number, :now, :now) ON CONFLICT "
      "(plugin, key) DO UPDATE SET value = excluded.value, revision = excluded.revision, "
      "expires_at = excluded.expires_at, set_at = excluded.set_at"};
  return statements;
}

std::string channel_of_an_add(int client) {
  return "INSERT INTO playlist_channel (channel, version, next_item) VALUES ('#bare-" +
         std::to_string(client) + "', 1, 1)";
}

struct bare_adds::opened {
  explicit opened(const std::filesystem::path& database)
      : file(database.string(), SQLite::OPEN_READWRITE) {
    make_durable(file);
    file.exec("CREATE TABLE bench_note (id INTEGER PRIMARY KEY, body TEXT, n INTEGER)");
    file.exec(channel_of_an_add(1));
    note.emplace(file, "INSERT INTO bench_note (body, n) VALUES ('a note of usual length', :n)");
    for (const std::string& each : statements_of_an_add()) statements.emplace_back(file, each);
  }

  // Microseconds of what `write` does in a transaction.
  template <class Write>
  double timed(Write write) {
    const auto began = std::chrono::steady_clock::now();
    run_once(begin);
    write();
    run_once(commit);
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
    return took.count();
  }

  SQLite::Database file;
  std::vector<SQLite::Statement> statements;
  SQLite::Statement begin{file, "BEGIN IMMEDIATE"};
  SQLite::Statement commit{file, "COMMIT"};
  std::optional<SQLite::Statement> note;  // when its table is there
  std::int64_t number = 0;
};

bare_adds::bare_adds(const std::filesystem::path& database)
    : opened_(std::make_unique<opened>(database)) {}
bare_adds::~bare_adds() = default;

double bare_adds::add() {
  const std::int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  ++opened_->number;
  return opened_->timed([&] {
    for (SQLite::Statement& each : opened_->statements) {
      for (const auto& [name, value] :
           {std::pair(":client", std::int64_t(1)), std::pair(":number", opened_->number),
            std::pair(":now", now)}) {
        if (each.getQuery().find(name) != std::string::npos) each.bind(name, value);
      }
      run_once(each);
    }
  });
}

double bare_adds::one_row() {
  return opened_->timed([&] {
    opened_->note->bind(":n", opened_->number);
    run_once(*opened_->note);
  });
}

}  // namespace rosey::bench
