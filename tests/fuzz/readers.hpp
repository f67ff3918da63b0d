// Everything that reads what came from outside, and what must hold whatever that was.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rosey::tests {

struct reader_under_test {
  const char* name;
  // The rule that it broke; "" if none. Ends the process where memory is misused.
  std::string (*broken)(std::string_view input);
  std::vector<std::string> (*seeds)();  // good inputs, from which mutations start
};

extern const reader_under_test wire_reader;       // messages of plugins, chat and storage
extern const reader_under_test config_reader;     // rosey.json
extern const reader_under_test migration_reader;  // NNN_name.sql
extern const reader_under_test import_reader;     // lists of the old playlist

}  // namespace rosey::tests
