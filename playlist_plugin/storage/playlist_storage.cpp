// Requests to the storage service, and what its answers mean for the playlist.
#include "playlist_plugin/storage/playlist_storage.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "playlist_plugin/domain/timestamp.hpp"
#include "playlist_plugin/storage/channel_batch.hpp"
#include "playlist_plugin/storage/keys.hpp"
#include "playlist_plugin/storage/refused.hpp"
#include "playlist_plugin/storage/select_all.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
namespace db = sdk::db;
using boost::asio::awaitable;

db::select_request select_channel(const std::string& channel) {
  db::select_request request;
  request.table = tables::channel;
  request.filter = {{"channel", channel}};
  return request;
}

// Behind those that are known. An offset would be counted anew with each page.
db::select_request select_waiting(const channel_state& known) {
  db::select_request request;
  request.table = tables::queue;
  request.filter = {{"channel", known.name}};
  if (!known.waiting.empty()) {
    request.filter["position"] = json::object{{"$gt", known.waiting.back().position}};
  }
  request.order = {{"position", false}};
  return request;
}

db::select_request select_votes(const std::string& channel) {
  db::select_request request;
  request.table = tables::vote;
  request.filter = {{"channel", channel}};
  request.order = {{"user_id", false}};
  request.columns = {"item_id", "user_id", "voted_at"};
  return request;
}

db::select_request newest_of_history(const std::string& channel, std::int64_t limit) {
  db::select_request request;
  request.table = tables::history;
  request.filter = {{"channel", channel}};
  request.order = {{"played_at", true}, {"id", true}};
  request.limit = limit;
  return request;
}

std::string seen_key(const std::string& channel) {
  return bounded_key("present:", channel);
}

json::object to_json(const stored_answer& answer) {
  return {{"stamp", answer.stamp}, {"answer", answer.reply}};
}

stored_answer answer_from(const json::value& stored) {
  stored_answer answer;
  const json::object* fields = stored.if_object();
  if (!fields) return answer;
  const json::value* stamp = fields->if_contains("stamp");
  if (stamp && stamp->is_string()) answer.stamp = std::string(stamp->get_string());
  const json::value* reply = fields->if_contains("answer");
  if (reply && reply->is_object()) answer.reply = reply->get_object();
  return answer;
}

const db::select_reply& rows_of(const db::batch_reply& reply, std::size_t op) {
  return std::get<db::select_reply>(reply.results.at(op));
}

void read_waiting(const db::select_reply& reply, channel_state& channel) {
  for (const json::value& row : reply.rows) {
    channel.waiting.push_back(waiting_from(row.as_object()));
  }
}

}  // namespace

awaitable<loaded_channel> playlist_storage::load(std::string channel) {
  for (;;) {
    channel_state state;
    state.name = channel;
    db::batch ops;
    db::select_request newest = newest_of_history(channel, 1);
    newest.columns = {"played_at"};
    ops.select(select_channel(channel)).kv_get(seen_key(channel)).select(select_votes(channel));
    ops.select(std::move(newest));
    ops.select(select_waiting(state));  // last: it may take all the room that is left
    const auto reply = co_await db_.batch(std::move(ops));
    if (!reply) throw_refused(reply.error());

    for (const json::value& row : rows_of(*reply, 0).rows) {
      read_channel_row(row.as_object(), state);
    }
    for (const json::value& row : rows_of(*reply, 3).rows) {
      state.last_end = play_end_from(row.as_object());
    }
    read_waiting(rows_of(*reply, 4), state);
    for (const json::value& row : rows_of(*reply, 2).rows) {
      stored_vote vote = vote_from(row.as_object());
      const bool counts = state.playing && state.playing->item.id == vote.item_id;
      if (counts) state.votes.push_back(std::move(vote.vote));
    }
    const auto& kept = std::get<db::kv_get_reply>(reply->results.at(1));
    sightings seen = sightings_from(kept.value);
    if (!rows_of(*reply, 4).truncated) co_return loaded_channel{std::move(state), std::move(seen)};
    auto complete = co_await load_rest(std::move(state));
    if (complete) co_return loaded_channel{std::move(*complete), std::move(seen)};
  }
}

awaitable<stored_sightings> playlist_storage::seen(std::string channel) {
  const auto kept = co_await db_.kv_get(seen_key(channel));
  if (!kept) throw_refused(kept.error());
  co_return stored_sightings{sightings_from(kept->value), kept->revision};
}

awaitable<bool> playlist_storage::store_seen(std::string channel, stored_sightings known,
                                             std::int64_t seconds) {
  // A value may have 64 KiB, and is read along with the channel, in one message.
  const std::size_t most_bytes = std::min<std::size_t>(48 * 1024, db_.max_request() / 8);
  json::value value = sightings_to_json(known.seen, most_bytes);
  const auto stored =
      co_await db_.kv_set(seen_key(channel), std::move(value), seconds, known.revision);
  if (stored) co_return true;
  if (stored.error().code != db::codes::conflict) throw_refused(stored.error());
  co_return false;
}

awaitable<std::optional<channel_state>> playlist_storage::load_rest(channel_state channel) {
  for (;;) {
    db::batch ops;
    ops.select(select_channel(channel.name)).select(select_waiting(channel));
    const auto reply = co_await db_.batch(std::move(ops));
    if (!reply) throw_refused(reply.error());
    channel_state now;
    for (const json::value& row : rows_of(*reply, 0).rows) read_channel_row(row.as_object(), now);
    if (now.version != channel.version) co_return std::nullopt;
    read_waiting(rows_of(*reply, 1), channel);
    if (!rows_of(*reply, 1).truncated) co_return channel;
  }
}

awaitable<std::vector<std::string>> playlist_storage::channels() {
  db::select_request queued;
  queued.table = tables::queue;
  queued.columns = {"channel"};
  queued.distinct = true;
  queued.order = {{"channel", false}};
  db::select_request playing = queued;
  playing.table = tables::channel;
  const json::object staged{{"$like", std::string(tables::staged_prefix) + "%"}};
  queued.filter["$not"] = json::object{{"channel", staged}};
  playing.filter["now_item_id"] = json::object{{"$null", false}};

  std::vector<std::string> names;
  for (const db::select_request& request : {queued, playing}) {
    const json::array rows = co_await select_all(db_, request);
    for (const json::value& row : rows) names.push_back(channel_name_from(row.as_object()));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  co_return names;
}

awaitable<store_outcome> playlist_storage::store(pending_change pending) {
  pending.request_id = answer_key(pending.request_id);
  channel_batch batch = batch_of(pending, quota_manager_);
  try {
    co_return co_await store(pending, batch);
  } catch (...) {
    // Whether it was applied, and has charged the user, is not known.
    if (batch.adds_op) quota_manager_.forget(pending.charged_user);
    throw;
  }
}

awaitable<store_outcome> playlist_storage::store(const pending_change& pending,
                                                 channel_batch& batch) {
  const auto adds_op = batch.adds_op;
  const auto reply = co_await db_.batch(std::move(batch.ops));
  if (reply) {
    store_outcome outcome;
    if (reply->replayed) {
      outcome.earlier = answer_from(reply->reply);
      // The SDK sends it twice if the first answer does not come.
      const bool by_this_try = outcome.earlier.stamp == pending.stamp;
      outcome.status = by_this_try ? store_status::stored_before : store_status::replayed;
    }
    if (outcome.status == store_status::replayed || !adds_op) co_return outcome;
    if (*adds_op < reply->results.size()) {
      const auto& written = std::get<db::kv_set_reply>(reply->results[*adds_op]);
      quota_manager_.added(pending.charged_user, std::move(batch.adds), written.revision);
    } else {
      quota_manager_.forget(pending.charged_user);  // a replay of much has no results
    }
    co_return outcome;
  }
  const db::failure& refusal = reply.error();
  if (!outrun(refusal)) throw_refused(refusal);
  if (adds_op && refusal.op == adds_op) {
    quota_manager_.outrun(pending.charged_user);
    co_return store_outcome{store_status::user_outrun, {}};
  }
  co_return store_outcome{store_status::channel_changed, {}};
}

awaitable<void> playlist_storage::look_up_adds(std::string user) {
  if (quota_manager_.is_outrun(user)) co_await quota_manager_.reload(std::move(user));
}

awaitable<std::optional<stored_answer>> playlist_storage::find_answer(std::string request_id) {
  const auto reply = co_await db_.find_request(answer_key(request_id));
  if (!reply) throw_refused(reply.error());
  if (!reply->replayed) co_return std::nullopt;
  co_return answer_from(reply->reply);
}

awaitable<std::optional<stored_answer>> playlist_storage::keep_answer(std::string request_id,
                                                                      stored_answer answer) {
  json::value kept = to_json(answer);
  const std::string own_stamp = std::move(answer.stamp);
  const auto reply = co_await db_.keep_reply(answer_key(request_id), std::move(kept));
  if (!reply) throw_refused(reply.error());
  if (!reply->replayed) co_return std::nullopt;
  stored_answer kept_then = answer_from(reply->reply);
  if (kept_then.stamp == own_stamp) co_return std::nullopt;  // sent twice
  co_return kept_then;
}

awaitable<std::vector<history_entry>> playlist_storage::history(std::string channel,
                                                                std::int64_t limit) {
  db::select_request newest = newest_of_history(channel, limit);
  const json::array rows = co_await select_all(db_, std::move(newest));
  std::vector<history_entry> entries;
  for (const json::value& row : rows) entries.push_back(history_from(row.as_object()));
  co_return entries;
}

awaitable<std::vector<last_play>> playlist_storage::last_plays(std::string channel,
                                                               std::vector<media_link> media,
                                                               std::int64_t since) {
  json::array ids;
  for (const media_link& each : media) ids.push_back(json::value(each.id));
  json::object any;
  any["$in"] = std::move(ids);
  json::object later{{"$gt", iso_timestamp(since)}};
  db::select_request request;
  request.table = tables::history;
  request.filter["channel"] = channel;
  request.filter["media_id"] = std::move(any);
  request.filter["played_at"] = std::move(later);
  request.columns = {"media_type", "media_id"};
  request.aggregates = {{"last", "$max", "played_at"}};
  request.order = {{"media_type", false}, {"media_id", false}};
  const json::array rows = co_await select_all(db_, std::move(request));
  std::vector<last_play> plays;
  for (const json::value& row : rows) plays.push_back(last_play_from(row.as_object(), "last"));
  co_return plays;
}

awaitable<std::optional<user_stats>> playlist_storage::stats(std::string user) {
  db::select_request request;
  request.table = tables::user_stats;
  request.filter = {{"user_id", user}};
  request.limit = 1;
  const auto reply = co_await db_.select(std::move(request));
  if (!reply) throw_refused(reply.error());
  if (reply->rows.empty()) co_return std::nullopt;
  co_return stats_from(reply->rows.front().as_object());
}

}  // namespace rosey::playlist
