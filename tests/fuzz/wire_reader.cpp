// What every decoder of messages promises: a refusal is a sentence, and what was accepted is the
// same when it is written and read again.
#include <boost/json/serialize.hpp>

#include "fuzz/readers.hpp"
#include "fuzz/wire_seeds.hpp"
#include "rosey/wire/command.hpp"
#include "rosey/wire/presence.hpp"
#include "rosey/wire/storage.hpp"
#include "rosey/wire/storage_migrate.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;
namespace db = wire::db;

std::string broken_by_wire_refusal(const error& why) {
  if (why.code.empty()) return "a refusal has a code";
  if (why.message.empty()) return "a refusal has a sentence";
  if (!wire::is_valid_utf8(why.message)) return "a refusal is valid UTF-8";
  return {};
}

// `decode` reads a payload, `write` makes one of what was read.
template <class Decode, class Write>
std::string broken_by_message(std::string_view payload, Decode decode, Write write) {
  const auto first = decode(payload);
  if (!first) return broken_by_wire_refusal(first.error());
  const std::string written = write(*first);
  const auto second = decode(written);
  if (!second) return "what was written is read again: " + second.error().message;
  if (write(*second) != written) return "what was read again is the same: " + written;
  return {};
}

// Deep enough for whatever was accepted and is wrapped once more.
result<json::object> object_of_any_size(std::string_view payload) {
  return wire::parse_object(payload, 16 * db::max_request, {}, wire::max_answer_depth);
}

std::string broken_by_operation(std::string_view name, std::string_view payload) {
  return broken_by_message(
      payload,
      [name](std::string_view text) -> result<db::operation> {
        auto object = object_of_any_size(text);
        if (!object) return object.error();
        return db::decode_operation(name, std::move(*object));
      },
      [](const db::operation& read) {
        return json::serialize(std::visit([](const auto& what) { return to_json(what); }, read));
      });
}

std::string broken_by_batch(std::string_view payload) {
  return broken_by_message(
      payload,
      [](std::string_view text) -> boost::system::result<db::batch_request, db::failure> {
        auto object = object_of_any_size(text);
        if (!object) return db::failure(object.error());
        return db::decode_batch(std::move(*object));
      },
      [](const db::batch_request& read) { return json::serialize(to_json(read)); });
}

std::string broken_by_migrate(std::string_view payload) {
  return broken_by_message(
      payload,
      [](std::string_view text) -> result<db::migrate_request> {
        auto object = object_of_any_size(text);
        if (!object) return object.error();
        return db::decode_migrate(std::move(*object));
      },
      [](const db::migrate_request& read) { return json::serialize(to_json(read)); });
}

// Answers come from storage, which is trusted to be storage: what is none is thrown out.
std::string broken_by_answer(std::string_view payload) {
  try {
    const auto answer = db::decode_answer(payload);
    if (!answer && !wire::is_valid_utf8(answer.error().message)) return "an error is valid UTF-8";
    static_cast<void>(db::decode_reply<db::select_reply>(payload));
  } catch (const db::malformed_reply& why) {
    if (!wire::is_valid_utf8(why.what())) return "a refusal is valid UTF-8";
  }
  return {};
}

// Of messages whose fields are written as they came.
template <class Decode, class Write>
std::string broken_by_plain_message(std::string_view payload, Decode decode, Write write) {
  if (auto broken = broken_by_message(payload, decode, write); !broken.empty()) return broken;
  const auto read = decode(payload);
  if (!read) return {};
  const json::object sent = *object_of_any_size(payload);
  const json::object written = *object_of_any_size(write(*read));
  for (const auto& field : written) {
    const json::value* before = sent.if_contains(field.key());
    if (before && !before->is_null() && *before != field.value()) {
      return "what was read is what was sent: " + std::string(field.key());
    }
  }
  return {};
}

std::string broken_by_wire(std::string_view payload) {
  std::string broken = broken_by_plain_message(payload, &wire::decode_command,
                                               [](const auto& read) { return wire::encode(read); });
  if (broken.empty()) {
    broken = broken_by_plain_message(payload, &wire::decode_presence,
                                     [](const auto& read) { return wire::encode(read); });
  }
  if (broken.empty()) {
    broken = broken_by_plain_message(
        payload, [](std::string_view text) { return wire::decode_reply(text); },
        [](const auto& read) { return json::serialize(wire::to_json(read)); });
  }
  for (const std::string_view name : db::operation_names) {
    if (broken.empty()) broken = broken_by_operation(name, payload);
  }
  if (broken.empty()) broken = broken_by_batch(payload);
  if (broken.empty()) broken = broken_by_migrate(payload);
  if (broken.empty()) broken = broken_by_answer(payload);
  return broken;
}

std::vector<std::string> payloads() {
  std::vector<std::string> all;
  for (const wire_seed& seed : wire_seeds()) all.push_back(seed.payload);
  all.emplace_back(R"({"success": true, "message": "Skipped", "data": {"votes": 2}})");
  all.emplace_back(
      R"({"success": false, "error": {"code": "CONFLICT", "message": "No", "op": 1}})");
  all.emplace_back(R"({"success": true, "rows": [{"id": 1}], "count": 1, "truncated": false})");
  return all;
}

}  // namespace

const reader_under_test wire_reader{"wire", &broken_by_wire, &payloads};

}  // namespace rosey::tests
