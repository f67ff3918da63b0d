// The chat verbs of all plugins: what the router looks a word up in.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rosey/abi/plugin.h"
#include "rosey/wire/command.hpp"

namespace rosey::host {

struct verb_entry {
  std::string plugin;
  std::string name;
  std::string subject;
  std::string arguments;
  std::string help;
  wire::role least_role = wire::role::user;
  bool loaded = true;  // false: the plugin was unloaded, and its users deserve to be told
};

// By the word people type: "add", and always also "playlist.add", which no other plugin can claim.
// A table is never changed: a new one replaces it.
using verb_table = std::map<std::string, verb_entry, std::less<>>;

// Adds a plugin's verbs, in place of those it had. Returns the words that another loaded plugin
// already has: those are reachable by their long name only.
std::vector<std::string> add_verbs(verb_table& table, const rosey_plugin& plugin);

void mark_unloaded(verb_table& table, std::string_view plugin);

}  // namespace rosey::host
