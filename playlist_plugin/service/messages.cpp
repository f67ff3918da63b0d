// The JSON of items and events.
#include "playlist_plugin/service/messages.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "playlist_plugin/domain/playback.hpp"
#include "playlist_plugin/domain/text.hpp"
#include "playlist_plugin/domain/timestamp.hpp"
#include "rosey/wire/decode.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;

struct subject_visitor {
  std::string_view operator()(const metadata_fetched&) const { return "playlist.metadata.fetched"; }
  std::string_view operator()(const item_added&) const { return "playlist.item.added"; }
  std::string_view operator()(const item_removed&) const { return "playlist.item.removed"; }
  std::string_view operator()(const item_playing&) const { return "playlist.item.playing"; }
  std::string_view operator()(const item_position&) const { return "playlist.item.position"; }
  std::string_view operator()(const item_finished&) const { return "playlist.item.finished"; }
  std::string_view operator()(const queue_cleared&) const { return "playlist.cleared"; }
  std::string_view operator()(const queue_shuffled&) const { return "playlist.shuffled"; }
  std::string_view operator()(const item_moved&) const { return "playlist.moved"; }
  std::string_view operator()(const skip_voted&) const { return "playlist.skip.vote"; }
  std::string_view operator()(const skip_withdrawn&) const { return "playlist.skip.withdrawn"; }
  std::string_view operator()(const skip_passed&) const { return "playlist.skip.passed"; }
};

class payload_visitor {
 public:
  explicit payload_visitor(json::object& message) : out_(message) {}

  void operator()(const metadata_fetched& event) const { out_["item"] = to_json(event.item); }
  void operator()(const item_added& event) const {
    out_["item"] = to_json(event.item);
    out_["position"] = event.number;
  }
  void operator()(const item_removed& event) const {
    out_["item"] = to_json(event.item);
    out_["by"] = event.by;
  }
  void operator()(const item_playing& event) const {
    out_["item"] = to_json(event.item);
    out_["started_at"] = iso_timestamp(event.started_at);
  }
  void operator()(const item_position& event) const {
    out_["item_id"] = event.item_id;
    out_["started_at"] = iso_timestamp(event.started_at);
  }
  void operator()(const item_finished& event) const {
    out_["item"] = to_json(event.item);
    out_["play_duration"] = event.played;
    out_["skipped"] = event.skipped;
  }
  void operator()(const queue_cleared& event) const {
    out_["count"] = event.count;
    out_["by"] = event.by;
  }
  void operator()(const queue_shuffled& event) const {
    out_["count"] = event.order.size();
    out_["order"] = json::array(event.order.begin(), event.order.end());
    out_["by"] = event.by;
  }
  void operator()(const item_moved& event) const {
    out_["item"] = to_json(event.item);
    out_["after"] = event.after.empty() ? json::value() : json::value(event.after);
    out_["by"] = event.by;
  }
  void operator()(const skip_voted& event) const { write_vote(event); }
  void operator()(const skip_withdrawn& event) const { write_vote(event); }
  void operator()(const skip_passed& event) const {
    out_["item_id"] = event.item_id;
    out_["votes"] = event.votes;
    out_["needed"] = event.needed;
  }

 private:
  json::object& out_;

  template <class Vote>
  void write_vote(const Vote& event) const {
    out_["item_id"] = event.item_id;
    out_["user"] = event.user;
    out_["votes"] = event.votes;
    out_["needed"] = event.needed;
  }
};

}  // namespace

json::object to_json(const queue_item& item) {
  json::object object{{"id", item.id},
                      {"media_type", item.media.type},
                      {"media_id", item.media.id},
                      {"url", canonical_url(item.media)},
                      {"title", item.title},
                      {"duration", item.duration},
                      {"formatted_duration", format_duration(item.duration)},
                      {"added_by", item.added_by},
                      {"added_at", iso_timestamp(item.added_at)}};
  if (!item.thumbnail_url.empty()) object["thumbnail_url"] = item.thumbnail_url;
  if (!item.channel_name.empty()) object["channel_name"] = item.channel_name;
  return object;
}

std::optional<queue_item> item_from_json(const json::object& event) {
  const json::value* item = event.if_contains("item");
  if (!item || !item->is_object()) return std::nullopt;
  wire::field_reader in(item->get_object());
  queue_item told;
  told.media = {in.text("media_type"), in.text("media_id")};
  told.title = in.text("title");
  told.duration = in.integer("duration", 0);
  if (in.failed()) return std::nullopt;
  return told;
}

json::object to_json(const limit_reached& reached) {
  json::object object{{"limit", reached.limit}, {"used", reached.used}};
  if (reached.retry_after) object["retry_after"] = *reached.retry_after;
  return object;
}

json::value current_to_json(const channel_state& channel, std::int64_t now) {
  if (!channel.playing) return nullptr;
  json::object current = to_json(channel.playing->item);
  current["started_at"] = iso_timestamp(channel.playing->started_at);
  current["elapsed"] = seconds_played(*channel.playing, now);
  return current;
}

bool moves_the_end(std::string_view subject) {
  return subject == "playlist.item.playing" || subject == "playlist.item.position" ||
         subject == "playlist.metadata.fetched" || subject == queue_imported;
}

std::string_view subject_of(const event& happened) {
  return std::visit(subject_visitor{}, happened);
}

namespace {

template <std::size_t... Kinds>
std::vector<std::string_view> subjects_of(std::index_sequence<Kinds...>) {
  return {subject_of(event(std::in_place_index<Kinds>))...};
}

}  // namespace

std::vector<std::string_view> event_subjects() {
  auto subjects = subjects_of(std::make_index_sequence<std::variant_size_v<event>>());
  subjects.insert(subjects.end(), {import_begun, queue_imported});
  return subjects;
}

std::vector<json::object> to_json(const std::vector<event>& happened, const channel_state& channel,
                                  std::int64_t now) {
  std::vector<json::object> messages;
  for (const event& each : happened) {
    json::object message{{"event", subject_of(each)},  {"channel", channel.name},
                         {"version", channel.version}, {"part", messages.size() + 1},
                         {"parts", happened.size()},   {"timestamp", iso_timestamp(now)}};
    std::visit(payload_visitor(message), each);
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace rosey::playlist
