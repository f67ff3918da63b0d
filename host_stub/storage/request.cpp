// Decoding by subject.
#include "host_stub/storage/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/monotonic_resource.hpp>

#include "host_stub/storage/schema.hpp"

namespace rosey::storage {

namespace {

struct subject_parts {
  std::string_view family;  // row, kv, batch, migrate
  std::string_view plugin;
  std::string_view operation;  // "" of a batch
};

std::string_view next_token(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('.'), rest.size());
  const std::string_view token = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return token;
}

std::optional<subject_parts> split(std::string_view subject) {
  if (next_token(subject) != "db") return std::nullopt;
  subject_parts parts;
  parts.family = next_token(subject);
  parts.plugin = next_token(subject);
  parts.operation = subject;
  return parts;
}

std::optional<migrate_action> action_from(std::string_view name) {
  if (name == "apply") return migrate_action::apply;
  if (name == "rollback") return migrate_action::rollback;
  if (name == "status") return migrate_action::status;
  return std::nullopt;
}

// The name that the operation has in a batch, "" if the subject means none.
std::string operation_name(const subject_parts& parts) {
  std::string name(parts.operation);
  if (parts.family == "kv") {
    name = "kv." + name;
  } else if (parts.family != "row" || name.find('.') != std::string::npos) {
    return {};
  }
  const auto* end = std::end(db::operation_names);
  return std::find(std::begin(db::operation_names), end, name) == end ? std::string() : name;
}

result<data_request> decode_single(std::string_view name, json::object object) {
  auto operation = db::decode_operation(name, std::move(object));
  if (!operation) return operation.error();
  data_request single;
  single.work.ops.push_back({std::move(*operation), {}});
  return single;
}

}  // namespace

bool data_request::writes() const {
  const auto op_writes = [](const db::batch_operation& op) { return db::writes(op.what); };
  return work.is_recorded() || std::any_of(work.ops.begin(), work.ops.end(), op_writes);
}

bool data_request::is_one_statement() const {
  if (batch) return false;
  const db::operation& only = work.ops.front().what;
  const auto* insert = std::get_if<db::insert_request>(&only);
  return insert != nullptr && insert->rows.size() == 1;
}

boost::system::result<request, db::failure> decode_request(std::string_view subject,
                                                           std::string_view payload) {
  const auto parts = split(subject);
  const auto unknown = [subject] {
    return db::failure(
        db::invalid(fmt::format("Nothing is served on subject '{}'", db::shortened(subject))));
  };
  if (!parts) return unknown();
  if (!is_plugin_id(parts->plugin)) {
    return db::failure(
        db::invalid(fmt::format("'{}' is not a plugin's id", db::shortened(parts->plugin))));
  }
  // All that the message brings is taken from one piece of memory, and given back with it.
  auto object = db::parse_message(payload, json::make_shared_resource<json::monotonic_resource>());
  if (!object) return db::failure(object.error());
  request decoded;
  decoded.plugin = parts->plugin;

  if (parts->family == "batch" && parts->operation.empty()) {
    auto batch = db::decode_batch(std::move(*object));
    if (!batch) return batch.error();
    decoded.what = data_request{std::move(*batch), true};
    return decoded;
  }
  if (parts->family == "migrate") {
    const auto action = action_from(parts->operation);
    if (!action) return unknown();
    auto how = db::decode_migrate(std::move(*object));
    if (!how) return db::failure(how.error());
    decoded.what = migration_request{*action, *how};
    return decoded;
  }
  const std::string name = operation_name(*parts);
  if (name.empty()) return unknown();
  auto single = decode_single(name, std::move(*object));
  if (!single) return db::failure(single.error());
  decoded.what = std::move(*single);
  return decoded;
}

std::string encode_answer(const data_request& asked,
                          const boost::system::result<db::batch_reply, db::failure>& outcome) {
  if (!outcome) {
    db::failure refused = outcome.error();
    if (!asked.batch) refused.op.reset();
    return db::encode(refused);
  }
  if (asked.batch) return db::encode_success(db::to_json(*outcome));
  return db::encode_success(db::to_json(outcome->results.front()));
}

}  // namespace rosey::storage
