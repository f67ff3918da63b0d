// Valid requests on every subject, from which a fuzzer starts.
#pragma once

#include <string>
#include <vector>

namespace rosey::tests {

struct wire_seed {
  std::string subject;
  std::string payload;
};

// Those of the documentation, on the plugin "demo" where a plugin has tables, and those of the
// host. They follow each other on an empty database.
std::vector<wire_seed> wire_seeds();

// The migration of "demo" that the documentation shows.
std::string demo_migration();

}  // namespace rosey::tests
