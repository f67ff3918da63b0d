#include "bench/figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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
  using cells = std::array<std::string, 7>;
  std::vector<cells> lines{
      {"figure", "measured", "beside its limit", "limit", "ratio", "must reach", "reached"}};
  std::vector<std::string> notes;
  for (const figure& row : rows) {
    std::string what = row.what;
    if (!row.note.empty()) {
      auto known = std::find(notes.begin(), notes.end(), row.note);
      if (known == notes.end()) known = notes.insert(notes.end(), row.note);
      what += fmt::format(" [{}]", known - notes.begin() + 1);
    }
    lines.push_back({what, number(row.value) + " " + row.unit, row.limit,
                     number(row.limit_value) + " " + row.unit, fmt::format("{:.3g}", row.ratio()),
                     fmt::format("{} {:g}", sign(row), row.bound), row.reached() ? "yes" : "no"});
  }
  std::size_t first = 0, third = 0;  // widths of the columns that differ much
  for (const cells& line : lines) {
    first = std::max(first, line[0].size());
    third = std::max(third, line[2].size());
  }
  std::string text;
  for (const cells& line : lines) {
    text += fmt::format("{:<{}}  {:>9}  {:<{}}  {:>9}  {:>7}  {:<10}  {}\n", line[0], first,
                        line[1], line[2], third, line[3], line[4], line[5], line[6]);
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
