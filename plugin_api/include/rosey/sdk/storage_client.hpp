// A plugin's tables and keys, kept by the storage service on the other side of the bus.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "rosey/sdk/message_bus.hpp"
#include "rosey/wire/storage.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::sdk {

namespace db = wire::db;

// Storage gave no answer, or none that says what the request did. After a timeout the request may
// still be carried out: only a batch with a request_id is safe to send again.
struct storage_unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A refusal (CONFLICT, CONSTRAINT, VALIDATION_ERROR, …) is the value of the result; no answer,
// BUSY and DATABASE_ERROR throw storage_unavailable. Cancelling the coroutine throws
// boost::system::system_error with operation_aborted. Must outlive its operations.
//
// Build filters and values before the co_await: GCC 12 miscompiles initializer lists inside one.
class storage_client {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using batch_result = boost::system::result<db::batch_reply, db::failure>;

  storage_client(message_bus& bus, std::string plugin, std::chrono::milliseconds timeout)
      : bus_(bus), plugin_(std::move(plugin)), timeout_(timeout) {}

  awaitable<result<db::select_reply>> select(db::select_request request) {
    return row<db::select_reply>("select", request);
  }

  awaitable<result<db::insert_reply>> insert(std::string table, wire::json::object values) {
    return row<db::insert_reply>("insert",
                                 db::insert_request{std::move(table), {std::move(values)}, false});
  }

  awaitable<result<db::insert_reply>> insert_many(std::string table,
                                                  std::vector<wire::json::object> rows) {
    return row<db::insert_reply>("insert",
                                 db::insert_request{std::move(table), std::move(rows), true});
  }

  awaitable<result<db::update_reply>> update(std::string table, wire::json::object filter,
                                             wire::json::object change, bool upsert = false) {
    return row<db::update_reply>("update", db::update_request{std::move(table), std::move(filter),
                                                              std::move(change), upsert});
  }

  // An empty filter is refused.
  awaitable<result<db::delete_reply>> remove(std::string table, wire::json::object filter) {
    return row<db::delete_reply>("delete",
                                 db::delete_request{std::move(table), std::move(filter), false});
  }

  awaitable<result<db::kv_get_reply>> kv_get(std::string key) {
    return kv<db::kv_get_reply>("get", db::kv_get_request{std::move(key)});
  }

  awaitable<result<db::kv_set_reply>> kv_set(std::string key, wire::json::value value,
                                             std::optional<std::int64_t> ttl_seconds = {},
                                             std::optional<std::int64_t> if_revision = {}) {
    return kv<db::kv_set_reply>(
        "set", db::kv_set_request{std::move(key), std::move(value), ttl_seconds, if_revision});
  }

  awaitable<result<db::kv_delete_reply>> kv_delete(std::string key,
                                                   std::optional<std::int64_t> if_revision = {}) {
    return kv<db::kv_delete_reply>("delete", db::kv_delete_request{std::move(key), if_revision});
  }

  awaitable<result<db::kv_list_reply>> kv_list(db::kv_list_request request) {
    return kv<db::kv_list_reply>("list", request);
  }

  awaitable<batch_result> batch(db::batch ops) { return run_batch(ops.request()); }

  // Whether a batch with this id was applied, and the reply that it stored.
  awaitable<batch_result> find_request(std::string request_id) {
    db::batch_request look_up;
    look_up.request_id = std::move(request_id);
    return run_batch(std::move(look_up));
  }

 private:
  template <class Reply, class Request>
  awaitable<result<Reply>> row(std::string_view operation, const Request& request) {
    return run_one<Reply>(wire::subjects::row(plugin_, operation),
                          wire::json::serialize(db::to_json(request)));
  }

  template <class Reply, class Request>
  awaitable<result<Reply>> kv(std::string_view operation, const Request& request) {
    return run_one<Reply>(wire::subjects::kv(plugin_, operation),
                          wire::json::serialize(db::to_json(request)));
  }

  template <class Reply>
  awaitable<result<Reply>> run_one(std::string subject, std::string payload) {
    if (payload.size() > db::max_request) co_return too_large(payload);
    const std::string answer = co_await request(std::move(subject), std::move(payload));
    try {
      auto reply = db::decode_reply<Reply>(answer);
      if (!reply) throw_if_unavailable(reply.error());
      co_return reply;
    } catch (const db::malformed_reply& unexpected) {
      throw storage_unavailable(malformed(unexpected));
    }
  }

  awaitable<batch_result> run_batch(db::batch_request ops) {
    std::string payload = wire::json::serialize(db::to_json(ops));
    if (payload.size() > db::max_request) co_return db::failure(too_large(payload));
    const std::string answer = co_await request(wire::subjects::batch(plugin_), std::move(payload));
    try {
      auto reply = db::decode_batch_reply(answer, ops.ops);
      if (!reply) throw_if_unavailable(reply.error());
      co_return reply;
    } catch (const db::malformed_reply& unexpected) {
      throw storage_unavailable(malformed(unexpected));
    }
  }

  awaitable<std::string> request(std::string subject, std::string payload) {
    auto [failure, answer] =
        co_await bus_.async_request(std::move(subject), std::move(payload), timeout_,
                                    boost::asio::as_tuple(boost::asio::use_awaitable));
    if (failure == boost::asio::error::operation_aborted) {
      throw boost::system::system_error(failure);
    }
    if (failure) throw storage_unavailable("Storage: " + failure.message());
    co_return std::move(answer);
  }

  static error too_large(const std::string& payload) {
    return {db::codes::value_too_large, "The request has " + std::to_string(payload.size()) +
                                            " bytes; at most " + std::to_string(db::max_request) +
                                            " are accepted"};
  }

  static void throw_if_unavailable(const error& refused) {
    if (refused.code == db::codes::busy || refused.code == db::codes::database_error) {
      throw storage_unavailable("Storage: " + refused.message);
    }
  }

  static std::string malformed(const db::malformed_reply& unexpected) {
    return std::string("Storage gave an answer that cannot be read: ") + unexpected.what();
  }

  message_bus& bus_;
  std::string plugin_;
  std::chrono::milliseconds timeout_;
};

}  // namespace rosey::sdk
