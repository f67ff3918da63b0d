// Whether a plugin's table keeps the contract, as far as that can be seen without running it.
#pragma once

#include <string>

#include "rosey/abi/plugin.h"

namespace rosey::host {

// One sentence about the first thing that is wrong; "" if nothing is. Reads only the fields that
// lie inside the table's stated size.
std::string problem_with(const rosey_plugin* plugin);

}  // namespace rosey::host
