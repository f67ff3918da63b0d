// Carrying out operations in a session's transaction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "host_stub/storage/session.hpp"

namespace rosey::storage {

// What an operation needs to know besides itself.
struct run_context {
  std::string plugin;
  std::int64_t now = 0;                     // milliseconds since 1970
  std::size_t reply_limit = db::max_reply;  // bytes of a whole answer
  // Bytes that answers may still take, beside what is around them.
  std::size_t reply_room = whole_room();

  std::size_t whole_room() const { return reply_limit - 256; }
};

// VALUE_TOO_LARGE when the answer no longer fits.
std::optional<error> take_room(run_context& context, std::size_t bytes);

// On a refusal the operation may have been carried out in part: the caller takes it back. A
// statement's failure is thrown as sql_failure.
result<db::insert_reply> run(session& in, const db::insert_request& request, run_context& context);
result<db::select_reply> run(session& in, const db::select_request& request, run_context& context);
result<db::update_reply> run(session& in, const db::update_request& request, run_context& context);
result<db::delete_reply> run(session& in, const db::delete_request& request, run_context& context);

result<db::kv_get_reply> run(session& in, const db::kv_get_request& request, run_context& context);
result<db::kv_set_reply> run(session& in, const db::kv_set_request& request, run_context& context);
result<db::kv_delete_reply> run(session& in, const db::kv_delete_request& request,
                                run_context& context);
result<db::kv_list_reply> run(session& in, const db::kv_list_request& request,
                              run_context& context);

using batch_result = boost::system::result<db::batch_reply, db::failure>;

// All operations, and the record of the request_id; the same rule for refusals. Throws sql_failure
// only when the database is at fault.
batch_result run_batch(session& in, const db::batch_request& request, run_context& context);

// What was stored at a time that is still to come was stored now: the clock was set back between
// two runs. Of one machine: others have clocks of their own.
void believe_clock(session& in, std::int64_t now);

// Deletes entries that expired before `now`, and requests recorded before `oldest_request`
// (milliseconds since 1970), a bounded number of each. True if there may be more.
bool sweep(session& in, std::int64_t now, std::int64_t oldest_request);

}  // namespace rosey::storage
