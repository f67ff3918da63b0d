// Every difference of a change, as one storage operation each.
#include "playlist_plugin/storage/channel_batch.hpp"

#include <boost/json/array.hpp>
#include <utility>

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using wire::db::batch;

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
  if (!what.deleted().empty()) {
    const json::object any{{"$in", json::array(what.deleted().begin(), what.deleted().end())}};
    ops.remove(tables::queue, {{"channel", after.name}, {"item_id", any}})
        .expect_affected(static_cast<std::int64_t>(what.deleted().size()));
  }
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
  for (const std::string& user : what.withdrawn()) {
    ops.remove(tables::vote, {{"channel", after.name}, {"user_id", user}});
  }
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
  for (const queue_item& item : what.described()) {
    made.ops.upsert(tables::user_stats, {{"user_id", item.added_by}}, stats_of_description(item));
  }
  if (!pending.adder.empty()) {
    made.adder_op = made.ops.size();
    made.adder_times = quotas.write_add(made.ops, pending.adder, pending.now);
  }
  json::object answer;
  answer["stamp"] = pending.stamp;
  answer["answer"] = pending.reply;
  made.ops.request_id(pending.request_id).reply(std::move(answer));
  return made;
}

}  // namespace rosey::playlist
