// Checked reading of JSON messages: every field is read by name and type, and the first one that is
// missing or mistyped is what the sender is told.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "rosey/wire/json_parse.hpp"
#include "rosey/wire/result.hpp"

namespace rosey::wire {

namespace json = boost::json;

// Bytes. A larger payload is refused before it is parsed.
inline constexpr std::size_t max_payload = 64 * 1024;

// Bytes. Channel and user names.
inline constexpr std::size_t max_name = 256;

inline result<json::object> parse_object(std::string_view payload, std::size_t limit = max_payload,
                                         json::storage_ptr memory = {},
                                         std::size_t depth = max_depth) {
  if (payload.size() > limit) {
    return error{codes::bad_request, "The request has " + std::to_string(payload.size()) +
                                         " bytes; at most " + std::to_string(limit) +
                                         " are accepted"};
  }
  boost::system::error_code failure;
  // Refuses invalid UTF-8 and deep nesting.
  json::value value = parse_json(payload, failure, std::move(memory), depth);
  if (failure) {
    return error{codes::bad_request, "The request is not valid JSON: " + failure.message()};
  }
  if (!value.is_object()) {
    return error{codes::bad_request, "The request must be a JSON object"};
  }
  return std::move(value.get_object());
}

// True for bytes that never belong into a name or a title: C0 controls and DEL.
inline bool has_control_characters(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return true;
  }
  return false;
}

// Reads the fields of one object. After a failure the readers return empty values and the first
// failure stays in failure(); so a decoder reads all its fields and asks once at the end.
class field_reader {
 public:
  explicit field_reader(const json::object& object) : object_(object) {}

  std::string text(std::string_view key) {
    const json::value* value = required(key);
    return value ? as_text(key, *value) : std::string();
  }

  std::string text_or(std::string_view key, std::string_view fallback) {
    const json::value* value = find(key);
    return value ? as_text(key, *value) : std::string(fallback);
  }

  std::optional<std::string> optional_text(std::string_view key) {
    const json::value* value = find(key);
    if (!value) return std::nullopt;
    return as_text(key, *value);
  }

  // A channel or user name: 1 to max_name bytes without control characters.
  std::string name(std::string_view key) {
    const json::value* value = required(key);
    if (!value) return {};
    std::string text = as_text(key, *value);
    if (failed()) return {};
    if (text.empty()) {
      fail(quoted(key) + " must not be empty");
    } else if (text.size() > max_name) {
      fail(quoted(key) + " is longer than " + std::to_string(max_name) + " bytes");
    } else if (has_control_characters(text)) {
      fail(quoted(key) + " must not contain control characters");
    }
    return failed() ? std::string() : text;
  }

  std::int64_t integer_or(std::string_view key, std::int64_t fallback,
                          std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                          std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
    const json::value* value = find(key);
    return value ? as_integer(key, *value, least, most) : fallback;
  }

  std::int64_t integer(std::string_view key,
                       std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                       std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
    const json::value* value = required(key);
    return value ? as_integer(key, *value, least, most) : 0;
  }

  bool boolean_or(std::string_view key, bool fallback) {
    const json::value* value = find(key);
    if (!value) return fallback;
    if (!value->is_bool()) {
      fail(quoted(key) + " must be true or false");
      return fallback;
    }
    return value->get_bool();
  }

  double number_or(std::string_view key, double fallback, double least, double most) {
    const json::value* value = find(key);
    if (!value) return fallback;
    boost::system::error_code failure;
    const double number = value->to_number<double>(failure);
    if (failure || !(number >= least && number <= most)) {
      fail(quoted(key) + " must be a number from " + shown(least) + " to " + shown(most));
      return fallback;
    }
    return number;
  }

  // Null is the same as absent.
  const json::value* find(std::string_view key) const {
    const json::value* value = object_.if_contains(key);
    return value && !value->is_null() ? value : nullptr;
  }

  void fail(std::string message) {
    if (!failure_) failure_ = error{codes::bad_request, std::move(message)};
  }

  bool failed() const { return failure_.has_value(); }
  const error& failure() const { return *failure_; }

 private:
  static std::string quoted(std::string_view key) { return "'" + std::string(key) + "'"; }

  static std::string shown(double number) {
    std::string text = std::to_string(number);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
  }

  const json::value* required(std::string_view key) {
    const json::value* value = find(key);
    if (!value) fail(quoted(key) + " is missing");
    return value;
  }

  std::string as_text(std::string_view key, const json::value& value) {
    if (value.is_string()) return std::string(value.get_string());
    fail(quoted(key) + " must be a string");
    return {};
  }

  std::int64_t as_integer(std::string_view key, const json::value& value, std::int64_t least,
                          std::int64_t most) {
    boost::system::error_code failure;
    const auto number = value.is_double() ? std::int64_t{} : value.to_number<std::int64_t>(failure);
    if (value.is_double() || failure || number < least || number > most) {
      fail(quoted(key) + " must be a whole number" + range(least, most));
      return 0;
    }
    return number;
  }

  static std::string range(std::int64_t least, std::int64_t most) {
    using limits = std::numeric_limits<std::int64_t>;
    if (most != limits::max()) {
      return " from " + std::to_string(least) + " to " + std::to_string(most);
    }
    return least != limits::min() ? " of at least " + std::to_string(least) : std::string();
  }

  const json::object& object_;
  std::optional<error> failure_;
};

}  // namespace rosey::wire
