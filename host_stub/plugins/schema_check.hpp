// Whether storage has the tables that a plugin was built for, before anything of it runs.
#pragma once

#include "host_stub/bus/connection.hpp"
#include "rosey/abi/plugin.h"
#include "rosey/wire/result.hpp"

namespace rosey::host {

// Asks storage to migrate to what the plugin needs, if that is not there and storage may do so by
// itself; waits for it. Fails with a sentence that names both versions and what to do. Where
// storage is away the plugin may start: it has to live without it anyway.
result<void> check_schema(connection& bus, const rosey_plugin& plugin);

}  // namespace rosey::host
