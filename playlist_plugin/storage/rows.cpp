// Rows to values and back.
#include "playlist_plugin/storage/rows.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "playlist_plugin/domain/text.hpp"
#include "playlist_plugin/domain/timestamp.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;

// A null, or a column that is not there, is the empty value.
class row_reader {
 public:
  explicit row_reader(const json::object& row) : row_(row) {}

  bool has(std::string_view column) const { return find(column) != nullptr; }

  std::string text(std::string_view column) const {
    const json::value* value = find(column);
    if (!value) return {};
    if (!value->is_string()) refuse(column, "a text");
    return std::string(value->get_string());
  }

  std::int64_t integer(std::string_view column) const {
    const json::value* value = find(column);
    if (!value) return 0;
    if (!value->is_int64()) refuse(column, "a whole number");
    return value->get_int64();
  }

  // Milliseconds since 1970.
  std::int64_t moment(std::string_view column) const {
    const json::value* value = find(column);
    if (!value) return 0;
    const json::string* text = value->if_string();
    const auto at = text ? parse_timestamp(*text) : std::nullopt;
    if (!at) refuse(column, "a timestamp");
    return *at;
  }

  bool boolean(std::string_view column) const {
    const json::value* value = find(column);
    if (!value) return false;
    if (!value->is_bool()) refuse(column, "true or false");
    return value->get_bool();
  }

 private:
  const json::value* find(std::string_view column) const {
    const json::value* value = row_.if_contains(column);
    return value && !value->is_null() ? value : nullptr;
  }

  [[noreturn]] static void refuse(std::string_view column, const char* kind) {
    throw std::runtime_error("column '" + std::string(column) + "' is not " + kind);
  }

  const json::object& row_;
};

// `prefix` is "now_" for the columns of what plays.
queue_item item_from(const row_reader& row, const std::string& prefix) {
  queue_item item{.id = row.text(prefix + "item_id"),
                  .media = {row.text(prefix + "media_type"), row.text(prefix + "media_id")},
                  .title = printable(row.text(prefix + "title")),
                  .duration = row.integer(prefix + "duration"),
                  .added_by = row.text(prefix + "added_by"),
                  .added_at = row.moment(prefix + "added_at"),
                  .thumbnail_url = row.text(prefix + "thumbnail_url"),
                  .channel_name = printable(row.text(prefix + "channel_name")),
                  .exempt = row.boolean(prefix + "exempt")};
  if (item.title.empty()) item.title = placeholder_title(item.media);
  return item;
}

// What is no list of names is no loss: a new round begins.
std::vector<std::string> names_from(const std::string& list) {
  boost::system::error_code failure;
  const json::value parsed = json::parse(list, failure);
  std::vector<std::string> names;
  if (failure || !parsed.is_array()) return names;
  for (const json::value& name : parsed.get_array()) {
    if (name.is_string()) names.emplace_back(name.get_string());
  }
  return names;
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value() : json::value(text);
}

}  // namespace

waiting_item waiting_from(const json::object& row) {
  const row_reader in(row);
  return {item_from(in, ""), in.integer("position")};
}

history_entry history_from(const json::object& row) {
  const row_reader in(row);
  return {.item = item_from(in, ""),
          .played_at = in.moment("played_at"),
          .played = in.integer("play_duration"),
          .skipped = in.boolean("skipped")};
}

std::int64_t play_end_from(const json::object& row) {
  return row_reader(row).moment("played_at");
}

user_stats stats_from(const json::object& row) {
  const row_reader in(row);
  return {.user = in.text("user_id"),
          .items_added = in.integer("items_added"),
          .items_played = in.integer("items_played"),
          .items_skipped = in.integer("items_skipped"),
          .duration_added = in.integer("total_duration_added"),
          .duration_played = in.integer("total_duration_played")};
}

stored_vote vote_from(const json::object& row) {
  const row_reader in(row);
  return {in.text("item_id"), {in.text("user_id"), in.moment("voted_at")}};
}

last_play last_play_from(const json::object& row, std::string_view column) {
  const row_reader in(row);
  return {{in.text("media_type"), in.text("media_id")}, in.moment(column)};
}

std::string channel_name_from(const json::object& row) {
  return row_reader(row).text("channel");
}

std::int64_t version_from(const json::object& row) {
  return row_reader(row).integer("version");
}

void read_channel_row(const json::object& row, channel_state& channel) {
  const row_reader in(row);
  channel.version = in.integer("version");
  channel.next_item = in.integer("next_item");
  channel.had_turn = names_from(in.text("had_turn"));
  if (in.has("now_item_id")) {
    channel.playing = playing_item{item_from(in, "now_"), in.integer("started_at")};
  }
}

json::object queue_row(std::string_view channel, const waiting_item& waiting) {
  const queue_item& item = waiting.item;
  return {{"channel", channel},
          {"position", waiting.position},
          {"item_id", item.id},
          {"media_type", item.media.type},
          {"media_id", item.media.id},
          {"title", item.title},
          {"duration", item.duration},
          {"added_by", item.added_by},
          {"added_at", iso_timestamp(item.added_at)},
          {"thumbnail_url", text_or_null(item.thumbnail_url)},
          {"channel_name", text_or_null(item.channel_name)},
          {"exempt", item.exempt}};
}

json::object history_row(std::string_view channel, const play_record& record) {
  const queue_item& item = record.item;
  return {{"channel", channel},
          {"media_type", item.media.type},
          {"media_id", item.media.id},
          {"title", item.title},
          {"duration", item.duration},
          {"added_by", item.added_by},
          {"played_at", iso_timestamp(record.end.at)},
          {"play_duration", record.end.played},
          {"skipped", record.end.skipped}};
}

json::object vote_row(const channel_state& channel, const skip_vote& vote) {
  return {{"channel", channel.name},
          {"item_id", channel.playing->item.id},
          {"user_id", vote.user},
          {"voted_at", iso_timestamp(vote.at)}};
}

json::object channel_columns(const channel_state& channel, bool with_playing) {
  json::object columns{{"version", channel.version}, {"next_item", channel.next_item}};
  if (!with_playing) return columns;
  for (const char* column : {"now_item_id", "now_media_type", "now_media_id", "now_title",
                             "now_duration", "now_added_by", "now_added_at", "started_at",
                             "had_turn", "now_thumbnail_url", "now_channel_name", "now_exempt"}) {
    columns[column] = nullptr;
  }
  if (!channel.had_turn.empty()) {
    columns["had_turn"] =
        json::serialize(json::array(channel.had_turn.begin(), channel.had_turn.end()));
  }
  if (!channel.playing) return columns;
  const queue_item& item = channel.playing->item;
  columns["now_item_id"] = item.id;
  columns["now_media_type"] = item.media.type;
  columns["now_media_id"] = item.media.id;
  columns["now_title"] = item.title;
  columns["now_duration"] = item.duration;
  columns["now_added_by"] = item.added_by;
  columns["now_added_at"] = iso_timestamp(item.added_at);
  columns["now_thumbnail_url"] = text_or_null(item.thumbnail_url);
  columns["now_channel_name"] = text_or_null(item.channel_name);
  columns["now_exempt"] = item.exempt;
  columns["started_at"] = channel.playing->started_at;
  return columns;
}

json::object description_columns(const queue_item& item) {
  return {{"title", item.title},
          {"duration", item.duration},
          {"thumbnail_url", text_or_null(item.thumbnail_url)},
          {"channel_name", text_or_null(item.channel_name)}};
}

sightings sightings_from(const json::value& value) {
  sightings seen;
  const json::object* users = value.if_object();
  if (!users) return seen;
  for (const auto& [user, time] : *users) {
    if (!time.is_int64()) continue;
    const std::int64_t at = time.get_int64();
    seen[std::string(user)] = {at < 0 ? -at : at, at > 0};
  }
  return seen;
}

json::object sightings_to_json(const sightings& seen, std::size_t most_bytes) {
  std::vector<std::pair<std::string, sighting>> latest(seen.begin(), seen.end());
  std::sort(latest.begin(), latest.end(),
            [](const auto& a, const auto& b) { return a.second.at > b.second.at; });
  json::object users;
  std::size_t bytes = 0;
  for (const auto& [user, when] : latest) {
    const std::int64_t time = when.there ? when.at : -when.at;
    bytes += json::serialize(json::string(user)).size() + 16;
    if (bytes > most_bytes) break;
    users[user] = time;
  }
  return users;
}

json::object stats_of_description(std::int64_t seconds) {
  json::object increments{{"total_duration_added", seconds}};
  return {{"$inc", std::move(increments)}};
}

json::object stats_of_add(const std::vector<queue_item>& items) {
  std::int64_t duration = 0;
  for (const queue_item& item : items) duration += item.duration;
  json::object increments{{"items_added", items.size()}, {"total_duration_added", duration}};
  json::object settings{{"last_add", iso_timestamp(items.back().added_at)}};
  return {{"$inc", std::move(increments)}, {"$set", std::move(settings)}};
}

json::object stats_of_play(const play_record& record) {
  json::object increments{{"items_played", 1},
                          {"items_skipped", record.end.skipped ? 1 : 0},
                          {"total_duration_played", record.end.played}};
  return {{"$inc", std::move(increments)}};
}

}  // namespace rosey::playlist
