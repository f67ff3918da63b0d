// Changes texts in ways that readers of bytes and of JSON get wrong; the same in every run from the
// same seed.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace rosey::tests {

class mutator {
 public:
  explicit mutator(unsigned seed) : random_(seed) {}

  // `text` with one to four changes; `other` is another good text, of which it may get a part.
  std::string operator()(std::string_view text, std::string_view other);

  std::size_t below(std::size_t bound) { return random_() % bound; }

 private:
  void change_bytes(std::string& text, std::string_view other);
  // False if it is no JSON.
  bool change_json(std::string& text);
  void change(boost::json::value& value, int depth);
  boost::json::value hostile_value();

  // Not with a std distribution: those may differ between standard libraries.
  std::mt19937 random_;
};

}  // namespace rosey::tests
