// From fields to operations and back.
#include "playlist_plugin/handlers/services.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "playlist_plugin/domain/timestamp.hpp"
#include "playlist_plugin/handlers/fitting.hpp"
#include "playlist_plugin/handlers/request_id.hpp"
#include "playlist_plugin/handlers/service_reply.hpp"
#include "playlist_plugin/service/messages.hpp"
#include "rosey/wire/decode.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

// Without a user, the plugin itself asks.
result<actor> read_actor(const json::object& fields) {
  wire::field_reader in(fields);
  actor by;
  const bool has_user = in.find("user") != nullptr;
  if (has_user) by.user = in.name("user");
  by.moderator = in.boolean_or("is_admin", !has_user);
  if (in.failed()) return in.failure();
  return by;
}

// Who may do what concerns everybody's items.
result<actor> read_moderator(const json::object& fields) {
  auto by = read_actor(fields);
  if (by && !by->moderator) return error{codes::forbidden, "Admin only command"};
  return by;
}

// "" where it is missing, or is none: whoever needs it says so.
std::string text_in(const json::object& fields, std::string_view key) {
  const json::value* value = fields.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

json::value item_or_null(const std::optional<queue_item>& item) {
  return item ? json::value(to_json(*item)) : json::value();
}

// What waits from `offset` on, in at most `room` bytes.
json::array page_of(const channel_state& channel, std::size_t offset, std::size_t room) {
  json::array items;
  std::size_t size = 0;
  for (std::size_t index = offset; index < channel.waiting.size(); ++index) {
    json::object item = to_json(channel.waiting[index].item);
    size += json::serialize(item).size() + 1;
    if (size > room) break;
    items.push_back(std::move(item));
  }
  return items;
}

error fits_no_page(const queue_item& item, std::size_t room) {
  return {codes::too_large, "Item '" + item.id + "' is too large for a page: one message carries " +
                                std::to_string(room) + " bytes"};
}

json::object history_to_json(const history_entry& entry) {
  json::object object = to_json(entry.item);
  object.erase("id");  // history keeps no ids
  object.erase("added_at");
  object["played_at"] = iso_timestamp(entry.played_at);
  object["play_duration"] = entry.played;
  object["skipped"] = entry.skipped;
  return object;
}

json::object added_fields(const add_outcome& outcome) {
  return service_success({{"item", to_json(outcome.items.front())},
                          {"count", outcome.items.size()},
                          {"position", outcome.number}});
}
json::object removed_fields(const remove_outcome& outcome) {
  return service_success(
      {{"item", to_json(outcome.items.front())}, {"count", outcome.items.size()}});
}
json::object voted_fields(const vote_outcome& outcome) {
  return service_success(
      {{"votes", outcome.votes}, {"needed", outcome.needed}, {"passed", outcome.passed}});
}
json::object skipped_fields(const skip_outcome& outcome) {
  return service_success({{"next_item", item_or_null(outcome.next)}});
}
json::object shuffled_fields(const shuffle_outcome& outcome) {
  return service_success({{"count", outcome.count}});
}
json::object cleared_fields(const clear_outcome& outcome) {
  return service_success({{"count", outcome.count}});
}

json::object playing_fields(const player_outcome& outcome) {
  return service_success({{"playing", item_or_null(outcome.playing)}});
}

// Seconds, with a fraction.
double read_position(wire::field_reader& in) {
  return in.number_or("position", 0, 0, 365 * 24 * 3600.0);
}

}  // namespace

const services::route services::routes[] = {
    {"service.playlist.add_item", &services::add_item},
    {"service.playlist.remove_item", &services::remove_item},
    {"service.playlist.get_queue", &services::get_queue},
    {"service.playlist.get_current", &services::get_current},
    {"service.playlist.get_stats", &services::get_stats},
    {"service.playlist.vote_skip", &services::vote_skip},
    {"service.playlist.skip", &services::skip},
    {"service.playlist.shuffle", &services::shuffle},
    {"service.playlist.clear", &services::clear},
    {"playlist.player.finished", &services::player_finished},
    {"playlist.player.position", &services::player_position},
    {"service.playlist.get_history", &services::get_history},
    {"service.playlist.get_user_stats", &services::get_user_stats},
};

services::services(const sdk::context& context, operations& operations)
    : responder_(context, service_failure), operations_(operations) {}

void services::start() {
  for (const route& each : routes) {
    responder_.serve(each.subject, [this, known = &each](std::string payload) {
      return dispatch(known, std::move(payload));
    });
  }
}

awaitable<services::reply> services::dispatch(const route* known, std::string payload) {
  auto fields = wire::parse_object(payload);
  if (!fields) co_return fields.error();
  wire::field_reader in(*fields);
  origin from;
  // Statistics of a user are about all channels.
  if (known->handle != &services::get_user_stats) from.channel = in.name("channel");
  if (in.find("id")) {
    from.request_id =
        request_id_of(known->subject, from.channel, text_in(*fields, "user"), in.name("id"));
  }
  from.attempt = in.integer_or("attempt", 1, 1, 1000);
  from.write_failure = service_failure;
  if (in.failed()) co_return in.failure();
  request asked{std::move(from), std::move(*fields)};
  co_return co_await (this->*known->handle)(std::move(asked));
}

awaitable<services::reply> services::add_item(request asked) {
  wire::field_reader in(asked.fields);
  std::string url = in.text("url");
  requester by;
  by.user = in.name("user");
  const auto role = wire::role_from(in.text_or("role", "user"));
  if (!role) in.fail("'role' must be \"user\", \"moderator\" or \"admin\"");
  if (in.failed()) return ready(in.failure());
  by.role = *role;
  return operations_.add(std::move(asked.from), std::move(url), std::move(by), added_fields);
}

awaitable<services::reply> services::remove_item(request asked) {
  wire::field_reader in(asked.fields);
  std::string item = in.name("item_id");
  if (in.failed()) return ready(in.failure());
  const auto by = read_actor(asked.fields);
  if (!by) return ready(by.error());
  return operations_.remove(std::move(asked.from), std::move(item), *by, removed_fields);
}

awaitable<services::reply> services::get_queue(request asked) {
  wire::field_reader in(asked.fields);
  const std::int64_t offset = in.integer_or("offset", 0, 0);
  const std::int64_t at_least = in.integer_or("at_least", 0, 0);
  if (in.failed()) co_return in.failure();
  const auto channel = co_await operations_.read(asked.from.channel, at_least);
  if (!channel) co_return channel.error();
  const auto& waiting = (*channel)->waiting;
  const auto first = static_cast<std::size_t>(offset);
  json::object fields{{"channel", (*channel)->name}, {"version", (*channel)->version}};
  fields["current"] = current_to_json(**channel, operations_.now());
  fields["items"] = json::array();
  fields["total"] = waiting.size();
  fields["truncated"] = false;
  json::object page = service_success(std::move(fields));
  const std::size_t rest = std::min(json::serialize(page).size(), responder_.max_reply());
  json::array items = page_of(**channel, first, responder_.max_reply() - rest);
  if (items.empty() && first < waiting.size()) {
    co_return fits_no_page(waiting[first].item, responder_.max_reply());
  }
  page["truncated"] = first + items.size() < waiting.size();
  page["items"] = std::move(items);
  co_return page;
}

awaitable<services::reply> services::get_current(request asked) {
  const auto channel = co_await operations_.read(asked.from.channel);
  if (!channel) co_return channel.error();
  json::object fields{{"version", (*channel)->version}};
  fields["item"] = current_to_json(**channel, operations_.now());
  co_return service_success(std::move(fields));
}

awaitable<services::reply> services::get_stats(request asked) {
  const auto channel = co_await operations_.read(asked.from.channel);
  if (!channel) co_return channel.error();
  const queue_totals totals = totals_of(**channel);
  json::object fields{{"total_items", totals.items},
                      {"total_duration", totals.duration},
                      {"unique_users", totals.users}};
  co_return service_success(std::move(fields));
}

awaitable<services::reply> services::vote_skip(request asked) {
  wire::field_reader in(asked.fields);
  std::string user = in.name("user");
  if (in.failed()) return ready(in.failure());
  return operations_.vote_skip(std::move(asked.from), std::move(user), voted_fields);
}

awaitable<services::reply> services::skip(request asked) {
  const auto by = read_actor(asked.fields);
  if (!by) return ready(by.error());
  return operations_.skip(std::move(asked.from), *by, skipped_fields);
}

awaitable<services::reply> services::shuffle(request asked) {
  const auto by = read_moderator(asked.fields);
  if (!by) return ready(by.error());
  return operations_.shuffle(std::move(asked.from), *by, shuffled_fields);
}

awaitable<services::reply> services::clear(request asked) {
  const auto by = read_moderator(asked.fields);
  if (!by) return ready(by.error());
  return operations_.clear(std::move(asked.from), *by, cleared_fields);
}

awaitable<services::reply> services::player_finished(request asked) {
  wire::field_reader in(asked.fields);
  std::string item = in.name("item_id");
  std::optional<std::int64_t> position;
  if (in.find("position")) position = static_cast<std::int64_t>(read_position(in));
  if (in.failed()) return ready(in.failure());
  return operations_.player_finished(std::move(asked.from), std::move(item), position,
                                     playing_fields);
}

awaitable<services::reply> services::player_position(request asked) {
  wire::field_reader in(asked.fields);
  std::string item = in.name("item_id");
  if (!in.find("position")) in.fail("'position' is missing");
  const auto position = static_cast<std::int64_t>(read_position(in) * 1000);
  if (in.failed()) return ready(in.failure());
  return operations_.player_position(std::move(asked.from), std::move(item), position,
                                     playing_fields);
}

awaitable<services::reply> services::get_history(request asked) {
  wire::field_reader in(asked.fields);
  const std::int64_t limit = in.integer_or("limit", 20, 1, 50);
  if (in.failed()) co_return in.failure();
  const std::vector<history_entry> entries =
      co_await operations_.history(std::move(asked.from.channel), limit);
  const auto write = [&entries](std::size_t count) {
    json::array items;
    for (std::size_t index = 0; index < count; ++index) {
      items.push_back(history_to_json(entries[index]));
    }
    json::object fields{{"truncated", count < entries.size()}};
    fields["items"] = std::move(items);
    return service_success(std::move(fields));
  };
  co_return fitting(responder_.max_reply(), entries.size(), write);
}

awaitable<services::reply> services::get_user_stats(request asked) {
  wire::field_reader in(asked.fields);
  std::string user = in.name("user");
  if (in.failed()) co_return in.failure();
  const std::optional<user_stats> stats = co_await operations_.stats(user);
  if (!stats) co_return error{codes::not_found, "No playlist statistics of '" + user + "' yet"};
  json::object fields{{"user", stats->user},
                      {"items_added", stats->items_added},
                      {"items_played", stats->items_played},
                      {"items_skipped", stats->items_skipped},
                      {"total_duration_added", stats->duration_added},
                      {"total_duration_played", stats->duration_played}};
  co_return service_success(std::move(fields));
}

}  // namespace rosey::playlist
