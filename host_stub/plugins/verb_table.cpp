#include "host_stub/plugins/verb_table.hpp"

#include <cstdint>

#include "host_stub/plugins/plugin_text.hpp"

namespace rosey::host {

std::vector<std::string> add_verbs(verb_table& table, const rosey_plugin& plugin) {
  std::erase_if(table, [&](const auto& entry) { return entry.second.plugin == plugin.id; });
  std::vector<std::string> taken;
  for (std::uint32_t index = 0; index < plugin.verb_count; ++index) {
    const rosey_verb& verb = *plugin.verbs[index];
    const verb_entry entry{.plugin = plugin.id,
                           .name = verb.name,
                           .subject = verb.subject,
                           .arguments = plugin_text(verb.arguments),
                           .help = plugin_text(verb.help),
                           .least_role = static_cast<wire::role>(verb.least_role),
                           .loaded = true};
    table.insert_or_assign(entry.plugin + "." + entry.name, entry);
    const auto [holder, added] = table.try_emplace(entry.name, entry);
    if (added) continue;
    if (holder->second.loaded) {
      taken.push_back(entry.name);
    } else {
      holder->second = entry;
    }
  }
  return taken;
}

void mark_unloaded(verb_table& table, std::string_view plugin) {
  for (auto& [word, entry] : table) {
    if (entry.plugin == plugin) entry.loaded = false;
  }
}

}  // namespace rosey::host
