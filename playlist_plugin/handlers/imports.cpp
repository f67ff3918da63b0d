// The steps of an import: decode, do, answer.
#include "playlist_plugin/handlers/imports.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <iterator>
#include <utility>
#include <vector>

#include "playlist_plugin/domain/timestamp.hpp"
#include "playlist_plugin/handlers/import_entry.hpp"
#include "playlist_plugin/handlers/request_id.hpp"
#include "playlist_plugin/handlers/service_reply.hpp"
#include "playlist_plugin/service/messages.hpp"

namespace rosey::playlist {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

// Entries of one message: as rows they have to fit into one message to storage.
constexpr std::int64_t most_in_a_message = 500;
constexpr std::int64_t most_imported = 500'000;
constexpr std::size_t most_refused = 10;  // that are named

json::array read_entries(wire::field_reader& in) {
  const json::value* entries = in.find("entries");
  if (!entries || !entries->is_array() ||
      entries->get_array().size() > static_cast<std::size_t>(most_in_a_message)) {
    in.fail("'entries' must be a list of at most " + std::to_string(most_in_a_message));
    return {};
  }
  return entries->get_array();
}

import_job read_job(wire::field_reader& in) {
  import_job job;
  job.channel = in.name("channel");
  job.content = in.name("content");
  job.count = in.integer("count", 1, most_imported);
  job.again = in.boolean_or("again", false);
  if (job.content.size() > 128) in.fail("'content' is longer than 128 bytes");
  return job;
}

json::array to_json(const std::vector<waiting_item>& items) {
  json::array list;
  for (const waiting_item& each : items) {
    list.push_back(json::object{{"id", each.item.id},
                                {"position", each.position},
                                {"media_type", each.item.media.type},
                                {"media_id", each.item.media.id},
                                {"title", each.item.title},
                                {"duration", each.item.duration},
                                {"added_by", each.item.added_by}});
  }
  return list;
}

json::object to_json(const earlier_import& earlier) {
  return {{"count", earlier.count}, {"at", earlier.at}};
}

json::object begun_fields(const begun_import& begun) {
  json::object fields;
  if (begun.earlier) {
    fields["earlier"] = to_json(*begun.earlier);
  } else {
    fields["import"] = begun.id;
    fields["number"] = begun.first_number;
  }
  return service_success(std::move(fields));
}

json::object staged_fields(const staged_items& items) {
  json::object fields;
  fields["items"] = to_json(items);
  return service_success(std::move(fields));
}

json::object ended_fields(const ended_import& ended) {
  json::object fields;
  if (ended.earlier) {
    fields["earlier"] = to_json(*ended.earlier);
  } else {
    fields["version"] = ended.version;
  }
  return service_success(std::move(fields));
}

}  // namespace

const imports::route imports::routes[] = {
    {"check", &imports::check}, {"begin", &imports::begin, true},   {"stage", &imports::stage},
    {"read", &imports::read},   {"commit", &imports::commit, true},
};

std::vector<std::string_view> imports::steps() {
  std::vector<std::string_view> names;
  for (const route& each : routes) names.emplace_back(each.step);
  return names;
}

imports::imports(const sdk::context& context, import_storage& storage, clock& time)
    : context_(context), responder_(context, service_failure), storage_(storage), clock_(time) {}

void imports::start() {
  responder_.serve("service.playlist.import",
                   [this](std::string payload) { return dispatch(std::move(payload)); });
}

awaitable<imports::reply> imports::dispatch(std::string payload) {
  auto fields = wire::parse_object(payload);
  if (!fields) co_return fields.error();
  wire::field_reader in(*fields);
  const std::string step = in.text("step");
  if (in.failed()) co_return in.failure();
  const auto* known = std::find_if(std::begin(routes), std::end(routes),
                                   [&step](const route& each) { return step == each.step; });
  if (known == std::end(routes)) {
    co_return error{codes::bad_request,
                    "'step' must be \"check\", \"begin\", \"stage\", \"read\" or \"commit\""};
  }
  request asked;
  if (known->once && in.find("id")) {
    asked.id =
        request_id_of("service.playlist.import " + step, in.name("channel"), "", in.name("id"));
  }
  if (in.failed()) co_return in.failure();
  const std::string id = asked.id;
  if (!id.empty()) {
    auto earlier = co_await storage_.find_answer(id);
    if (earlier) co_return std::move(*earlier);
  }
  asked.fields = std::move(*fields);
  reply answer = co_await (this->*known->handle)(std::move(asked));
  const bool stands =
      answer || (answer.error().code != codes::busy && answer.error().code != codes::too_large);
  if (id.empty() || !stands) co_return answer;
  // Of what was done it is there already.
  json::object told = answer ? std::move(*answer) : service_failure(answer.error());
  co_return co_await storage_.keep_answer(id, std::move(told));
}

awaitable<imports::reply> imports::check(request asked) {
  wire::field_reader in(asked.fields);
  const json::array entries = read_entries(in);
  const std::string user = in.name("user");
  if (in.failed()) co_return in.failure();
  json::array refused;
  for (std::size_t index = 0; index < entries.size() && refused.size() < most_refused; ++index) {
    const auto item = read_import_entry(entries[index], user);
    if (item) continue;
    refused.push_back(json::object{{"index", index}, {"error", item.error().message}});
  }
  json::object fields;
  fields["refused"] = std::move(refused);
  co_return service_success(std::move(fields));
}

awaitable<imports::reply> imports::begin(request asked) {
  wire::field_reader in(asked.fields);
  const import_job job = read_job(in);
  if (in.failed()) co_return in.failure();
  import_step<begun_import> how{std::move(asked.id), begun_fields};
  auto begun = co_await storage_.begin(job, std::move(how), clock_.now());
  if (!begun) co_return begun.error();
  if (begun->done) announce(import_begun, job, begun->done->version);
  co_return std::move(begun->reply);
}

awaitable<imports::reply> imports::stage(request asked) {
  wire::field_reader in(asked.fields);
  const std::string import = in.name("import");
  const std::int64_t number = in.integer("number", 1);
  const std::int64_t index = in.integer("index", 0, most_imported);
  const json::array entries = read_entries(in);
  const std::string user = in.name("user");
  if (in.failed()) co_return in.failure();
  const std::int64_t now = clock_.now();
  std::vector<waiting_item> items;
  for (const json::value& entry : entries) {
    auto item = read_import_entry(entry, user);
    if (!item) co_return item.error();
    const auto place = static_cast<std::int64_t>(items.size());
    item->id = item_id(number + place);
    item->added_at = now;
    item->exempt = true;
    items.push_back({std::move(*item), import_storage::position(index + place)});
  }
  if (items.empty()) co_return error{codes::bad_request, "'entries' must not be empty"};
  const std::size_t size = json::serialize(staged_fields(items)).size();
  if (size > responder_.max_reply()) {
    co_return error{codes::too_large, "The answer would have " + std::to_string(size) +
                                          " bytes; one message carries at most " +
                                          std::to_string(responder_.max_reply()) +
                                          ": send fewer entries at once"};
  }
  const auto staged = co_await storage_.stage(import, index, std::move(items));
  if (!staged) co_return staged.error();
  co_return staged_fields(*staged);
}

awaitable<imports::reply> imports::read(request asked) {
  wire::field_reader in(asked.fields);
  const std::string import = in.name("import");
  const std::int64_t index = in.integer("index", 0, most_imported);
  const std::int64_t count = in.integer("count", 1, most_in_a_message);
  if (in.failed()) co_return in.failure();
  const auto items = co_await storage_.staged(import, index, count);
  if (!items) co_return items.error();
  co_return staged_fields(*items);
}

awaitable<imports::reply> imports::commit(request asked) {
  wire::field_reader in(asked.fields);
  const import_job job = read_job(in);
  const std::string import = in.name("import");
  if (in.failed()) co_return in.failure();
  import_step<ended_import> how{std::move(asked.id), ended_fields};
  auto ended = co_await storage_.commit(job, import, std::move(how), clock_.now());
  if (!ended) co_return ended.error();
  // Also of what was done before: the instance that did it may be gone.
  const json::value* version = ended->reply.if_contains("version");
  if (version && version->is_int64()) announce(queue_imported, job, version->get_int64());
  co_return std::move(ended->reply);
}

void imports::announce(const char* event, const import_job& job, std::int64_t version) const {
  const json::object message{{"event", event},
                             {"channel", job.channel},
                             {"version", version},
                             {"part", 1},
                             {"parts", 1},
                             {"count", job.count},
                             {"timestamp", iso_timestamp(clock_.now())}};
  try {
    context_.bus.publish(event, json::serialize(message));
  } catch (const std::exception& failure) {
    context_.log.fault("event", std::string("an event was not published: ") + failure.what());
  }
}

}  // namespace rosey::playlist
