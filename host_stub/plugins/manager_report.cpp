// What the manager knows of its plugins: where they are, their verbs and their states.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "host_stub/plugins/library.hpp"
#include "host_stub/plugins/manager.hpp"
#include "host_stub/plugins/plugin_text.hpp"

namespace rosey::host {

std::optional<plugin_manager::running_plugin> plugin_manager::find(std::string_view id) const {
  const std::lock_guard lock(state_);
  const auto found = plugins_.find(id);
  return found == plugins_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> plugin_manager::loaded_from(const std::filesystem::path& file) const {
  const std::lock_guard lock(state_);
  for (const auto& [id, plugin] : plugins_) {
    if (plugin.file == file) return id;
  }
  return std::nullopt;
}

result<std::filesystem::path> plugin_manager::find_file(std::string_view name) const {
  for (const auto& file : libraries_in(settings_.directory)) {
    const std::string candidate = file.filename().string();
    if (candidate == name || candidate == fmt::format("lib{}.so", name) ||
        candidate == fmt::format("{}.so", name)) {
      return file;
    }
  }
  return error{"not_found", fmt::format("There is no plugin '{}' in {} (lib{}.so)", name,
                                        settings_.directory.string(), name)};
}

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
                         .build = plugin_text(plugin.current->plugin().build, longest_label),
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
