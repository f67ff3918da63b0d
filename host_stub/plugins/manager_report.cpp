// What the manager shows of its plugins: their verbs and their states.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "host_stub/plugins/manager.hpp"

namespace rosey::host {

void plugin_manager::publish_verbs(const rosey_plugin& plugin) {
  const std::lock_guard lock(state_);
  auto table = std::make_shared<verb_table>(*verbs_);
  for (const std::string& word : add_verbs(*table, plugin)) {
    spdlog::warn("the verb '{}' of {} belongs to {} already; it is reachable as '{}.{}'", word,
                 plugin.id, table->at(word).plugin, plugin.id, word);
  }
  verbs_ = std::move(table);
}

std::vector<std::string> plugin_manager::verbs_of(const std::string& id) const {
  std::vector<std::string> words;
  for (const auto& [word, entry] : *verbs_) {
    if (entry.plugin == id && (word == entry.name || !verbs_->contains(entry.name) ||
                               verbs_->at(entry.name).plugin != id)) {
      words.push_back(word);
    }
  }
  return words;
}

std::vector<plugin_status> plugin_manager::list() const {
  const std::lock_guard lock(state_);
  std::vector<plugin_status> listed;
  for (const auto& [id, plugin] : plugins_) {
    plugin_status status{.id = id,
                         .version = plugin.current->version(),
                         .build = plugin.current->plugin().build,
                         .state = "running",
                         .file = plugin.file,
                         .verbs = verbs_of(id)};
    if (const auto held = plugin.current->stuck_for()) {
      status.stuck = true;
      status.state = fmt::format("stuck: in one call for {} s", held->count());
    } else if (!plugin.refused.empty()) {
      status.state += "; the newest build was refused: " + plugin.refused;
    }
    listed.push_back(std::move(status));
  }
  for (const auto& [plugin, why] : quarantined_) {
    listed.push_back({.id = plugin->id(),
                      .version = plugin->version(),
                      .build = "",
                      .state = "quarantined: " + why.message,
                      .file = {},
                      .verbs = {}});
  }
  return listed;
}

std::shared_ptr<const verb_table> plugin_manager::verbs() const {
  const std::lock_guard lock(state_);
  return verbs_;
}

}  // namespace rosey::host
