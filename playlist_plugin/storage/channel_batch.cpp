// Every difference of a change, as one storage operation each.
#include "playlist_plugin/storage/channel_batch.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>
#include <utility>

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using wire::db::batch;

constexpr std::size_t most_listed = 1000;  // that storage takes in an $in

// Removes the channel's rows in which `column` is one of these; tells each portion's size.
template <class Removed>
void remove_listed(batch& ops, const char* table, const std::string& channel, const char* column,
                   const std::vector<std::string>& values, Removed removed) {
  for (std::size_t begin = 0; begin < values.size(); begin += most_listed) {
    const std::size_t size = std::min(most_listed, values.size() - begin);
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(begin);
    json::object any;
    any["$in"] = json::array(first, first + static_cast<std::ptrdiff_t>(size));
    json::object filter;
    filter["channel"] = channel;
    filter[column] = std::move(any);
    removed(ops.remove(table, std::move(filter)), static_cast<std::int64_t>(size));
  }
}

json::object row_key(const channel_state& channel, const std::string& item) {
  return {{"channel", channel.name}, {"item_id", item}};
}

void write_channel(batch& ops, const change& what) {
  const channel_state& after = what.after();
  if (after.version == 1) {
    json::object row = channel_columns(after, true);
    row["channel"] = after.name;
    ops.insert(tables::channel, std::move(row));
    return;
  }
  json::object known{{"channel", after.name}, {"version", after.version - 1}};
  json::object update;
  update["$set"] = channel_columns(after, what.playing_changed());
  ops.update(tables::channel, std::move(known), std::move(update)).expect_affected(1);
}

void write_rows(batch& ops, const change& what) {
  const channel_state& after = what.after();
  if (what.all_deleted()) ops.remove(tables::queue, {{"channel", after.name}});
  remove_listed(ops, tables::queue, after.name, "item_id", what.deleted(),
                [](batch& removal, std::int64_t size) { removal.expect_affected(size); });
  for (const new_position& row : what.rows_to_place()) {
    json::object update;
    update["$set"] = json::object{{"position", row.position}};
    ops.update(tables::queue, row_key(after, row.item_id), std::move(update)).expect_affected(1);
  }
  for (const queue_item& item : what.described()) {
    if (!find_waiting(after, item.id)) continue;  // it plays, or is gone already
    json::object update;
    update["$set"] = description_columns(item);
    ops.update(tables::queue, row_key(after, item.id), std::move(update)).expect_affected(1);
  }
  for (const waiting_item& waiting : what.inserted()) {
    ops.insert(tables::queue, queue_row(after.name, waiting));
  }
}

void write_votes(batch& ops, const change& what) {
  const channel_state& after = what.after();
  if (what.votes_ended()) ops.remove(tables::vote, {{"channel", after.name}});
  remove_listed(ops, tables::vote, after.name, "user_id", what.withdrawn(),
                [](batch&, std::int64_t) {});
  if (what.vote()) ops.insert(tables::vote, vote_row(after, *what.vote()));
}

void write_plays(batch& ops, const change& what) {
  for (const play_record& play : what.finished()) {
    ops.insert(tables::history, history_row(what.after().name, play));
    ops.upsert(tables::user_stats, {{"user_id", play.item.added_by}}, stats_of_play(play));
  }
}

}  // namespace

channel_batch batch_of(const pending_change& pending, const quota_manager& quotas) {
  channel_batch made;
  const change& what = pending.what;
  write_channel(made.ops, what);
  write_rows(made.ops, what);
  write_votes(made.ops, what);
  write_plays(made.ops, what);
  if (!what.added().empty()) {
    made.ops.upsert(tables::user_stats, {{"user_id", what.added().front().added_by}},
                    stats_of_add(what.added()));
  }
  std::map<std::string, std::int64_t> described;  // seconds, by user
  for (const queue_item& item : what.described()) described[item.added_by] += item.duration;
  for (const auto& [user, seconds] : described) {
    made.ops.upsert(tables::user_stats, {{"user_id", user}}, stats_of_description(seconds));
  }
  if (!pending.charged_user.empty()) {
    made.adds_op = made.ops.size();
    made.adds = quotas.write_add(made.ops, pending.charged_user, pending.now);
  }
  json::object answer;
  answer["stamp"] = pending.stamp;
  answer["answer"] = pending.reply;
  made.ops.request_id(pending.request_id).reply(std::move(answer));
  return made;
}

}  // namespace rosey::playlist
