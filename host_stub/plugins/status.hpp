// What `!plugin list` says: each instance of a plugin that there is, and each file that was
// refused.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rosey::host {

enum class plugin_phase {
  starting,     // not in use yet; beside it an older instance may run
  running,      // answers
  stuck,        // the same, but in a call that does not return
  stopping,     // finishes what it began; another one may answer already
  quarantined,  // could not be unloaded
  refused,      // there is no instance, only a file
};

constexpr std::string_view to_string(plugin_phase phase) {
  switch (phase) {
    case plugin_phase::starting:
      return "starting";
    case plugin_phase::running:
      return "running";
    case plugin_phase::stuck:
      return "stuck";
    case plugin_phase::stopping:
      return "stopping";
    case plugin_phase::quarantined:
      return "quarantined";
    case plugin_phase::refused:
      return "refused";
  }
  return "unknown";
}

struct plugin_status {
  std::string id;  // of a file that was refused before its id was known: its name
  std::string version;
  std::string build;
  plugin_phase phase = plugin_phase::refused;
  std::string state;  // the phase, and why: "running", "refused: there is no such file"
  std::filesystem::path file;
  std::vector<std::string> verbs;
  std::uint64_t instance = 0;                     // no other one has it; 0: there is none
  std::optional<std::chrono::milliseconds> busy;  // in one call for so long
  bool stuck = false;                             // too long

  bool answers() const { return phase == plugin_phase::running || phase == plugin_phase::stuck; }
};

}  // namespace rosey::host
