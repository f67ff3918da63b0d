// Conversion by the kind of the column.
#include "host_stub/storage/column_value.hpp"

#include <fmt/format.h>

#include <cmath>

#include "host_stub/storage/session.hpp"
#include "host_stub/storage/timestamp.hpp"

namespace rosey::storage {

namespace {

std::string_view expectation(column_kind kind) {
  switch (kind) {
    case column_kind::boolean:
      return "true or false";
    case column_kind::integer:
      return "a whole number of 64 bits";
    case column_kind::real:
      return "a number";
    case column_kind::text:
      return "a string";
    case column_kind::timestamp:
      return "an ISO 8601 timestamp like \"2024-05-01T12:00:00Z\" or whole seconds since 1970";
    case column_kind::unsupported:
      break;
  }
  return "nothing";
}

std::string_view description(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
      return "a whole number";
    case json::kind::uint64:
      return "a number beyond 64 bits";
    case json::kind::double_:
      return "a number with a fraction";
    case json::kind::string:
      return "this string";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "this";
}

error mistyped(const column& into, const json::value& value) {
  return db::invalid(fmt::format("Column '{}' takes {}, not {}", into.name, expectation(into.kind),
                                 description(value)));
}

std::optional<error> check_text(const column& into, const json::string& text) {
  if (text.size() > db::max_value) {
    return error{db::codes::value_too_large,
                 fmt::format("The text for column '{}' has {} bytes; at most {} are accepted",
                             into.name, text.size(), db::max_value)};
  }
  // Not every database can hold it, and most programs that read texts stop there.
  if (text.find('\0') != json::string::npos) {
    return db::invalid(fmt::format("The text for column '{}' must not contain U+0000", into.name));
  }
  return std::nullopt;
}

std::optional<timestamp> as_timestamp(const json::value& value) {
  if (value.is_string()) return parse_timestamp(value.get_string());
  if (value.is_int64()) return timestamp_from_seconds(value.get_int64());
  return std::nullopt;
}

std::size_t encoded_size(std::string_view text) {
  std::size_t size = 2 + text.size();
  for (const unsigned char c : text) {
    if (c < 0x20) {
      size += 5;
    } else if (c == '"' || c == '\\') {
      ++size;
    }
  }
  return size;
}

}  // namespace

result<sql_value> to_sql(const column& into, const json::value& value) {
  sql_value converted;
  if (value.is_null()) return converted;
  switch (into.kind) {
    case column_kind::boolean:
      if (value.is_bool()) converted = value.get_bool();
      break;
    case column_kind::integer:
      if (value.is_int64()) converted = value.get_int64();
      break;
    case column_kind::real:
      // What is too large for a real was read as infinity.
      if (value.is_number() && std::isfinite(value.to_number<double>())) {
        converted = value.to_number<double>();
      }
      break;
    case column_kind::text:
      if (const auto* text = value.if_string()) {
        if (auto refused = check_text(into, *text)) return *refused;
        converted = std::string(*text);
      }
      break;
    case column_kind::timestamp:
      if (const auto time = as_timestamp(value)) converted = stored_form(*time);
      break;
    case column_kind::unsupported:
      break;
  }
  if (std::holds_alternative<sql_null>(converted)) return mistyped(into, value);
  return converted;
}

json::value to_json(column_kind kind, const sql_value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (kind == column_kind::timestamp) {
      if (const auto time = parse_timestamp(*text)) return json::value(iso_form(*time));
    }
    return json::value(*text);
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (kind == column_kind::boolean) return *number != 0;
    if (kind == column_kind::real) return static_cast<double>(*number);
    if (kind == column_kind::timestamp) {
      if (const auto time = timestamp_from_seconds(*number)) return json::value(iso_form(*time));
    }
    return *number;
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return std::isfinite(*number) ? json::value(*number) : json::value();  // JSON has no others
  }
  if (const auto* truth = std::get_if<bool>(&value)) return *truth;
  return nullptr;
}

json::value from_stored(const std::string& text) {
  boost::system::error_code failure;
  json::value value = wire::parse_json(text, failure, {}, wire::max_answer_depth);
  if (failure) {
    throw sql_failure(sql_failure_kind::broken,
                      "What is stored as JSON cannot be read: " + failure.message());
  }
  return value;
}

std::size_t encoded_size(const json::value& value) {
  constexpr std::size_t longest_number = 26;
  switch (value.kind()) {
    case json::kind::string:
      return encoded_size(std::string_view(value.get_string()));
    case json::kind::array: {
      std::size_t size = 2;
      for (const json::value& each : value.get_array()) size += encoded_size(each) + 1;
      return size;
    }
    case json::kind::object: {
      std::size_t size = 2;
      for (const auto& entry : value.get_object()) {
        size += encoded_size(std::string_view(entry.key())) + encoded_size(entry.value()) + 2;
      }
      return size;
    }
    default:
      return longest_number;
  }
}

}  // namespace rosey::storage
