// An expected failure as a value: what went wrong, as a code for programs and a sentence for
// people.
#pragma once

#include <boost/system/result.hpp>
#include <boost/throw_exception.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace rosey {

struct error {
  // Not an aggregate: C++20 would let one be made from the code alone, and a result<std::string>
  // could then not tell its value from its error.
  error() = default;
  error(std::string failure_code, std::string sentence)
      : code(std::move(failure_code)), message(std::move(sentence)) {}

  std::string code;     // "bad_request": stable, lower case; codes:: has those of the commands
  std::string message;  // one sentence, without an emoji or a final newline

  friend bool operator==(const error&, const error&) = default;
};

// Found by boost::system::result when value() is asked of a failure.
[[noreturn]] inline void throw_exception_from_error(const error& failure,
                                                    const boost::source_location& where) {
  boost::throw_exception(std::runtime_error(failure.code + ": " + failure.message), where);
}

template <class T>
using result = boost::system::result<T, error>;

// Codes of command and service replies.
namespace codes {
inline constexpr char usage[] = "usage";
inline constexpr char bad_request[] = "bad_request";
inline constexpr char unrecognized_media[] = "unrecognized_media";
inline constexpr char media_type_not_allowed[] = "media_type_not_allowed";
inline constexpr char queue_full[] = "queue_full";
inline constexpr char quota_items[] = "quota_items";
inline constexpr char quota_duration[] = "quota_duration";
inline constexpr char rate_limited[] = "rate_limited";
inline constexpr char duplicate[] = "duplicate";
inline constexpr char not_found[] = "not_found";
inline constexpr char forbidden[] = "forbidden";
inline constexpr char nothing_playing[] = "nothing_playing";
inline constexpr char too_few_items[] = "too_few_items";
inline constexpr char storage_unavailable[] = "storage_unavailable";
inline constexpr char busy[] = "busy";
inline constexpr char too_large[] = "too_large";  // for one message
inline constexpr char internal[] = "internal";
}  // namespace codes

}  // namespace rosey
