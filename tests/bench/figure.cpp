#include "bench/figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>

namespace rosey::bench {
namespace {

std::string number(double value) {
  const int digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return fmt::format("{:.{}f}", value, digits);
}

const char* sign(const figure& row) {
  return row.wanted == figure::side::at_most ? "≤" : "≥";
}

}  // namespace

std::string as_table(const figures& rows) {
  static constexpr char line[] = "{:<47} {:>8} {:<4} {:<57} {:>8} {:>7}  {:<7} {}\n";
  std::string text = fmt::format(line, "figure", "measured", "", "beside its limit", "limit",
                                 "ratio", "must", "reached");
  std::vector<std::string> notes;
  for (const figure& row : rows) {
    std::string what = row.what;
    if (!row.note.empty()) {
      auto known = std::find(notes.begin(), notes.end(), row.note);
      if (known == notes.end()) known = notes.insert(notes.end(), row.note);
      what += fmt::format(" [{}]", known - notes.begin() + 1);
    }
    text += fmt::format(line, what, number(row.value), row.unit, row.limit, number(row.limit_value),
                        fmt::format("{:.3g}", row.ratio()),
                        fmt::format("{} {:g}", sign(row), row.bound), row.reached() ? "yes" : "no");
  }
  for (std::size_t i = 0; i < notes.size(); ++i) text += fmt::format("[{}] {}\n", i + 1, notes[i]);
  return text;
}

std::string as_json(const figures& rows) {
  std::string text = "[";
  for (const figure& row : rows) {
    const boost::json::object object{
        {"id", row.id},
        {"figure", row.what},
        {"unit", row.unit},
        {"value", row.value},
        {"limit", row.limit},
        {"limit_value", row.limit_value},
        {"ratio", row.ratio()},
        {"wanted", row.wanted == figure::side::at_most ? "at_most" : "at_least"},
        {"bound", row.bound},
        {"reached", row.reached()},
        {"note", row.note}};
    text += (text.size() > 1 ? ",\n " : "\n ") + boost::json::serialize(object);
  }
  return text + "\n]\n";
}

double quantile(std::vector<double> values, double part) {
  if (values.empty()) throw std::runtime_error("nothing was measured");
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(part * last + 0.5)];
}

}  // namespace rosey::bench
