// Answers of the storage service as JSON, and reading them back.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "rosey/wire/storage_decode.hpp"
#include "rosey/wire/storage_kv.hpp"
#include "rosey/wire/storage_rows.hpp"

namespace rosey::wire::db {

inline json::object to_json(const insert_reply& reply) {
  json::array ids;
  for (const std::int64_t id : reply.ids) ids.push_back(id == 0 ? json::value() : json::value(id));
  json::object object{{"created", reply.created}};
  if (reply.many) {
    object["ids"] = std::move(ids);
  } else {
    object["id"] = ids.empty() ? json::value() : std::move(ids.front());
  }
  return object;
}

inline json::object to_json(const select_reply& reply) {
  return {{"rows", reply.rows}, {"count", reply.rows.size()}, {"truncated", reply.truncated}};
}

inline json::object to_json(const update_reply& reply) {
  return {{"affected", reply.affected}, {"upserted", reply.upserted}};
}

inline json::object to_json(const delete_reply& reply) {
  return {{"deleted", reply.deleted}};
}

inline json::object to_json(const kv_get_reply& reply) {
  return {{"exists", reply.exists}, {"value", reply.value}, {"revision", reply.revision}};
}

inline json::object to_json(const kv_set_reply& reply) {
  return {{"revision", reply.revision}};
}

inline json::object to_json(const kv_delete_reply& reply) {
  return {{"deleted", reply.deleted}};
}

inline json::object to_json(const kv_list_reply& reply) {
  json::array entries;
  for (const kv_entry& entry : reply.entries) {
    entries.push_back(
        json::object{{"key", entry.key}, {"value", entry.value}, {"revision", entry.revision}});
  }
  json::object object;
  object["entries"] = std::move(entries);
  object["truncated"] = reply.truncated;
  return object;
}

// What one operation gave.
using outcome = std::variant<insert_reply, select_reply, update_reply, delete_reply, kv_get_reply,
                             kv_set_reply, kv_delete_reply, kv_list_reply>;

inline json::object to_json(const outcome& any) {
  return std::visit([](const auto& reply) { return to_json(reply); }, any);
}

// A success: the fields stand at the top level.
inline std::string encode_success(json::object fields) {
  fields["success"] = true;
  return json::serialize(fields);
}

inline void decode_into(reader& in, insert_reply& reply) {
  reply.many = in.has("ids");
  reply.created = in.integer("created", 0);
  const json::array ids = reply.many ? in.array("ids") : json::array{in.value("id")};
  for (const json::value& id : ids) {
    if (id.is_int64()) {
      reply.ids.push_back(id.get_int64());
    } else if (id.is_null()) {
      reply.ids.push_back(0);
    } else {
      in.fail("An id must be a whole number or null");
    }
  }
}

inline void decode_into(reader& in, select_reply& reply) {
  reply.rows = in.array("rows");
  reply.truncated = in.boolean("truncated");
  for (const json::value& row : reply.rows) {
    if (!row.is_object()) in.fail("'rows' must be a list of objects");
  }
}

inline void decode_into(reader& in, update_reply& reply) {
  reply.affected = in.integer("affected", 0);
  reply.upserted = in.boolean("upserted");
}

inline void decode_into(reader& in, delete_reply& reply) {
  reply.deleted = in.integer("deleted", 0);
}

inline void decode_into(reader& in, kv_get_reply& reply) {
  reply.exists = in.boolean("exists");
  reply.value = in.value("value");
  reply.revision = in.integer("revision", 0);
}

inline void decode_into(reader& in, kv_set_reply& reply) {
  reply.revision = in.integer("revision", 1);
}

inline void decode_into(reader& in, kv_delete_reply& reply) {
  reply.deleted = in.boolean("deleted");
}

inline void decode_into(reader& in, kv_list_reply& reply) {
  reply.truncated = in.boolean("truncated");
  for (json::value& each : in.array("entries")) {
    if (!each.is_object()) return in.fail("'entries' must be a list of objects");
    reader entry(each.get_object());
    reply.entries.push_back(
        {entry.text("key"), entry.value("value"), entry.integer("revision", 1)});
    if (entry.failed()) return in.fail(entry.failure().message);
  }
}

// The fields of one operation's answer; an error says how the answer is malformed.
template <class Reply>
result<Reply> decode_fields(json::object object) {
  reader in(object);
  Reply reply;
  decode_into(in, reply);
  if (in.failed()) return in.failure();
  return reply;
}

// Thrown by decoders of answers when the answer is not one of the storage service.
struct malformed_reply : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The fields of a success, or the refusal. Throws malformed_reply.
inline boost::system::result<json::object, failure> decode_answer(std::string_view payload) {
  auto object = parse_object(payload, max_request, {}, max_answer_depth);
  if (!object) throw malformed_reply(object.error().message);
  reader in(*object);
  const bool success = in.boolean("success");
  if (in.failed()) throw malformed_reply(in.failure().message);
  if (success) return std::move(*object);

  json::object error_object = in.object("error");
  reader why(error_object);
  failure refused(error{why.text("code"), why.text("message")});
  if (const auto op = why.optional_integer("op", 0)) refused.op = static_cast<std::size_t>(*op);
  if (in.failed() || why.failed()) throw malformed_reply("'error' must have 'code' and 'message'");
  return refused;
}

// The answer to one operation. Throws malformed_reply.
template <class Reply>
result<Reply> decode_reply(std::string_view payload) {
  auto answer = decode_answer(payload);
  if (!answer) return error(answer.error());
  auto reply = decode_fields<Reply>(std::move(*answer));
  if (!reply) throw malformed_reply(reply.error().message);
  return reply;
}

}  // namespace rosey::wire::db
