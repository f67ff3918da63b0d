// JSON text as a value, with each real as near to its text as a double can be: parse() of
// Boost 1.81 misses many by a bit, and reads what is too large for any as infinity, which JSON
// cannot tell.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

namespace rosey::wire {

namespace json = boost::json;

// Objects and lists within each other: of what is asked, and of answers, which wrap it.
inline constexpr std::size_t max_depth = 32;
inline constexpr std::size_t max_answer_depth = 2 * max_depth;

namespace detail {

// What Boost.JSON's basic_parser asks of a handler.
class exact_handler {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();
  using error_code = boost::system::error_code;
  using text = json::string_view;

  exact_handler(unsigned char* buffer, std::size_t size) : stack_({}, buffer, size) {}

  void use(json::storage_ptr memory) { stack_.reset(std::move(memory)); }
  json::value take() { return stack_.release(); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t count, error_code&) {
    stack_.push_object(count);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t count, error_code&) {
    stack_.push_array(count);
    return true;
  }
  bool on_key_part(text part, std::size_t, error_code&) { return push_part(part); }
  bool on_key(text part, std::size_t, error_code&) {
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(text part, std::size_t, error_code&) { return push_part(part); }
  bool on_string(text part, std::size_t, error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(text, error_code&) { return true; }  // never: the text comes in one piece
  bool on_int64(std::int64_t number, text, error_code&) {
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, text, error_code&) {
    stack_.push_uint64(number);
    return true;
  }
  bool on_double(double nearly, text digits, error_code& failure) {
    double exact = nearly;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), exact);
    const bool out_of_range = read.ec != std::errc();
    if (out_of_range && (nearly > 1 || nearly < -1)) {
      failure = json::error::exponent_overflow;
      return false;
    }
    stack_.push_double(out_of_range ? nearly : exact);  // too small for a double: zero, or almost
    return true;
  }
  bool on_bool(bool truth, error_code&) {
    stack_.push_bool(truth);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(text, error_code&) { return true; }
  bool on_comment(text, error_code&) { return true; }

 private:
  bool push_part(text part) {
    stack_.push_chars(part);
    return true;
  }

  json::value_stack stack_;
};

}  // namespace detail

// Null if it fails. What the value holds lives in `memory`.
inline json::value parse_json(std::string_view text, boost::system::error_code& failure,
                              json::storage_ptr memory = {}, std::size_t depth = max_depth) {
  unsigned char buffer[4096];  // enough for most messages
  json::parse_options options;
  options.max_depth = depth;
  json::basic_parser<detail::exact_handler> parser(options, buffer, sizeof buffer);
  parser.handler().use(std::move(memory));
  const std::size_t read = parser.write_some(false, text.data(), text.size(), failure);
  if (!failure && read < text.size()) failure = json::error::extra_data;
  if (failure) return nullptr;
  return parser.handler().take();
}

}  // namespace rosey::wire
