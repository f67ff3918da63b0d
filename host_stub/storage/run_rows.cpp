// Row operations: find the table, plan, execute.
#include <fmt/format.h>

#include "host_stub/storage/column_value.hpp"
#include "host_stub/storage/plan.hpp"
#include "host_stub/storage/run.hpp"

namespace rosey::storage {

namespace {

constexpr std::size_t longest_id = 21;  // bytes, with its comma

template <class Request>
auto planned(session& in, const Request& request, const run_context& context)
    -> decltype(plan(request, std::declval<const table&>(), in.language())) {
  using planned_request = decltype(plan(request, std::declval<const table&>(), in.language()));
  const auto attempt = [&](const schema& tables) -> planned_request {
    const auto found = tables.find(context.plugin, request.table);
    if (!found) return found.error();
    return plan(request, **found, in.language());
  };
  auto first = attempt(in.tables());
  if (first) return first;
  const std::string& code = first.error().code;
  const bool unknown = code == db::codes::unknown_table || code == db::codes::unknown_column;
  return unknown ? attempt(in.tables_anew()) : std::move(first);
}

// Where another transaction has just inserted the row, "do nothing" fails with a conflict, and the
// request, done again, updates it. Where an older row is in the way, the insert itself says so.
void insert_missing(session& in, const statement& insert) {
  statement careful = insert;
  careful.sql += " ON CONFLICT DO NOTHING";
  if (in.execute(careful) > 0 || in.execute(insert) > 0) return;
  throw sql_failure(sql_failure_kind::constraint, row_ignored);
}

}  // namespace

std::optional<error> take_room(run_context& context, std::size_t bytes) {
  if (bytes > context.reply_room) {
    return error{db::codes::value_too_large,
                 fmt::format("The answer would be longer than {} bytes", context.reply_limit)};
  }
  context.reply_room -= bytes;
  return std::nullopt;
}

result<db::insert_reply> run(session& in, const db::insert_request& request, run_context& context) {
  const auto inserts = planned(in, request, context);
  if (!inserts) return inserts.error();
  if (auto refused = take_room(context, inserts->rows.size() * longest_id)) return *refused;
  db::insert_reply reply;
  reply.many = request.many;
  reply.ids = in.insert_all(inserts->rows, inserts->fills_id);
  reply.created = static_cast<std::int64_t>(reply.ids.size());
  return reply;
}

result<db::select_reply> run(session& in, const db::select_request& request, run_context& context) {
  const auto select = planned(in, request, context);
  if (!select) return select.error();
  db::select_reply reply;
  bool endless_row = false;
  in.query(select->query, [&](const std::vector<sql_value>& values) {
    json::object row;
    for (std::size_t i = 0; i < values.size(); ++i) {
      row[select->outputs[i].name] = to_json(select->outputs[i].kind, values[i]);
    }
    const std::size_t size = encoded_size(row) + 1;
    if (size > context.reply_room) {
      reply.truncated = true;
      endless_row = size > context.whole_room();
      return false;
    }
    context.reply_room -= size;
    reply.rows.push_back(std::move(row));
    return true;
  });
  // Paging could never get past it.
  if (endless_row && reply.rows.empty()) {
    return error{db::codes::value_too_large,
                 fmt::format("A row of table '{}' is longer than a reply may be; select fewer "
                             "columns",
                             request.table)};
  }
  return reply;
}

result<db::update_reply> run(session& in, const db::update_request& request, run_context& context) {
  const auto change = planned(in, request, context);
  if (!change) return change.error();
  db::update_reply reply;
  reply.affected = in.execute(change->update);
  if (reply.affected == 0 && change->insert) {
    insert_missing(in, *change->insert);
    reply.affected = 1;
    reply.upserted = true;
  }
  return reply;
}

result<db::delete_reply> run(session& in, const db::delete_request& request, run_context& context) {
  const auto removal = planned(in, request, context);
  if (!removal) return removal.error();
  return db::delete_reply{in.execute(*removal)};
}

}  // namespace rosey::storage
