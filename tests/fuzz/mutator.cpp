#include "fuzz/mutator.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <iterator>
#include <limits>

namespace rosey::tests {
namespace {

namespace json = boost::json;
using namespace std::string_view_literals;

// Controls, what changes the direction of text, line ends of other alphabets, what is not UTF-8,
// wildcards of NATS, pieces of JSON and SQL.
constexpr std::string_view pieces[] = {"\0"sv,
                                       "\x1b[2J",
                                       "\xc2\x9b"
                                       "2J",
                                       "\xe2\x80\xae",
                                       "\xe2\x80\xa8",
                                       "\xff",
                                       "\xc3",
                                       "\xed\xa0\x80",
                                       "\xf4\x90\x80\x80",
                                       "\r\n",
                                       "\n",
                                       "\t",
                                       "*",
                                       ">",
                                       ".",
                                       "\"",
                                       "\\",
                                       "\\u0000",
                                       "\\ud800",
                                       "'",
                                       "--",
                                       "/*",
                                       "{",
                                       "}",
                                       "[",
                                       "]",
                                       ",",
                                       ":",
                                       "null",
                                       "true",
                                       "1e999",
                                       "-0",
                                       "18446744073709551616",
                                       "9223372036854775807",
                                       "0x10",
                                       "NaN",
                                       "$set",
                                       "$where",
                                       "\xef\xbb\xbf",
                                       "\U0001F4FA",
                                       "-- UP",
                                       "-- DOWN",
                                       ";",
                                       "..",
                                       "/",
                                       "%00",
                                       "https://",
                                       "yt:"};

constexpr int most_depth = 12;

}  // namespace

std::string mutator::operator()(std::string_view text, std::string_view other) {
  std::string changed(text);
  for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
    if (below(2) == 0 && change_json(changed)) continue;
    change_bytes(changed, other);
  }
  return changed;
}

void mutator::change_bytes(std::string& text, std::string_view other) {
  const std::size_t at = below(text.size() + 1);
  switch (below(8)) {
    case 0:
      text.insert(at, pieces[below(std::size(pieces))]);
      break;
    case 1:
      text.erase(at, 1 + below(8));
      break;
    case 2:
      text.insert(at, 1, static_cast<char>(below(256)));
      break;
    case 3:
      text = text.substr(0, at) + std::string(other.substr(below(other.size() + 1)));
      break;
    case 4:
      text.resize(at);
      break;
    case 5:
      text.insert(at, text.substr(below(text.size() + 1), below(64)));
      break;
    case 6:
      if (below(8) == 0) text.insert(at, std::string(below(100'000), at % 2 ? '[' : 'x'));
      break;
    default:
      if (at < text.size()) text[at] = static_cast<char>(below(256));
  }
}

bool mutator::change_json(std::string& text) {
  boost::system::error_code failure;
  json::value value = json::parse(text, failure);
  if (failure) return false;
  change(value, 0);
  text = json::serialize(value);
  return true;
}

// Goes down to some place, and changes that.
void mutator::change(json::value& value, int depth) {
  if (json::object* object = value.if_object(); object && !object->empty()) {
    const auto member = object->begin() + static_cast<std::ptrdiff_t>(below(object->size()));
    const std::string key(member->key());
    switch (below(depth < most_depth ? 6 : 3)) {
      case 0:
        object->erase(key);
        return;
      case 1:
        (*object)[pieces[below(std::size(pieces))]] = hostile_value();
        return;
      case 2:
        (*object)[key] = hostile_value();
        return;
      default:
        return change(member->value(), depth + 1);
    }
  }
  if (json::array* array = value.if_array(); array && !array->empty() && below(2) == 0) {
    return change((*array)[below(array->size())], depth + 1);
  }
  value = hostile_value();
}

json::value mutator::hostile_value() {
  switch (below(14)) {
    case 0:
      return nullptr;
    case 1:
      return below(2) == 0;
    case 2:
      return std::numeric_limits<std::int64_t>::min();
    case 3:
      return std::numeric_limits<std::uint64_t>::max();
    case 4:
      return -1;
    case 5:
      return 0;
    case 6:
      return 1e308;
    case 7:
      return 0.5;
    case 8:
      return json::object();
    case 9:
      return json::array{json::object{{"", nullptr}}, json::array()};
    case 10:
      return json::string(below(4) == 0 ? 40'000 : 300, 'x');
    case 11: {
      json::value nested = json::array();
      for (std::size_t depth = below(60); depth > 0; --depth) {
        json::array around;
        around.push_back(std::move(nested));
        nested = std::move(around);
      }
      return nested;
    }
    case 12:
      return "";
    default: {
      std::string text(pieces[below(std::size(pieces))]);
      text += pieces[below(std::size(pieces))];
      return json::string(text);
    }
  }
}

}  // namespace rosey::tests
