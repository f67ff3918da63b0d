// Several storage operations that happen together or not at all: db.batch.<plugin>.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rosey/wire/storage_decode.hpp"
#include "rosey/wire/storage_kv.hpp"
#include "rosey/wire/storage_replies.hpp"
#include "rosey/wire/storage_rows.hpp"

namespace rosey::wire::db {

using operation = std::variant<insert_request, select_request, update_request, delete_request,
                               kv_get_request, kv_set_request, kv_delete_request, kv_list_request>;

// The "op" of each alternative of `operation`, in their order.
inline constexpr std::string_view operation_names[] = {"insert", "select", "update",    "delete",
                                                       "kv.get", "kv.set", "kv.delete", "kv.list"};

inline std::string_view name_of(const operation& op) {
  return operation_names[op.index()];
}

inline bool writes(const operation& op) {
  return !std::holds_alternative<select_request>(op) &&
         !std::holds_alternative<kv_get_request>(op) &&
         !std::holds_alternative<kv_list_request>(op);
}

// What {"expect": {"affected": n}} is compared with: rows written, or rows and entries found.
inline std::int64_t affected(const outcome& any) {
  struct counter {
    std::int64_t operator()(const insert_reply& reply) const { return reply.created; }
    std::int64_t operator()(const select_reply& reply) const {
      return static_cast<std::int64_t>(reply.rows.size());
    }
    std::int64_t operator()(const update_reply& reply) const { return reply.affected; }
    std::int64_t operator()(const delete_reply& reply) const { return reply.deleted; }
    std::int64_t operator()(const kv_get_reply& reply) const { return reply.exists ? 1 : 0; }
    std::int64_t operator()(const kv_set_reply&) const { return 1; }
    std::int64_t operator()(const kv_delete_reply& reply) const { return reply.deleted ? 1 : 0; }
    std::int64_t operator()(const kv_list_reply& reply) const {
      return static_cast<std::int64_t>(reply.entries.size());
    }
  };
  return std::visit(counter{}, any);
}

struct batch_operation {
  operation what;
  std::optional<std::int64_t> expect_affected = {};  // CONFLICT if it is another number
};

// A request with an id is applied once: sent again, it does nothing, and what the first one was
// answered comes back. The id alone decides: a client that computes its operations anew for a retry
// is told of the ones that were applied. With an id and a reply but without operations the reply is
// kept alone: whoever comes with the id later gets it, and nothing is applied under it. Without a
// reply, too, it only asks whether that id is known.
struct batch_request {
  std::vector<batch_operation> ops = {};
  std::string request_id = {};  // "" for none
  json::value reply = nullptr;

  // Whether the id is known from here on.
  bool is_recorded() const { return !request_id.empty() && (!ops.empty() || !reply.is_null()); }
};

struct batch_reply {
  std::vector<outcome> results = {};  // one for each operation; of a replayed one, see below
  bool replayed = false;              // the request_id had been applied before
  json::value reply = nullptr;        // what was stored then; null unless replayed
  // Of a replayed request, the results of then: of the operations that were applied, which need not
  // be those asked now. Empty if they were longer than max_value. `results` has them too, where
  // they fit what was asked.
  json::array stored_results = {};
};

// Writes a batch_request as a list of sentences; expect_affected() speaks of the operation before:
//
//   db::batch ops;
//   ops.update("channel", {{"channel", name}, {"version", 7}}, {{"$inc", {{"version", 1}}}})
//       .expect_affected(1);
//   ops.insert("queue", {{"channel", name}, {"title", title}});
//   ops.request_id(id).reply(answer);
class batch {
 public:
  batch& insert(std::string table, json::object values) {
    return add(insert_request{std::move(table), {std::move(values)}, false});
  }
  batch& insert_many(std::string table, std::vector<json::object> rows) {
    return add(insert_request{std::move(table), std::move(rows), true});
  }
  batch& select(select_request request) { return add(std::move(request)); }
  batch& update(std::string table, json::object filter, json::object update, bool upsert = false) {
    return add(update_request{std::move(table), std::move(filter), std::move(update), upsert});
  }
  batch& upsert(std::string table, json::object filter, json::object change) {
    return update(std::move(table), std::move(filter), std::move(change), true);
  }
  batch& remove(std::string table, json::object filter) {
    return add(delete_request{std::move(table), std::move(filter), false});
  }
  batch& kv_get(std::string key) { return add(kv_get_request{std::move(key)}); }
  batch& kv_set(std::string key, json::value value, std::optional<std::int64_t> ttl_seconds = {},
                std::optional<std::int64_t> if_revision = {}) {
    return add(kv_set_request{std::move(key), std::move(value), ttl_seconds, if_revision});
  }
  batch& kv_delete(std::string key, std::optional<std::int64_t> if_revision = {}) {
    return add(kv_delete_request{std::move(key), if_revision});
  }

  // Of the operation added last.
  batch& expect_affected(std::int64_t rows) {
    if (!request_.ops.empty()) request_.ops.back().expect_affected = rows;
    return *this;
  }

  batch& request_id(std::string id) {
    request_.request_id = std::move(id);
    return *this;
  }
  batch& reply(json::value answer) {
    request_.reply = std::move(answer);
    return *this;
  }

  // The position that the next operation will have; failure::op speaks of positions.
  std::size_t size() const { return request_.ops.size(); }
  const batch_request& request() const { return request_; }

 private:
  batch& add(operation what) {
    request_.ops.push_back({std::move(what), {}});
    return *this;
  }

  batch_request request_;
};

inline json::object to_json(const batch_request& request) {
  json::array ops;
  for (const batch_operation& each : request.ops) {
    json::object op = std::visit([](const auto& what) { return to_json(what); }, each.what);
    op["op"] = name_of(each.what);
    if (each.expect_affected) op["expect"] = json::object{{"affected", *each.expect_affected}};
    ops.push_back(std::move(op));
  }
  json::object object;
  object["ops"] = std::move(ops);
  if (!request.request_id.empty()) {
    object["request_id"] = request.request_id;
    object["reply"] = request.reply;
  }
  return object;
}

// `name` is one of operation_names.
inline result<operation> decode_operation(std::string_view name, json::object object) {
  const auto as_operation = [](auto decoded) -> result<operation> {
    if (!decoded) return decoded.error();
    return operation(std::move(*decoded));
  };
  if (name == "insert") return as_operation(decode_insert(std::move(object)));
  if (name == "select") return as_operation(decode_select(std::move(object)));
  if (name == "update") return as_operation(decode_update(std::move(object)));
  if (name == "delete") return as_operation(decode_delete(std::move(object)));
  if (name == "kv.get") return as_operation(decode_kv_get(std::move(object)));
  if (name == "kv.set") return as_operation(decode_kv_set(std::move(object)));
  if (name == "kv.delete") return as_operation(decode_kv_delete(std::move(object)));
  if (name == "kv.list") return as_operation(decode_kv_list(std::move(object)));
  return invalid("There is no operation '" + shortened(name) + "'");
}

inline boost::system::result<batch_operation, failure> decode_batch_operation(
    json::value value, std::size_t position) {
  auto* object = value.if_object();
  if (!object) return failure(invalid("Each of 'ops' must be an object"), position);
  reader in(*object);
  const std::string name = in.text("op");
  json::object expect = in.object_or_empty("expect");
  if (in.failed()) return failure(in.failure(), position);
  const bool has_expectation = in.has("expect");
  auto what = decode_operation(name, std::move(*object));
  if (!what) return failure(what.error(), position);

  batch_operation op{std::move(*what), {}};
  if (has_expectation) {
    reader expected(expect);
    op.expect_affected = expected.integer("affected", 0);
    if (expected.failed()) return failure(expected.failure(), position);
  }
  return op;
}

inline boost::system::result<batch_request, failure> decode_batch(json::object object) {
  reader in(object);
  batch_request request;
  json::array ops = in.array("ops");
  if (in.has("request_id")) request.request_id = in.name("request_id");
  if (auto* reply = object.if_contains("reply")) request.reply = std::move(*reply);
  if (request.request_id.find('\0') != std::string::npos) {
    in.fail("'request_id' must not contain U+0000");
  }
  if (ops.size() > max_operations) {
    in.fail("'ops' must have at most " + std::to_string(max_operations) + " entries");
  }
  if (ops.empty() && request.request_id.empty()) in.fail("'ops' must not be empty");
  if (in.failed()) return failure(in.failure());
  for (json::value& each : ops) {
    auto op = decode_batch_operation(std::move(each), request.ops.size());
    if (!op) return op.error();
    request.ops.push_back(std::move(*op));
  }
  return request;
}

inline json::object to_json(const batch_reply& reply) {
  json::array results;
  for (const outcome& each : reply.results) results.push_back(to_json(each));
  json::object object;
  object["results"] = reply.replayed ? reply.stored_results : std::move(results);
  object["replayed"] = reply.replayed;
  if (reply.replayed) object["reply"] = reply.reply;
  return object;
}

// Throws malformed_reply.
inline outcome decode_result(const operation& asked, json::object object) {
  const auto as_outcome = [](auto decoded) -> outcome {
    if (!decoded) throw malformed_reply(decoded.error().message);
    return std::move(*decoded);
  };
  switch (asked.index()) {
    case 0:
      return as_outcome(decode_fields<insert_reply>(std::move(object)));
    case 1:
      return as_outcome(decode_fields<select_reply>(std::move(object)));
    case 2:
      return as_outcome(decode_fields<update_reply>(std::move(object)));
    case 3:
      return as_outcome(decode_fields<delete_reply>(std::move(object)));
    case 4:
      return as_outcome(decode_fields<kv_get_reply>(std::move(object)));
    case 5:
      return as_outcome(decode_fields<kv_set_reply>(std::move(object)));
    case 6:
      return as_outcome(decode_fields<kv_delete_reply>(std::move(object)));
    default:
      return as_outcome(decode_fields<kv_list_reply>(std::move(object)));
  }
}

// Throws malformed_reply.
inline std::vector<outcome> decode_results(json::array results,
                                           const std::vector<batch_operation>& asked) {
  if (results.size() != asked.size()) throw malformed_reply("'results' has the wrong length");
  std::vector<outcome> decoded;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!results[i].is_object()) throw malformed_reply("'results' must be a list of objects");
    decoded.push_back(decode_result(asked[i].what, std::move(results[i].get_object())));
  }
  return decoded;
}

// The answer to a batch of these operations, or its refusal. Throws malformed_reply.
inline boost::system::result<batch_reply, failure> decode_batch_reply(
    std::string_view payload, const std::vector<batch_operation>& asked) {
  auto answer = decode_answer(payload);
  if (!answer) return answer.error();
  reader in(*answer);
  batch_reply reply;
  reply.replayed = in.boolean("replayed");
  json::array results = in.array("results");
  if (in.failed()) throw malformed_reply(in.failure().message);
  if (reply.replayed) {
    if (auto* stored = answer->if_contains("reply")) reply.reply = std::move(*stored);
    reply.stored_results = results;
    try {
      reply.results = decode_results(results, asked);
    } catch (const malformed_reply&) {
      // Other operations were applied under this id.
    }
    return reply;
  }
  reply.results = decode_results(std::move(results), asked);
  return reply;
}

}  // namespace rosey::wire::db
