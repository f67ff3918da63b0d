// A plugin's tables and keys, kept by the storage service on the other side of the bus.
#pragma once

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rosey/sdk/failures.hpp"
#include "rosey/sdk/logger.hpp"
#include "rosey/sdk/message_bus.hpp"
#include "rosey/wire/storage.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::sdk {

namespace db = wire::db;

// A refusal (CONFLICT, CONSTRAINT, VALIDATION_ERROR, …) is the value of the result; no answer and
// DATABASE_ERROR throw storage_unavailable. BUSY has changed nothing, and often passes: it is
// asked again, less and less often, for at most two seconds, and then throws storage_busy.
// Cancelling the coroutine throws boost::system::system_error with operation_aborted. Must outlive
// its operations.
//
// A request, or its answer, can be lost with a connection. What is safe to do twice (what only
// reads, and a batch with a request_id) is sent once more when half of its time is over, after a
// second at most, and to all storage services. A batch that was applied at the first time then
// comes back as `replayed`: what you store as its reply has to say whether it was this very try (a
// random mark in it, say).
//
// Build filters and values before the co_await: GCC 12 miscompiles initializer lists inside one.
class storage_client {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using batch_result = boost::system::result<db::batch_reply, db::failure>;

  // An operation may take `timeout`, however often storage is asked for it. While storage is away
  // the log has a line when that begins, one a minute, and one when it is over; whoever catches
  // storage_unavailable need not log it again.
  storage_client(message_bus& bus, std::string plugin, std::chrono::milliseconds timeout,
                 logger log = {})
      : bus_(bus), plugin_(std::move(plugin)), timeout_(timeout), log_(std::move(log)) {}

  awaitable<result<db::select_reply>> select(db::select_request request) {
    return row<db::select_reply>("select", request, repeat::yes);
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
    return kv<db::kv_get_reply>("get", db::kv_get_request{std::move(key)}, repeat::yes);
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
    return kv<db::kv_list_reply>("list", request, repeat::yes);
  }

  awaitable<batch_result> batch(db::batch ops) { return run_batch(ops.request()); }

  // Whether a batch with this id was applied, and the reply that it stored.
  awaitable<batch_result> find_request(std::string request_id) {
    db::batch_request look_up;
    look_up.request_id = std::move(request_id);
    return run_batch(std::move(look_up));
  }

  // Keeps the reply, which is not null, under this id: no batch with it will be applied. Replayed,
  // with the reply of then, if the id is known already.
  awaitable<batch_result> keep_reply(std::string request_id, wire::json::value reply) {
    db::batch_request answer;
    answer.request_id = std::move(request_id);
    answer.reply = std::move(reply);
    return run_batch(std::move(answer));
  }

  // Bytes of the largest request that storage, and the NATS server on the way, take. What is larger
  // is refused here with VALUE_TOO_LARGE.
  std::size_t max_request() const { return std::min(db::max_request, bus_.max_payload()); }

 private:
  // Whether it may be done twice.
  enum class repeat { no, yes };

  template <class Reply, class Request>
  awaitable<result<Reply>> row(std::string_view operation, const Request& request,
                               repeat again = repeat::no) {
    return run_one<Reply>(wire::subjects::row(plugin_, operation),
                          wire::json::serialize(db::to_json(request)), again);
  }

  template <class Reply, class Request>
  awaitable<result<Reply>> kv(std::string_view operation, const Request& request,
                              repeat again = repeat::no) {
    return run_one<Reply>(wire::subjects::kv(plugin_, operation),
                          wire::json::serialize(db::to_json(request)), again);
  }

  template <class Reply>
  awaitable<result<Reply>> run_one(std::string subject, std::string payload, repeat again) {
    if (payload.size() > max_request()) co_return too_large(payload);
    const std::string answer = co_await request(std::move(subject), std::move(payload), again);
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
    if (payload.size() > max_request()) co_return db::failure(too_large(payload));
    const repeat again = may_be_repeated(ops) ? repeat::yes : repeat::no;
    const std::string answer =
        co_await request(wire::subjects::batch(plugin_), std::move(payload), again);
    try {
      auto reply = db::decode_batch_reply(answer, ops.ops);
      if (!reply) throw_if_unavailable(reply.error());
      co_return reply;
    } catch (const db::malformed_reply& unexpected) {
      throw storage_unavailable(malformed(unexpected));
    }
  }

  static bool may_be_repeated(const db::batch_request& batch) {
    if (!batch.request_id.empty()) return true;
    return std::all_of(batch.ops.begin(), batch.ops.end(), [](const db::batch_operation& each) {
      return std::holds_alternative<db::select_request>(each.what) ||
             std::holds_alternative<db::kv_get_request>(each.what) ||
             std::holds_alternative<db::kv_list_request>(each.what);
    });
  }

  awaitable<std::string> request(std::string subject, std::string payload, repeat again) {
    using std::chrono::milliseconds;
    using clock = std::chrono::steady_clock;
    const auto last_answer_by = clock::now() + std::min(timeout_, longest_insistence);
    milliseconds left = timeout_;
    bool was_busy = false;
    for (milliseconds pause = shortest_pause;; pause = std::min(2 * pause, longest_pause)) {
      const auto asked = clock::now();
      request_patience patience(left);
      if (again == repeat::yes) {
        patience.again_after = std::min(left / 2, longest_unrepeated);
        patience.again_on = wire::subjects::again(subject);
      }
      auto [failure, answer] = co_await bus_.async_request(
          subject, payload, patience, boost::asio::as_tuple(boost::asio::use_awaitable));
      if (failure) throw_failure(failure, subject, was_busy);
      note_answer(answer);
      if (db::refusal_code(answer) != db::codes::busy) co_return std::move(answer);
      was_busy = true;
      // Those that were refused together do not come back together.
      const milliseconds rest = pause / 2 + pause * (random_() % 64) / 128;
      const auto answered = clock::now();
      left = std::chrono::duration_cast<milliseconds>(last_answer_by - answered) - rest;
      // The next answer may take as long; nothing is to be carried out that nobody waits for.
      if (left <= answered - asked || left < shortest_pause) co_return std::move(answer);
      boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, rest);
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
  }

  void note_answer(std::string_view answer) const {
    const std::string_view refused = db::refusal_code(answer);
    if (refused == db::codes::busy || refused == db::codes::database_error) return;
    log_.settled(fault_kind, "storage answers again");
  }

  std::string noted(std::string sentence) const {
    log_.fault(fault_kind, sentence);
    return sentence;
  }

  [[noreturn]] void throw_failure(boost::system::error_code failure, const std::string& subject,
                                  bool was_busy) const {
    if (failure == boost::asio::error::operation_aborted) {
      throw boost::system::system_error(failure);
    }
    const bool is_absent = failure == make_error_code(bus_errc::no_responders);
    const std::string sentence =
        noted("Storage: " + (is_absent ? "nobody listens on " + subject : failure.message()));
    const bool silent = !was_busy && failure == make_error_code(bus_errc::timed_out);
    if (silent) throw storage_timed_out(sentence);
    throw storage_unavailable(sentence);
  }

  error too_large(const std::string& payload) const {
    return {db::codes::value_too_large, "The request has " + std::to_string(payload.size()) +
                                            " bytes; at most " + std::to_string(max_request()) +
                                            " are accepted"};
  }

  void throw_if_unavailable(const error& refused) const {
    const std::string sentence = "Storage: " + refused.message;
    if (refused.code == db::codes::busy) throw storage_busy(noted(sentence));
    if (refused.code == db::codes::database_error) throw storage_unavailable(noted(sentence));
  }

  std::string malformed(const db::malformed_reply& unexpected) const {
    return noted(std::string("Storage gave an answer that cannot be read: ") + unexpected.what());
  }

  static constexpr char fault_kind[] = "storage";
  static constexpr std::chrono::milliseconds shortest_pause{20};
  static constexpr std::chrono::milliseconds longest_pause{500};
  static constexpr std::chrono::milliseconds longest_insistence{2000};
  static constexpr std::chrono::milliseconds longest_unrepeated{1000};

  message_bus& bus_;
  std::string plugin_;
  std::chrono::milliseconds timeout_;
  logger log_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace rosey::sdk
