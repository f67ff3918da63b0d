// Operations on values by key.
#include <fmt/format.h>

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

constexpr char not_expired[] = "(rosey_kv.expires_at IS NULL OR rosey_kv.expires_at > {})";

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

error wrong_revision(session& in, const std::string& key, std::int64_t expected,
                     const run_context& context) {
  return {db::codes::conflict, fmt::format("Key '{}' is at revision {}, not {}", key,
                                           revision_of(in, key, context), expected)};
}

std::int64_t next_revision(session& in) {
  std::int64_t revision = 0;
  in.query({in.language().next_revision()}, [&revision](const auto& row) {
    revision = integer(row[0]);
    return true;  // an update is carried out when its last row has been taken
  });
  return revision;
}

struct new_entry {
  const std::string& key;
  std::string value;
  std::int64_t revision = 0;
  sql_value expires_at = {};
};

// The guards are part of the writing statements: what is not read before cannot be outdated.
statement replace_entry(session& in, const new_entry& entry, std::int64_t revision,
                        const run_context& context) {
  bindings bound(in.language());
  std::string sql = fmt::format(
      "UPDATE rosey_kv SET value = {}, revision = {}, expires_at = {}, set_at = {} "
      "WHERE plugin = {} AND key = {} AND revision = {} AND ",
      bound.bind(entry.value), bound.bind(entry.revision), bound.bind(entry.expires_at),
      bound.bind(context.now), bound.bind(context.plugin), bound.bind(entry.key),
      bound.bind(revision));
  sql += fmt::format(not_expired, bound.bind(context.now));
  return bound.finish(std::move(sql));
}

statement put_entry(session& in, const new_entry& entry, bool must_be_absent,
                    const run_context& context) {
  bindings bound(in.language());
  std::string sql = fmt::format(
      "INSERT INTO rosey_kv (plugin, key, value, revision, expires_at, set_at) "
      "VALUES ({}, {}, {}, {}, {}, {}) ON CONFLICT (plugin, key) DO UPDATE SET "
      "value = excluded.value, revision = excluded.revision, expires_at = excluded.expires_at, "
      "set_at = excluded.set_at",
      bound.bind(context.plugin), bound.bind(entry.key), bound.bind(entry.value),
      bound.bind(entry.revision), bound.bind(entry.expires_at), bound.bind(context.now));
  if (must_be_absent) {
    sql += " WHERE NOT " + fmt::format(not_expired, bound.bind(context.now));
  }
  return bound.finish(std::move(sql));
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
    reply = {true, from_stored(text(row[0])), integer(row[1])};
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
  new_entry entry{request.key, std::move(value), next_revision(in)};
  if (request.ttl_seconds) entry.expires_at = context.now + *request.ttl_seconds * 1000;
  const std::int64_t expected = request.if_revision.value_or(0);
  const statement change = expected > 0
                               ? replace_entry(in, entry, expected, context)
                               : put_entry(in, entry, request.if_revision.has_value(), context);
  if (in.execute(change) == 0) return wrong_revision(in, request.key, expected, context);
  return db::kv_set_reply{entry.revision};
}

result<db::kv_delete_reply> run(session& in, const db::kv_delete_request& request,
                                run_context& context) {
  if (request.if_revision) {
    const std::int64_t revision = revision_of(in, request.key, context);
    if (revision != *request.if_revision) {
      return wrong_revision(in, request.key, *request.if_revision, context);
    }
  }
  bindings bound(in.language());
  std::string sql = fmt::format("DELETE FROM rosey_kv WHERE plugin = {} AND key = {} AND ",
                                bound.bind(context.plugin), bound.bind(request.key));
  sql += fmt::format(not_expired, bound.bind(context.now));
  return db::kv_delete_reply{in.execute(bound.finish(std::move(sql))) > 0};
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
  statement query = bound.finish(sql);
  query.many_rows = true;
  std::string endless;
  in.query(query, [&](const auto& row) {
    if (!text(row[0]).starts_with(request.prefix)) return false;
    const std::size_t size =
        encoded_size(json::value(text(row[0]))) + text(row[1]).size() + punctuation;
    if (static_cast<std::int64_t>(reply.entries.size()) == request.limit ||
        size > context.reply_room) {
      reply.truncated = true;
      if (size > context.whole_room()) endless = text(row[0]);
      return false;
    }
    context.reply_room -= size;
    reply.entries.push_back({text(row[0]), from_stored(text(row[1])), integer(row[2])});
    return true;
  });
  // Paging could never get past it.
  if (!endless.empty() && reply.entries.empty()) {
    return error{db::codes::value_too_large,
                 fmt::format("The entry of key '{}' is longer than a reply may be; list what is "
                             "'after' it",
                             endless)};
  }
  return reply;
}

}  // namespace rosey::storage
