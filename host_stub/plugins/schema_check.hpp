// Brings a plugin's tables up to date before anything of it runs, or says why that cannot be.
#pragma once

#include "host_stub/bus/connection.hpp"
#include "rosey/abi/plugin.h"
#include "rosey/wire/result.hpp"

namespace rosey::host {

// Asks storage to apply what is pending of the plugin's migrations, if it may do so by itself, and
// waits for it; then to hold what the plugin needs. Fails with a sentence that names the file, or
// both versions, and what to do. Where storage is away the plugin may start: it has to live without
// it anyway.
result<void> check_schema(connection& bus, const rosey_plugin& plugin);

}  // namespace rosey::host
