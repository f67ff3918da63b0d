// Asking a host to list, load, unload or reload plugins: for the chat router and the command line.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "host_stub/plugins/instance.hpp"
#include "rosey/wire/result.hpp"

namespace rosey::host {

// What a change of a plugin may take, and its way there and back.
inline constexpr std::chrono::milliseconds admin_timeout =
    plugin_deadlines().longest_change() + std::chrono::seconds(1);

struct listed_plugin {
  std::string id;
  std::string version;
  std::string phase;  // of plugin_phase; "": an older host does not say
  std::string state;
  std::string file;
  std::chrono::milliseconds busy{0};  // in one call for so long
  std::vector<std::string> verbs;

  bool answers() const { return phase.empty() || phase == "running" || phase == "stuck"; }
};

// `action` is "load", "unload" or "reload". On success the host's sentence. Blocks.
result<std::string> request_plugin_action(connection& bus, std::string_view action,
                                          std::string_view name, std::chrono::milliseconds timeout);

result<std::vector<listed_plugin>> request_plugin_list(connection& bus,
                                                       std::chrono::milliseconds timeout);

}  // namespace rosey::host
