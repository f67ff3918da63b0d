// The one sentence about what is another's.
#include "host_stub/storage/own_objects.hpp"

#include <fmt/format.h>

namespace rosey::storage {

std::string not_its_own(std::string_view plugin, std::string_view kind, std::string_view name) {
  // Without quotes SQL would subtract.
  const bool needs_quotes = plugin.find('-') != plugin.npos;
  return fmt::format(
      "it reaches the {} '{}', and a migration of '{}' may only reach what begins "
      "with '{}_'{}",
      kind, name, plugin, plugin, needs_quotes ? ", in double quotes" : "");
}

}  // namespace rosey::storage
