// What the manager knows of its plugins: where they are, their verbs and their states.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "host_stub/plugins/library.hpp"
#include "host_stub/plugins/manager.hpp"
#include "host_stub/plugins/plugin_text.hpp"

namespace rosey::host {
namespace {

std::string in_one_call(std::chrono::milliseconds busy) {
  return fmt::format("in one call for {} s",
                     std::chrono::floor<std::chrono::seconds>(busy).count());
}

plugin_status status_of(const std::string& id, const std::string& version, plugin_phase phase) {
  plugin_status status;
  status.id = id;
  status.version = version;
  status.phase = phase;
  status.state = to_string(phase);
  return status;
}

plugin_status status_of(const instance& plugin, plugin_phase phase) {
  plugin_status status = status_of(plugin.id(), plugin.version(), phase);
  status.instance = plugin.number();
  status.busy = plugin.busy_for();
  status.stuck = plugin.stuck_for().has_value();
  return status;
}

}  // namespace

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

error plugin_manager::not_loaded(std::string_view name) const {
  std::string text = fmt::format("The plugin '{}' is not loaded", name);
  for (const auto& [file, refusal] : refused_files()) {
    if (refusal.id != name && !is_name_of(file.filename().string(), name)) continue;
    text += "; it was refused: " + refusal.why;
    break;
  }
  return {"not_loaded", std::move(text)};
}

void plugin_manager::note_refusal(const std::string& id, const std::string& why,
                                  bool may_try_again) {
  const std::lock_guard lock(state_);
  const auto found = plugins_.find(id);
  if (found == plugins_.end()) return;
  found->second.refused = why;
  found->second.may_try_again = may_try_again;
}

std::map<std::filesystem::path, std::string> plugin_manager::builds_to_try_again() const {
  std::map<std::filesystem::path, std::string> builds;
  const std::lock_guard lock(state_);
  for (const auto& [id, plugin] : plugins_) {
    if (plugin.may_try_again) builds.emplace(plugin.file, plugin.refused);
  }
  return builds;
}

void plugin_manager::note_refused(const std::filesystem::path& file, refused_file refusal) {
  const std::lock_guard lock(state_);
  refused_.insert_or_assign(file, std::move(refusal));
}

void plugin_manager::forget_refused(const std::filesystem::path& file) {
  const std::lock_guard lock(state_);
  refused_.erase(file);
}

std::map<std::filesystem::path, plugin_manager::refused_file> plugin_manager::refused_files()
    const {
  const std::lock_guard lock(state_);
  return refused_;
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
    plugin_status status = status_of(*plugin.current, plugin_phase::running);
    status.build = plugin_text(plugin.current->plugin().build, longest_label);
    status.file = plugin.file;
    status.verbs = verbs_of(id);
    if (status.stuck) {
      status.phase = plugin_phase::stuck;
      status.state = "stuck: " + in_one_call(*status.busy);
    } else if (!plugin.refused.empty()) {
      status.state += "; the newest build was refused: " + plugin.refused;
    }
    listed.push_back(std::move(status));
  }
  const auto is_listed = [this](const instance* which) {
    return which &&
           (std::any_of(plugins_.begin(), plugins_.end(),
                        [=](const auto& each) { return each.second.current.get() == which; }) ||
            std::any_of(quarantined_.begin(), quarantined_.end(),
                        [=](const auto& each) { return each.stuck.get() == which; }));
  };
  for (const moving_plugin& each : moving_) {
    if (is_listed(each.which.get())) continue;
    plugin_status status = status_of(each.id, each.version, each.phase);
    if (each.which) status = status_of(*each.which, each.phase);
    status.file = each.file;
    if (status.stuck) status.state += "; " + in_one_call(*status.busy);
    listed.push_back(std::move(status));
  }
  for (const auto& [plugin, why] : quarantined_) {
    listed.push_back(status_of(*plugin, plugin_phase::quarantined));
    listed.back().state += ": " + why.message;
  }
  for (const auto& [file, refusal] : refused_) {
    std::string_view why = refusal.why;
    const std::string name = fmt::format("{} {}: ", refusal.id, refusal.version);
    if (why.starts_with(name)) why.remove_prefix(name.size());
    plugin_status status = status_of(refusal.id, refusal.version, plugin_phase::refused);
    status.state += fmt::format(": {}", why);
    status.file = file;
    listed.push_back(std::move(status));
  }
  std::stable_sort(listed.begin(), listed.end(),
                   [](const auto& one, const auto& other) { return one.id < other.id; });
  return listed;
}

std::shared_ptr<const verb_table> plugin_manager::verbs() const {
  const std::lock_guard lock(state_);
  return verbs_;
}

}  // namespace rosey::host
