// Staging under a name that is no channel's, and the batch that renames.
#include "playlist_plugin/storage/import_storage.hpp"

#include <boost/json/array.hpp>
#include <random>
#include <utility>
#include <variant>

#include "playlist_plugin/domain/text.hpp"
#include "playlist_plugin/domain/timestamp.hpp"
#include "playlist_plugin/storage/keys.hpp"
#include "playlist_plugin/storage/refused.hpp"
#include "playlist_plugin/storage/rows.hpp"
#include "playlist_plugin/storage/select_all.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
namespace db = sdk::db;
using boost::asio::awaitable;

constexpr int most_attempts = 16;
constexpr std::int64_t highest_imported = highest_position / 2;  // people add behind it
constexpr std::int64_t abandoned_after = 3600 * 1000;            // milliseconds
constexpr std::int64_t known_for = 24 * 3600;                    // seconds

std::string staging_name(const std::string& import) {
  return tables::staged_prefix + import;
}

std::string import_key(const import_job& job) {
  return bounded_key("imported:" + job.content + ":", job.channel);
}

// What is kept of an import, by its own name.
std::string job_key(const std::string& import) {
  return bounded_key("import:", import);
}

json::object job_to_json(const import_job& job, std::int64_t first_number, std::int64_t version) {
  return {{"channel", job.channel}, {"content", job.content}, {"count", job.count},
          {"again", job.again},     {"number", first_number}, {"version", version}};
}

template <class Outcome>
void answer_with(db::batch& ops, const import_step<Outcome>& how, const json::object& reply) {
  if (how.request_id.empty()) return;
  ops.request_id(answer_key(how.request_id)).reply(reply);
}

// Of a batch that was carried out, now or before. One that this very try has stored comes back as
// a replay, too, if it had to be sent twice.
template <class Outcome>
step_answer<Outcome> answered(const db::batch_reply& batch, json::object reply, Outcome done) {
  const json::object* earlier = batch.replayed ? batch.reply.if_object() : nullptr;
  if (earlier && *earlier != reply) return {*earlier, {}};
  return {std::move(reply), std::move(done)};
}

error no_such_import(const std::string& import) {
  return {codes::not_found,
          "There is no import '" + truncate_utf8(printable(import), 64) + "'; begin again"};
}

error committed_already(const std::string& import) {
  return {codes::not_found, "The import '" + truncate_utf8(printable(import), 64) +
                                "' is committed; what it brought is in the queue"};
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

awaitable<std::optional<json::object>> import_storage::find_answer(std::string request_id) {
  const auto reply = co_await db_.find_request(answer_key(request_id));
  if (!reply) throw_refused(reply.error());
  const json::object* stored = reply->replayed ? reply->reply.if_object() : nullptr;
  if (!stored) co_return std::nullopt;
  co_return *stored;
}

awaitable<json::object> import_storage::keep_answer(std::string request_id, json::object answer) {
  const auto reply = co_await db_.keep_reply(answer_key(request_id), answer);
  if (!reply) throw_refused(reply.error());
  const json::object* stored = reply->replayed ? reply->reply.if_object() : nullptr;
  co_return stored ? *stored : std::move(answer);
}

awaitable<result<import_storage::known_import>> import_storage::find(std::string import) {
  const auto kept = co_await db_.kv_get(job_key(import));
  if (!kept) throw_refused(kept.error());
  const json::object* fields = kept->exists ? kept->value.if_object() : nullptr;
  if (!fields) co_return no_such_import(import);
  wire::field_reader in(*fields);
  known_import known;
  known.job.channel = in.text_or("channel", "");
  known.job.content = in.text_or("content", "");
  known.job.count = in.integer_or("count", 0);
  known.job.again = in.boolean_or("again", false);
  known.first_number = in.integer_or("number", 0);
  known.version = in.integer_or("version", 0);
  known.revision = kept->revision;
  co_return known;
}

awaitable<result<step_answer<begun_import>>> import_storage::begin(import_job job,
                                                                   import_step<begun_import> how,
                                                                   std::int64_t now) {
  begun_import begun;
  const auto known = co_await db_.kv_get(import_key(job));
  if (!known) throw_refused(known.error());
  if (known->exists && !job.again) {
    begun.earlier = earlier_from(known->value);
    co_return step_answer<begun_import>{how.present(begun)};
  }
  begun.id = new_id();
  for (int tries = 0; tries < most_attempts; ++tries) {
    const channel_state channel = co_await load(job.channel);
    begun.first_number = channel.next_item;
    begun.version = channel.version + 1;
    db::batch ops;
    write_reservation(ops, channel, job.count);
    delete_abandoned(ops, now);
    ops.kv_set(job_key(begun.id), job_to_json(job, begun.first_number, 0), known_for);
    json::object answer = how.present(begun);
    answer_with(ops, how, answer);
    const auto reply = co_await db_.batch(std::move(ops));
    if (reply) co_return answered(*reply, std::move(answer), begun);
    if (!outrun(reply.error())) throw_refused(reply.error());
  }
  co_return too_busy();
}

awaitable<result<staged_items>> import_storage::stage(std::string import, std::int64_t index,
                                                      staged_items items) {
  const auto count = static_cast<std::int64_t>(items.size());
  const std::string name = staging_name(import);
  for (int tries = 0; tries < most_attempts; ++tries) {
    const auto known = co_await find(import);
    if (!known) co_return known.error();
    if (index + count > known->job.count) {
      co_return error{codes::bad_request, "'index' and 'entries' reach beyond the " +
                                              std::to_string(known->job.count) +
                                              " that were begun"};
    }
    if (items.front().item.id != item_id(known->first_number + index)) {
      co_return error{codes::bad_request, "'number' must be that of begin and 'index' more, " +
                                              std::to_string(known->first_number + index)};
    }
    if (known->version > 0) co_return items;  // it has come again: what it brought is in the queue
    db::batch ops;
    // Whoever commits, or stages beside us, does it before or after this.
    ops.kv_set(job_key(import), job_to_json(known->job, known->first_number, 0), known_for,
               known->revision);
    json::object range{{"$gte", position(index)}, {"$lt", position(index + count)}};
    json::object replaced{{"channel", name}};
    replaced["position"] = std::move(range);
    ops.remove(tables::queue, std::move(replaced));
    std::vector<json::object> rows;
    for (const waiting_item& item : items) rows.push_back(queue_row(name, item));
    ops.insert_many(tables::queue, std::move(rows));
    const auto reply = co_await db_.batch(std::move(ops));
    if (reply) co_return items;
    if (!outrun(reply.error())) throw_refused(reply.error());
  }
  co_return too_busy();
}

awaitable<result<staged_items>> import_storage::staged(std::string import, std::int64_t first,
                                                       std::int64_t count) {
  const auto known = co_await find(import);
  if (!known) co_return known.error();
  if (known->version > 0) co_return committed_already(import);
  db::select_request request;
  request.table = tables::queue;
  json::object behind{{"$gte", position(first)}};
  request.filter["channel"] = staging_name(import);
  request.filter["position"] = std::move(behind);
  request.order = {{"position", false}};
  request.limit = count;
  const json::array rows = co_await select_all(db_, std::move(request));
  staged_items items;
  for (const json::value& row : rows) items.push_back(waiting_from(row.as_object()));
  co_return items;
}

awaitable<std::optional<ended_import>> import_storage::recorded(import_job job,
                                                                std::string import) {
  const auto known = co_await db_.kv_get(import_key(job));
  if (!known) throw_refused(known.error());
  if (!known->exists) co_return std::nullopt;
  co_return ended_from(known->value, import);
}

awaitable<result<step_answer<ended_import>>> import_storage::commit(import_job job,
                                                                    std::string import,
                                                                    import_step<ended_import> how,
                                                                    std::int64_t now) {
  db::select_request last;
  last.table = tables::queue;
  last.filter = {{"channel", job.channel}};
  last.order = {{"position", true}};
  last.limit = 1;
  for (int tries = 0; tries < most_attempts; ++tries) {
    const auto begun = co_await find(import);
    if (!begun || begun->version > 0) {
      // The answer to an earlier commit may have been lost, or the day over since then.
      std::optional<ended_import> known;
      if (begun) {
        known = ended_import{{}, begun->version};
      } else {
        known = co_await recorded(job, import);
      }
      if (known && !known->earlier) co_return step_answer<ended_import>{how.present(*known)};
      co_return no_such_import(import);
    }
    if (begun->job != job) {
      co_return error{codes::bad_request,
                      "'channel', 'content', 'count' and 'again' must be as they were begun"};
    }
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
    ops.kv_set(job_key(import), job_to_json(job, begun->first_number, channel.version + 1),
               known_for, begun->revision);
    const ended_import ended{{}, channel.version + 1};
    json::object answer = how.present(ended);
    answer_with(ops, how, answer);
    const auto reply = co_await db_.batch(std::move(ops));
    if (reply) co_return answered(*reply, std::move(answer), ended);
    const db::failure& refusal = reply.error();
    if (!outrun(refusal)) throw_refused(refusal);
    if (refusal.op == record_op) {
      // By another import of the same content.
      const auto known = co_await recorded(job, import);
      if (known) co_return step_answer<ended_import>{how.present(*known)};
    }
    if (refusal.op == rename_op) {
      // Unless another commit of it was first.
      const auto again = co_await find(import);
      if (again && again->version > 0) continue;
      co_return error{codes::bad_request, "Not all items of this import are there; begin again"};
    }
  }
  co_return too_busy();
}

}  // namespace rosey::playlist
