// Codes, limits and checked reading that all storage messages share.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rosey/wire/decode.hpp"
#include "rosey/wire/printable.hpp"
#include "rosey/wire/result.hpp"

namespace rosey::wire::db {

// Why the storage service refused a request.
namespace codes {
inline constexpr char invalid_json[] = "INVALID_JSON";
inline constexpr char missing_field[] = "MISSING_FIELD";
inline constexpr char unknown_table[] = "UNKNOWN_TABLE";
inline constexpr char unknown_column[] = "UNKNOWN_COLUMN";
inline constexpr char validation_error[] = "VALIDATION_ERROR";
inline constexpr char constraint[] = "CONSTRAINT";
inline constexpr char conflict[] = "CONFLICT";
inline constexpr char value_too_large[] = "VALUE_TOO_LARGE";
inline constexpr char busy[] = "BUSY";                      // try again later; nothing was changed
inline constexpr char database_error[] = "DATABASE_ERROR";  // whether it was applied is not known

inline constexpr std::string_view all[] = {
    invalid_json, missing_field, unknown_table,   unknown_column, validation_error,
    constraint,   conflict,      value_too_large, busy,           database_error};
}  // namespace codes

inline constexpr std::size_t max_request = 1024 * 1024;  // bytes; NATS' default max payload
inline constexpr std::size_t max_reply = 512 * 1024;     // bytes; longer results are truncated
inline constexpr std::size_t max_value = 64 * 1024;      // bytes of one text, or of one KV value
inline constexpr std::size_t max_operations = 1000;      // of one batch
inline constexpr std::size_t max_columns = 100;          // and as many aggregates, of one select
inline constexpr std::size_t max_message = 1000;         // bytes of a refusal's sentence

// A refusal; `op` is the position of the batch's operation that caused it.
struct failure : error {
  std::optional<std::size_t> op;

  failure() = default;
  failure(error why, std::optional<std::size_t> where = std::nullopt)
      : error(std::move(why)), op(where) {}
};

inline error invalid(std::string message) {
  return {codes::validation_error, std::move(message)};
}

// The beginning of a text of any length, for sentences that quote it. UTF-8 stays UTF-8.
inline std::string shortened(std::string_view text, std::size_t most = 100) {
  if (text.size() <= most) return std::string(text);
  return std::string(cut_utf8(text, most)) + "…";
}

inline std::string encode(const failure& refused) {
  json::object why{{"code", refused.code},
                   {"message", shortened(escaped(refused.message), max_message)}};
  if (refused.op) why["op"] = *refused.op;
  return json::serialize(json::object{{"success", false}, {"error", std::move(why)}});
}

// The code of what encode() wrote, "" for any other answer. Without parsing it: for counting.
inline std::string_view refusal_code(std::string_view answer) {
  constexpr std::string_view beginning = R"({"success":false,"error":{"code":")";
  if (!answer.starts_with(beginning)) return {};
  answer.remove_prefix(beginning.size());
  return answer.substr(0, answer.find('"'));
}

// Reads the fields of one storage message: an absent required field is MISSING_FIELD, one of the
// wrong kind VALIDATION_ERROR, and the first failure is the one that is kept. Values, objects and
// lists are moved out of the message, so each can be read once, and they may share its memory.
class reader {
 public:
  explicit reader(json::object& object) : object_(object), fields_(object) {}

  std::string text(std::string_view key) { return require(key) ? fields_.text(key) : ""; }

  // 1 to max_name bytes.
  std::string name(std::string_view key) {
    std::string value = text(key);
    if (!failed() && (value.empty() || value.size() > max_name)) {
      fail(quoted(key) + " must have 1 to " + std::to_string(max_name) + " bytes");
    }
    return value;
  }

  std::string text_or(std::string_view key, std::string_view fallback) {
    return fields_.text_or(key, fallback);
  }

  std::int64_t integer(std::string_view key, std::int64_t least) {
    return require(key) ? fields_.integer(key, least) : 0;
  }

  std::optional<std::int64_t> optional_integer(std::string_view key, std::int64_t least) {
    if (!fields_.find(key)) return std::nullopt;
    return fields_.integer(key, least);
  }

  bool boolean(std::string_view key) { return require(key) && fields_.boolean_or(key, false); }
  bool boolean_or(std::string_view key, bool fallback) { return fields_.boolean_or(key, fallback); }

  // Null is a value like any other here.
  json::value value(std::string_view key) {
    if (auto* found = object_.if_contains(key)) return std::move(*found);
    miss(key);
    return nullptr;
  }

  json::object object(std::string_view key) {
    return require(key) ? as_object(key) : json::object();
  }
  json::object object_or_empty(std::string_view key) {
    return fields_.find(key) ? as_object(key) : json::object();
  }

  json::array array(std::string_view key) {
    if (!require(key)) return {};
    json::value& found = object_.at(key);
    if (found.is_array()) return std::move(found.get_array());
    fail(quoted(key) + " must be a list");
    return {};
  }

  std::vector<std::string> texts_or_empty(std::string_view key) {
    std::vector<std::string> texts;
    if (!fields_.find(key)) return texts;
    for (const json::value& entry : array(key)) {
      if (entry.is_string()) {
        texts.emplace_back(entry.get_string());
      } else {
        fail(quoted(key) + " must be a list of strings");
      }
    }
    return texts;
  }

  bool has(std::string_view key) const { return fields_.find(key) != nullptr; }

  void fail(std::string message) {
    if (!failed()) fields_.fail(std::move(message));
  }
  bool failed() const { return missing_.has_value() || fields_.failed(); }
  error failure() const { return missing_ ? *missing_ : invalid(fields_.failure().message); }

 private:
  static std::string quoted(std::string_view key) { return "'" + std::string(key) + "'"; }

  bool require(std::string_view key) {
    if (fields_.find(key)) return true;
    miss(key);
    return false;
  }

  void miss(std::string_view key) {
    if (!failed()) missing_ = error{codes::missing_field, quoted(key) + " is missing"};
  }

  json::object as_object(std::string_view key) {
    json::value& found = object_.at(key);
    if (found.is_object()) return std::move(found.get_object());
    fail(quoted(key) + " must be an object");
    return {};
  }

  json::object& object_;
  field_reader fields_;
  std::optional<error> missing_;
};

// The object in a storage message, or INVALID_JSON. What is in it lives in `memory`.
inline result<json::object> parse_message(std::string_view payload, json::storage_ptr memory = {}) {
  auto object = parse_object(payload, max_request, std::move(memory));
  if (object) return object;
  if (payload.size() > max_request) return error{codes::value_too_large, object.error().message};
  return error{codes::invalid_json, object.error().message};
}

}  // namespace rosey::wire::db
