// A row of the table: what was measured, the limit beside it, and what must be reached.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace rosey::bench {

struct figure {
  enum class side { at_most, at_least };

  std::string id;    // for machines
  std::string what;  // for people
  std::string unit;  // of both values
  double value = 0;
  std::string limit;  // what `limit_value` is of
  double limit_value = 0;
  side wanted = side::at_most;
  double bound = 1;       // of the ratio
  std::string note = {};  // what a reader has to know to compare it
  bool also = true;       // that what else must hold does; the note says what

  double ratio() const { return limit_value > 0 ? value / limit_value : 0; }
  bool reached() const {
    return also && (wanted == side::at_most ? ratio() <= bound : ratio() >= bound);
  }
};

using figures = std::vector<figure>;

std::string as_table(const figures& rows);
// An array of objects, a line each.
std::string as_json(const figures& rows);

// The value that so large a part (0 to 1) of them does not exceed. There must be some.
double quantile(std::vector<double> values, double part);
inline double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

}  // namespace rosey::bench
