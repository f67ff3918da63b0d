// Operations on values by key.
#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>

#include "host_stub/storage/column_value.hpp"
#include "host_stub/storage/run.hpp"

namespace rosey::storage {

namespace {

std::int64_t integer(const sql_value& value) {
  return std::get<std::int64_t>(value);
}
const std::string& text(const sql_value& value) {
  return std::get<std::string>(value);
}

// The revision of the entry, 0 if there is none.
std::int64_t revision_of(session& in, const std::string& key, const run_context& context) {
  bindings bound(in.language());
  const std::string sql = fmt::format(
      "SELECT revision FROM rosey_kv WHERE plugin = {} AND key = {} "
      "AND (expires_at IS NULL OR expires_at > {})",
      bound.bind(context.plugin), bound.bind(key), bound.bind(context.now));
  std::int64_t revision = 0;
  in.query(bound.finish(sql), [&revision](const auto& row) {
    revision = integer(row[0]);
    return false;
  });
  return revision;
}

std::optional<error> check_revision(session& in, const std::string& key,
                                    std::optional<std::int64_t> expected,
                                    const run_context& context) {
  if (!expected) return std::nullopt;
  const std::int64_t revision = revision_of(in, key, context);
  if (revision == *expected) return std::nullopt;
  return error{db::codes::conflict,
               fmt::format("Key '{}' is at revision {}, not {}", key, revision, *expected)};
}

std::int64_t next_revision(session& in) {
  std::int64_t revision = 0;
  in.query({"UPDATE rosey_revision SET value = value + 1 RETURNING value"},
           [&revision](const auto& row) {
             revision = integer(row[0]);
             return true;  // an update is carried out when its last row has been taken
           });
  return revision;
}

}  // namespace

result<db::kv_get_reply> run(session& in, const db::kv_get_request& request, run_context& context) {
  bindings bound(in.language());
  const std::string sql = fmt::format(
      "SELECT value, revision FROM rosey_kv WHERE plugin = {} AND key = {} "
      "AND (expires_at IS NULL OR expires_at > {})",
      bound.bind(context.plugin), bound.bind(request.key), bound.bind(context.now));
  db::kv_get_reply reply;
  std::size_t size = 0;
  in.query(bound.finish(sql), [&](const auto& row) {
    size = text(row[0]).size();
    reply = {true, json::parse(text(row[0])), integer(row[1])};
    return false;
  });
  if (auto refused = take_room(context, size)) return *refused;
  return reply;
}

result<db::kv_set_reply> run(session& in, const db::kv_set_request& request, run_context& context) {
  std::string value = json::serialize(request.value);
  if (value.size() > db::max_value) {
    return error{db::codes::value_too_large,
                 fmt::format("The value of key '{}' has {} bytes; at most {} are accepted",
                             request.key, value.size(), db::max_value)};
  }
  if (auto refused = check_revision(in, request.key, request.if_revision, context)) {
    return *refused;
  }
  sql_value expires_at;
  if (request.ttl_seconds) expires_at = context.now + *request.ttl_seconds * 1000;
  const std::int64_t revision = next_revision(in);
  bindings bound(in.language());
  const std::string sql = fmt::format(
      "INSERT INTO rosey_kv (plugin, key, value, revision, expires_at) "
      "VALUES ({}, {}, {}, {}, {}) ON CONFLICT (plugin, key) DO UPDATE SET "
      "value = excluded.value, revision = excluded.revision, expires_at = excluded.expires_at",
      bound.bind(context.plugin), bound.bind(request.key), bound.bind(std::move(value)),
      bound.bind(revision), bound.bind(std::move(expires_at)));
  in.execute(bound.finish(sql));
  return db::kv_set_reply{revision};
}

result<db::kv_delete_reply> run(session& in, const db::kv_delete_request& request,
                                run_context& context) {
  if (auto refused = check_revision(in, request.key, request.if_revision, context)) {
    return *refused;
  }
  bindings bound(in.language());
  const std::string sql = fmt::format(
      "DELETE FROM rosey_kv WHERE plugin = {} AND key = {} "
      "AND (expires_at IS NULL OR expires_at > {})",
      bound.bind(context.plugin), bound.bind(request.key), bound.bind(context.now));
  return db::kv_delete_reply{in.execute(bound.finish(sql)) > 0};
}

result<db::kv_list_reply> run(session& in, const db::kv_list_request& request,
                              run_context& context) {
  bindings bound(in.language());
  const std::string sql = fmt::format(
      "SELECT key, value, revision FROM rosey_kv WHERE plugin = {} AND key >= {} AND key > {} "
      "AND (expires_at IS NULL OR expires_at > {}) ORDER BY key",
      bound.bind(context.plugin), bound.bind(request.prefix), bound.bind(request.after),
      bound.bind(context.now));
  constexpr std::size_t punctuation = 64;
  db::kv_list_reply reply;
  in.query(bound.finish(sql), [&](const auto& row) {
    if (!text(row[0]).starts_with(request.prefix)) return false;
    const std::size_t size =
        encoded_size(json::value(text(row[0]))) + text(row[1]).size() + punctuation;
    if (static_cast<std::int64_t>(reply.entries.size()) == request.limit ||
        size > context.reply_room) {
      reply.truncated = true;
      return false;
    }
    context.reply_room -= size;
    reply.entries.push_back({text(row[0]), json::parse(text(row[1])), integer(row[2])});
    return true;
  });
  return reply;
}

}  // namespace rosey::storage
