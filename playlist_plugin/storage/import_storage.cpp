// Staging under a name that is no channel's, and the batch that renames.
#include "playlist_plugin/storage/import_storage.hpp"

#include <boost/json/array.hpp>
#include <random>
#include <utility>
#include <variant>

#include "playlist_plugin/domain/timestamp.hpp"
#include "playlist_plugin/storage/keys.hpp"
#include "playlist_plugin/storage/refused.hpp"
#include "playlist_plugin/storage/rows.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
namespace db = sdk::db;
using boost::asio::awaitable;

constexpr int most_attempts = 16;
constexpr std::int64_t highest_imported = highest_position / 2;  // people add behind it
constexpr std::int64_t abandoned_after = 3600 * 1000;            // milliseconds

std::string staging_name(const std::string& import) {
  return tables::staged_prefix + import;
}

std::string import_key(const import_job& job) {
  return bounded_key("imported:" + job.content + ":", job.channel);
}

std::string new_id() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
}

earlier_import earlier_from(const json::value& stored) {
  earlier_import earlier;
  if (const json::object* fields = stored.if_object()) {
    wire::field_reader in(*fields);
    earlier.count = in.integer_or("count", 0);
    earlier.at = in.text_or("at", "");
  }
  return earlier;
}

// A record of this very import tells its version; of another one, that there was an earlier.
ended_import ended_from(const json::value& stored, const std::string& import) {
  const json::object* fields = stored.if_object();
  const json::value* id = fields ? fields->if_contains("import") : nullptr;
  if (!id || *id != json::value(import)) return {earlier_from(stored), 0};
  wire::field_reader in(*fields);
  return {{}, in.integer_or("version", 0)};
}

void write_reservation(db::batch& ops, const channel_state& before, std::int64_t count) {
  channel_state after = before;
  ++after.version;
  after.next_item += count;
  json::object columns = channel_columns(after, before.version == 0);
  if (before.version == 0) {
    columns["channel"] = after.name;
    ops.insert(tables::channel, std::move(columns));
    return;
  }
  json::object known{{"channel", after.name}, {"version", before.version}};
  json::object update;
  update["$set"] = std::move(columns);
  ops.update(tables::channel, std::move(known), std::move(update)).expect_affected(1);
}

// An abandoned import's rows are of no use to anybody.
void delete_abandoned(db::batch& ops, std::int64_t now) {
  json::object staged{{"$like", std::string(tables::staged_prefix) + "%"}};
  json::object old{{"$lt", iso_timestamp(now - abandoned_after)}};
  json::object filter;
  filter["channel"] = std::move(staged);
  filter["added_at"] = std::move(old);
  ops.remove(tables::queue, std::move(filter));
}

void write_rename(db::batch& ops, const import_job& job, const std::string& import,
                  std::int64_t behind) {
  json::object shown{{"channel", job.channel}};
  json::object moved{{"position", behind}};
  json::object update;
  update["$set"] = std::move(shown);
  update["$inc"] = std::move(moved);
  ops.update(tables::queue, {{"channel", staging_name(import)}}, std::move(update))
      .expect_affected(job.count);
}

}  // namespace

std::int64_t import_storage::position(std::int64_t index) {
  return index * position_stride;
}

awaitable<channel_state> import_storage::load(std::string channel) {
  db::select_request request;
  request.table = tables::channel;
  request.filter = {{"channel", channel}};
  const auto reply = co_await db_.select(std::move(request));
  if (!reply) throw_refused(reply.error());
  channel_state state;
  state.name = channel;
  for (const json::value& row : reply->rows) read_channel_row(row.as_object(), state);
  co_return state;
}

awaitable<result<begun_import>> import_storage::begin(import_job job, std::int64_t now) {
  begun_import begun;
  const auto known = co_await db_.kv_get(import_key(job));
  if (!known) throw_refused(known.error());
  if (known->exists && !job.again) {
    begun.earlier = earlier_from(known->value);
    co_return begun;
  }
  for (int tries = 0; tries < most_attempts; ++tries) {
    const channel_state channel = co_await load(job.channel);
    db::batch ops;
    write_reservation(ops, channel, job.count);
    delete_abandoned(ops, now);
    const auto reply = co_await db_.batch(std::move(ops));
    if (reply) {
      begun.id = new_id();
      begun.first_number = channel.next_item;
      begun.version = channel.version + 1;
      co_return begun;
    }
    if (!outrun(reply.error())) throw_refused(reply.error());
  }
  co_return too_busy();
}

awaitable<void> import_storage::stage(std::string import, std::vector<waiting_item> items) {
  const std::string name = staging_name(import);
  std::vector<json::object> rows;
  for (const waiting_item& item : items) rows.push_back(queue_row(name, item));
  const auto reply = co_await db_.insert_many(tables::queue, std::move(rows));
  if (!reply) throw_refused(reply.error());
}

awaitable<std::vector<waiting_item>> import_storage::staged(std::string import, std::int64_t first,
                                                            std::int64_t count) {
  db::select_request request;
  request.table = tables::queue;
  json::object behind{{"$gte", position(first)}};
  request.filter["channel"] = staging_name(import);
  request.filter["position"] = std::move(behind);
  request.order = {{"position", false}};
  request.limit = count;
  const auto reply = co_await db_.select(std::move(request));
  if (!reply) throw_refused(reply.error());
  std::vector<waiting_item> items;
  for (const json::value& row : reply->rows) items.push_back(waiting_from(row.as_object()));
  co_return items;
}

awaitable<std::optional<ended_import>> import_storage::recorded(import_job job,
                                                                std::string import) {
  const auto known = co_await db_.kv_get(import_key(job));
  if (!known) throw_refused(known.error());
  if (!known->exists) co_return std::nullopt;
  co_return ended_from(known->value, import);
}

awaitable<result<ended_import>> import_storage::commit(import_job job, std::string import,
                                                       std::int64_t now) {
  db::select_request last;
  last.table = tables::queue;
  last.filter = {{"channel", job.channel}};
  last.order = {{"position", true}};
  last.limit = 1;
  for (int tries = 0; tries < most_attempts; ++tries) {
    // What the version guards is read behind it.
    const channel_state channel = co_await load(job.channel);
    const auto found = co_await db_.select(last);
    if (!found) throw_refused(found.error());
    std::int64_t behind = 0;
    for (const json::value& row : found->rows) {
      behind = waiting_from(row.as_object()).position + position_stride;
    }
    if (behind + position(job.count) > highest_imported) {
      co_return error{codes::bad_request, "The queue would become too long; import less at once"};
    }
    db::batch ops;
    write_reservation(ops, channel, 0);
    const std::size_t rename_op = ops.size();
    write_rename(ops, job, import, behind);
    const std::size_t record_op = ops.size();
    const json::object record{{"count", job.count},
                              {"at", iso_timestamp(now)},
                              {"import", import},
                              {"version", channel.version + 1}};
    const std::optional<std::int64_t> absent = job.again ? std::nullopt : std::optional(0L);
    ops.kv_set(import_key(job), record, {}, absent);
    const auto reply = co_await db_.batch(std::move(ops));
    if (reply) co_return ended_import{{}, channel.version + 1};
    const db::failure& refusal = reply.error();
    if (!outrun(refusal)) throw_refused(refusal);
    if (refusal.op == record_op || refusal.op == rename_op) {
      auto known = co_await recorded(job, import);
      // The answer to an earlier commit may have been lost.
      if (known && (refusal.op == record_op || !known->earlier)) co_return std::move(*known);
    }
    if (refusal.op == rename_op) {
      co_return error{codes::bad_request, "Not all items of this import are there; begin again"};
    }
  }
  co_return too_busy();
}

}  // namespace rosey::playlist
