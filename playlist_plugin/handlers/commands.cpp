// From words to operations and back.
#include "playlist_plugin/handlers/commands.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

#include "playlist_plugin/handlers/fitting.hpp"
#include "playlist_plugin/handlers/request_id.hpp"
#include "playlist_plugin/handlers/wording.hpp"
#include "playlist_plugin/service/messages.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

constexpr std::int64_t usual_history = 10;
constexpr std::int64_t most_history = 50;

json::object write_failure(const refusal& failure) {
  json::object reply = wire::to_json(wire::failed(failure));
  if (failure.numbers) reply["data"] = to_json(*failure.numbers);
  return reply;
}

json::object success(std::string message, json::object data = {}) {
  return wire::to_json(wire::succeeded(std::move(message), std::move(data)));
}

std::optional<std::int64_t> history_length(const std::vector<std::string>& words) {
  if (words.empty()) return usual_history;
  const std::string& word = words.front();
  std::int64_t length = 0;
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), length);
  const bool whole = failure == std::errc() && end == word.data() + word.size();
  if (!whole || length < 1 || length > most_history) return std::nullopt;
  return length;
}

actor actor_of(const wire::command_request& from) {
  return {from.user, from.sender_role >= wire::role::moderator};
}

origin origin_of(const wire::command_request& from) {
  return {from.channel, from.id, from.attempt, false, write_failure};
}

json::object added(const add_outcome& outcome) {
  const auto& playing = outcome.change.after().playing;
  return success(wording::added(outcome),
                 {{"item", to_json(outcome.items.front())},
                  {"count", outcome.items.size()},
                  {"position", outcome.number},
                  {"playing", playing && playing->item.id == outcome.items.front().id}});
}

json::object removed(const remove_outcome& outcome) {
  return success(wording::removed(outcome),
                 {{"item", to_json(outcome.items.front())}, {"count", outcome.items.size()}});
}

json::object moved(const move_outcome& outcome) {
  return success(wording::moved(outcome),
                 {{"item", to_json(outcome.items.front())}, {"count", outcome.items.size()}});
}

json::object shuffled(const shuffle_outcome& outcome) {
  return success(wording::shuffled(outcome), {{"count", outcome.count}});
}

json::object cleared(const clear_outcome& outcome) {
  return success(wording::cleared(outcome), {{"count", outcome.count}});
}

json::object skipped(const skip_outcome& outcome) {
  const json::value next = outcome.next ? json::value(to_json(*outcome.next)) : json::value();
  return success(wording::skipped(outcome), {{"next_item", next}});
}

json::array upcoming_to_json(const std::vector<upcoming_item>& upcoming, std::size_t count) {
  json::array items;
  for (std::size_t index = 0; index < count; ++index) {
    const upcoming_item& each = upcoming[index];
    json::object item{{"id", each.item.id},
                      {"number", each.number},
                      {"seconds", each.seconds},
                      {"unknown_durations", each.unknown}};
    if (each.at_most) item["at_most"] = *each.at_most;
    items.push_back(std::move(item));
  }
  return items;
}

json::object voted(const vote_outcome& outcome) {
  return success(
      wording::voted(outcome),
      {{"votes", outcome.votes}, {"needed", outcome.needed}, {"passed", outcome.passed}});
}

}  // namespace

std::optional<sdk::reply> commands::before(sdk::command& asked, const row& verb) {
  if (wire::has_control_characters(asked.id)) {
    return error{codes::bad_request, "'id' must not contain control characters"};
  }
  asked.id = request_id_of(verb.name, asked.channel, asked.user, asked.id);
  operations_.saw(asked.channel, asked.user);
  if (asked.sender_role < verb.least_role) return error{codes::forbidden, "Admin only command"};
  return std::nullopt;
}

awaitable<sdk::reply> commands::answer(handler decide, request from) {
  const std::string subject = std::string("rosey.command.") + plugin_id + "." + from.verb;
  std::exception_ptr failure;
  try {
    const reply decided = co_await (this->*decide)(std::move(from));
    if (!decided) co_return write_failure(decided.error());
    co_return *decided;
  } catch (...) {
    failure = std::current_exception();
  }
  co_return reason_for_sender(context_.log, subject, failure);
}

awaitable<commands::reply> commands::add(request from) {
  return operations_.add(origin_of(from), from.args, {from.user, from.sender_role}, added);
}

awaitable<commands::reply> commands::show_queue(request from) {
  const auto channel = co_await operations_.read(from.channel);
  if (!channel) co_return channel.error();
  const queue_totals totals = totals_of(**channel);
  json::object data{{"version", (*channel)->version},
                    {"total_items", totals.items},
                    {"total_duration", totals.duration},
                    {"unique_users", totals.users}};
  co_return success(wording::queue(**channel), std::move(data));
}

awaitable<commands::reply> commands::show_playing(request from) {
  const auto channel = co_await operations_.read(from.channel);
  if (!channel) co_return channel.error();
  if (!(*channel)->playing) co_return error{codes::nothing_playing, "Nothing is playing!"};
  const std::int64_t now = operations_.now();
  json::object data{{"item", current_to_json(**channel, now)}};
  co_return success(wording::now_playing(*(*channel)->playing, now), std::move(data));
}

awaitable<commands::reply> commands::skip(request from) {
  origin asked = origin_of(from);
  asked.answer_names_next = true;
  return operations_.skip(std::move(asked), actor_of(from), skipped);
}

awaitable<commands::reply> commands::vote_skip(request from) {
  return operations_.vote_skip(origin_of(from), from.user, voted);
}

awaitable<commands::reply> commands::remove(request from) {
  std::string named = from.words.empty() ? std::string() : from.words.front();
  return operations_.remove(origin_of(from), std::move(named), actor_of(from), removed);
}

awaitable<commands::reply> commands::clear(request from) {
  return operations_.clear(origin_of(from), actor_of(from), cleared);
}

awaitable<commands::reply> commands::shuffle(request from) {
  return operations_.shuffle(origin_of(from), actor_of(from), shuffled);
}

awaitable<commands::reply> commands::move(request from) {
  return operations_.move(origin_of(from), from.words[0], from.words[1], actor_of(from), moved);
}

awaitable<commands::reply> commands::show_when(request from) {
  const auto channel = co_await operations_.read(from.channel);
  if (!channel) co_return channel.error();
  const auto upcoming = upcoming_of(**channel, from.user, operations_.playing(), operations_.now());
  if (upcoming.empty()) co_return error{codes::not_found, "You have nothing in the queue"};
  const auto write = [&upcoming](std::size_t count) {
    json::object data;
    data["items"] = upcoming_to_json(upcoming, count);
    data["truncated"] = count < upcoming.size();
    return success(wording::when(upcoming), std::move(data));
  };
  co_return fitting(sdk::max_reply(context_.bus), upcoming.size(), write);
}

awaitable<commands::reply> commands::show_history(request from) {
  const auto length = history_length(from.words);
  if (!length) co_return from.usage();
  const std::vector<history_entry> entries = co_await operations_.history(from.channel, *length);
  const auto write = [&entries](std::size_t count) {
    const auto end = entries.begin() + static_cast<std::ptrdiff_t>(count);
    return success(wording::history({entries.begin(), end}), {{"count", count}});
  };
  co_return fitting(sdk::max_reply(context_.bus), entries.size(), write);
}

awaitable<commands::reply> commands::show_stats(request from) {
  const std::optional<user_stats> stats = co_await operations_.stats(from.user);
  if (!stats) co_return success(wording::no_stats);
  json::object data{{"items_added", stats->items_added},
                    {"items_played", stats->items_played},
                    {"items_skipped", stats->items_skipped},
                    {"total_duration_added", stats->duration_added},
                    {"total_duration_played", stats->duration_played}};
  co_return success(wording::stats(*stats), std::move(data));
}

}  // namespace rosey::playlist
