// Batches: operations in order, what was expected of them, and each request_id once.
#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "host_stub/storage/column_value.hpp"
#include "host_stub/storage/run.hpp"

namespace rosey::storage {

namespace {

constexpr std::size_t punctuation = 64;  // bytes of an answer besides its values
constexpr std::int64_t sweep_limit = 500;

// What the request was answered when it was applied.
std::optional<db::batch_reply> recorded(session& in, const std::string& request_id,
                                        const run_context& context) {
  bindings bound(in.language());
  const std::string sql =
      fmt::format("SELECT reply, results FROM rosey_request WHERE plugin = {} AND request_id = {}",
                  bound.bind(context.plugin), bound.bind(request_id));
  std::optional<db::batch_reply> known;
  in.query(bound.finish(sql), [&known](const auto& row) {
    known.emplace();
    known->replayed = true;
    known->reply = from_stored(std::get<std::string>(row[0]));
    if (const auto* results = std::get_if<std::string>(&row[1])) {
      known->stored_results = from_stored(*results).as_array();
    }
    return false;
  });
  return known;
}

// True if this request_id is new. Before the operations, so that of equal requests at once the
// others wait for the first instead of doing its work again.
result<bool> record(session& in, const db::batch_request& request, const run_context& context) {
  std::string reply = json::serialize(request.reply);
  if (reply.size() > db::max_value) {
    return error{
        db::codes::value_too_large,
        fmt::format("'reply' has {} bytes; at most {} are accepted", reply.size(), db::max_value)};
  }
  bindings bound(in.language());
  const std::string sql = fmt::format(
      "INSERT INTO rosey_request (plugin, request_id, reply, created_at) "
      "VALUES ({}, {}, {}, {}) ON CONFLICT DO NOTHING",
      bound.bind(context.plugin), bound.bind(request.request_id), bound.bind(std::move(reply)),
      bound.bind(context.now));
  return in.execute(bound.finish(sql)) > 0;
}

// For whoever sends the same request again. Results that are longer than a value may be are not
// worth their room.
void record_results(session& in, const std::string& request_id, const db::batch_reply& reply,
                    const run_context& context) {
  json::array results;
  for (const db::outcome& each : reply.results) results.push_back(db::to_json(each));
  std::string text = json::serialize(results);
  if (text.size() > db::max_value) return;
  bindings bound(in.language());
  const std::string sql =
      fmt::format("UPDATE rosey_request SET results = {} WHERE plugin = {} AND request_id = {}",
                  bound.bind(std::move(text)), bound.bind(context.plugin), bound.bind(request_id));
  in.execute(bound.finish(sql));
}

result<db::outcome> run_any(session& in, const db::operation& what, run_context& context) {
  const auto run_one = [&in, &context](const auto& request) -> result<db::outcome> {
    auto reply = run(in, request, context);
    if (!reply) return reply.error();
    return db::outcome(std::move(*reply));
  };
  try {
    return std::visit(run_one, what);
  } catch (const sql_failure& failure) {
    if (failure.kind == sql_failure_kind::constraint) {
      return error{db::codes::constraint, failure.what()};
    }
    if (failure.kind == sql_failure_kind::invalid) return db::invalid(failure.what());
    throw;
  }
}

// Not where the request itself set the end.
bool cut_short(const db::operation& asked, const db::outcome& outcome) {
  if (const auto* rows = std::get_if<db::select_reply>(&outcome)) return rows->truncated;
  const auto* list = std::get_if<db::kv_list_reply>(&outcome);
  return list != nullptr && list->truncated &&
         static_cast<std::int64_t>(list->entries.size()) <
             std::get<db::kv_list_request>(asked).limit;
}

std::optional<error> check_expectation(const db::batch_operation& op, const db::outcome& outcome) {
  if (!op.expect_affected) return std::nullopt;
  if (cut_short(op.what, outcome)) {
    return error{db::codes::value_too_large,
                 "What was found does not fit into the answer, so 'expect' cannot be checked"};
  }
  const std::int64_t affected = db::affected(outcome);
  if (*op.expect_affected == affected) return std::nullopt;
  return error{db::codes::conflict, fmt::format("Expected {} affected, but there were {}",
                                                *op.expect_affected, affected)};
}

// Of a table (plugin, …, name) whose `time` column lies before `limit`.
bool sweep_table(session& in, std::string_view table, std::string_view name, std::string_view time,
                 std::int64_t limit) {
  bindings bound(in.language());
  const std::string sql = fmt::format(
      "DELETE FROM {0} WHERE (plugin, {1}) IN "
      "(SELECT plugin, {1} FROM {0} WHERE {2} <= {3} LIMIT {4})",
      table, name, time, bound.bind(limit), bound.bind(sweep_limit));
  return in.execute(bound.finish(sql)) == sweep_limit;
}

}  // namespace

batch_result run_batch(session& in, const db::batch_request& request, run_context& context) {
  db::batch_reply reply;
  if (!request.request_id.empty()) {
    result<bool> is_new = false;
    if (request.is_recorded()) is_new = record(in, request, context);
    if (!is_new) return db::failure(is_new.error());
    std::optional<db::batch_reply> known;
    if (!*is_new) known = recorded(in, request.request_id, context);
    if (known) return std::move(*known);
  }
  // At once, so that a long select leaves room for what is behind it.
  if (auto refused = take_room(context, punctuation * request.ops.size())) {
    return db::failure(*refused);
  }
  for (const db::batch_operation& op : request.ops) {
    const std::size_t position = reply.results.size();
    auto outcome = run_any(in, op.what, context);
    if (!outcome) return db::failure(outcome.error(), position);
    if (auto refused = check_expectation(op, *outcome)) return db::failure(*refused, position);
    reply.results.push_back(std::move(*outcome));
  }
  if (!request.request_id.empty() && !request.ops.empty()) {
    record_results(in, request.request_id, reply, context);
  }
  return reply;
}

void believe_clock(session& in, std::int64_t now) {
  constexpr std::int64_t tolerance = 60'000;
  bindings entries(in.language());
  const std::string until = entries.bind(now);
  in.execute(
      entries.finish(fmt::format("UPDATE rosey_kv SET expires_at = expires_at - (set_at - {0}), "
                                 "set_at = {0} WHERE set_at > {1}",
                                 until, entries.bind(now + tolerance))));
  bindings requests(in.language());
  const std::string created = requests.bind(now);
  in.execute(
      requests.finish(fmt::format("UPDATE rosey_request SET created_at = {} WHERE created_at > {}",
                                  created, requests.bind(now + tolerance))));
}

bool sweep(session& in, std::int64_t now, std::int64_t oldest_request) {
  const bool more_entries = sweep_table(in, "rosey_kv", "key", "expires_at", now);
  const bool more_requests =
      sweep_table(in, "rosey_request", "request_id", "created_at", oldest_request);
  return more_entries || more_requests;
}

}  // namespace rosey::storage
