// Which plugin, or which file, people mean by a name.
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "host_stub/plugins/manager_parts.hpp"

namespace rosey::host {

std::optional<std::string> plugin_manager::running_as(std::string_view name) const {
  const std::lock_guard lock(state_);
  if (plugins_.contains(name)) return std::string(name);
  for (const auto& [id, plugin] : plugins_) {
    if (is_name_of(plugin.file.filename().string(), name)) return id;
  }
  for (const auto& [id, plugin] : plugins_) {
    if (is_name_of(fmt::format("lib{}.so", id), name)) return id;
  }
  return std::nullopt;
}

std::string plugin_manager::id_of(std::string_view name) const {
  if (auto id = running_as(name)) return *std::move(id);
  const std::lock_guard lock(state_);
  for (const moving_plugin& each : moving_) {
    if (each.id == name || is_name_of(fmt::format("lib{}.so", each.id), name) ||
        is_name_of(each.file.filename().string(), name)) {
      return each.id;
    }
  }
  return std::string(name);
}

result<std::filesystem::path> plugin_manager::find_file(std::string_view name) {
  for (const auto& file : libraries_in(settings_.directory)) {
    if (is_name_of(file.filename().string(), name)) return file;
  }
  if (const auto file = find_file_by_id(name)) return *file;
  std::string wanted(name);
  if (!wanted.ends_with(".so")) wanted = fmt::format("lib{}.so", wanted);
  return error{"not_found", fmt::format("There is no plugin '{}' in {} ({})", name,
                                        settings_.directory.string(), wanted)};
}

// Of those whose file has another name: what is known of it, or else what is in it.
std::optional<std::filesystem::path> plugin_manager::find_file_by_id(std::string_view id) {
  const auto refused = refused_files();
  for (const auto& [file, refusal] : refused) {
    if (refusal.id == id) return file;
  }
  for (const auto& file : libraries_in(settings_.directory)) {
    if (refused.contains(file) || loaded_from(file)) continue;
    const auto code = open(file);
    if (code && code->plugin().id == id) return file;
  }
  return std::nullopt;
}

}  // namespace rosey::host
