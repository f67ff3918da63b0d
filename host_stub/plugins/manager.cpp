#include "host_stub/plugins/manager.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "host_stub/temporary_folder.hpp"

namespace rosey::host {
namespace {

// From here on a call counts as one that does not come back.
constexpr std::chrono::seconds long_call{2};

std::vector<std::filesystem::path> libraries_in(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".so") && !name.starts_with(".")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string described(const instance& plugin) {
  return fmt::format("{} {}", plugin.id(), plugin.version());
}

}  // namespace

plugin_manager::plugin_manager(connection& bus, settings options)
    : bus_(bus), settings_(std::move(options)), shadow_folder_(make_temporary_folder("plugins")) {
  if (!std::filesystem::is_directory(settings_.directory)) {
    std::error_code ignored;
    std::filesystem::remove_all(shadow_folder_, ignored);
    throw std::runtime_error("the plugins folder '" + settings_.directory.string() +
                             "' does not exist; make it, or name another with plugins.directory");
  }
}

plugin_manager::~plugin_manager() {
  // What is stuck must outlive us: its thread runs in it.
  if (!stop_all()) static_cast<void>(new std::vector(std::move(quarantined_)));
  std::error_code ignored;
  std::filesystem::remove_all(shadow_folder_, ignored);
}

void plugin_manager::load_all() {
  for (const auto& file : libraries_in(settings_.directory)) {
    const std::lock_guard operation(operation_);
    if (const auto loaded = load_file(file); !loaded) {
      spdlog::error("plugin not loaded: {}", loaded.error().message);
    }
  }
}

result<std::string> plugin_manager::load(std::string_view name) {
  const std::lock_guard operation(operation_);
  if (find(name, nullptr)) {
    return error{"already_loaded", fmt::format("The plugin '{}' is loaded already; 'reload' takes "
                                               "its newest build",
                                               name)};
  }
  const auto file = find_file(name);
  if (!file) return file.error();
  return load_file(*file);
}

result<std::string> plugin_manager::load_file(const std::filesystem::path& file) {
  auto code = open(file);
  if (!code) return code.error();
  const std::string id = code->plugin().id;
  std::filesystem::path other;
  if (find(id, &other)) {
    return error{"already_loaded", fmt::format("{}: the plugin '{}' is loaded already, from {}",
                                               file.string(), id, other.string())};
  }
  auto started = start_new(std::move(*code));
  if (!started) return started.error();
  {
    const std::lock_guard lock(state_);
    plugins_[id] = {*started, file};
  }
  publish_verbs((*started)->plugin());
  spdlog::info("loaded {} from {}", described(**started), file.string());
  return fmt::format("Loaded {}", described(**started));
}

result<std::string> plugin_manager::unload(std::string_view id) {
  const std::lock_guard operation(operation_);
  std::shared_ptr<instance> old = find(id, nullptr);
  if (!old) return error{"not_loaded", fmt::format("The plugin '{}' is not loaded", id)};
  const std::string name = described(*old);
  {
    const std::lock_guard lock(state_);
    plugins_.erase(plugins_.find(id));
    auto table = std::make_shared<verb_table>(*verbs_);
    mark_unloaded(*table, id);
    verbs_ = std::move(table);
  }
  if (const auto gone = retire(std::move(old)); !gone) return gone.error();
  spdlog::info("unloaded {}", name);
  return fmt::format("Unloaded {}", name);
}

result<std::string> plugin_manager::reload(std::string_view id) {
  const std::lock_guard operation(operation_);
  std::filesystem::path file;
  std::shared_ptr<instance> old = find(id, &file);
  if (!old) return error{"not_loaded", fmt::format("The plugin '{}' is not loaded", id)};
  const auto keeps = [&](const error& why) {
    return error{why.code, fmt::format("{}; {} keeps running", why.message, described(*old))};
  };

  auto code = open(file);
  if (!code) return keeps(code.error());
  if (code->plugin().id != id) {
    return keeps(
        {"refused", fmt::format("{} now holds the plugin '{}'", file.string(), code->plugin().id)});
  }
  auto started = start_new(std::move(*code));
  if (!started) return keeps(started.error());

  // Both serve now; the queue group gives each command to one of them.
  std::string message = fmt::format("Reloaded {} → {}", described(*old), (*started)->version());
  {
    const std::lock_guard lock(state_);
    plugins_.find(id)->second.current = *started;
  }
  publish_verbs((*started)->plugin());
  if (const auto gone = retire(std::move(old)); !gone) {
    message += fmt::format(", but the old one {}; it is kept in quarantine", gone.error().message);
  }
  spdlog::info("{}", message);
  return message;
}

result<library> plugin_manager::open(const std::filesystem::path& file) {
  return library::load(file, shadow_folder_);
}

result<std::shared_ptr<instance>> plugin_manager::start_new(library code) {
  const std::string id = code.plugin().id;
  auto configuration = settings_.configuration(id);
  if (!configuration) return configuration.error();
  auto made = std::make_shared<instance>(std::move(code), bus_, settings_.deadlines);
  const auto started = made->start(*std::move(configuration));
  if (started) return made;
  const error why{started.error().code,
                  fmt::format("{} {}: {}", id, made->version(), started.error().message)};
  if (made->stuck()) quarantine(std::move(made));
  return why;
}

result<void> plugin_manager::retire(std::shared_ptr<instance> old) {
  const auto gone = old->stop();
  if (gone) return {};
  const std::string name = described(*old);
  spdlog::error("{} {}; it stays in quarantine", name, gone.error().message);
  const error why{gone.error().code, fmt::format("{} {}", name, gone.error().message)};
  if (old->stuck()) quarantine(std::move(old));
  return why;
}

void plugin_manager::quarantine(std::shared_ptr<instance> stuck) {
  const std::lock_guard lock(state_);
  quarantined_.push_back(std::move(stuck));
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

std::shared_ptr<instance> plugin_manager::find(std::string_view id,
                                               std::filesystem::path* file) const {
  const std::lock_guard lock(state_);
  const auto found = plugins_.find(id);
  if (found == plugins_.end()) return nullptr;
  if (file) *file = found->second.file;
  return found->second.current;
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

std::vector<plugin_status> plugin_manager::list() const {
  const std::lock_guard lock(state_);
  std::vector<plugin_status> listed;
  for (const auto& [id, plugin] : plugins_) {
    plugin_status status{
        id, plugin.current->version(), plugin.current->plugin().build, "running", plugin.file, {}};
    const auto busy = plugin.current->busy_for();
    if (busy && *busy > long_call) {
      status.state = fmt::format("stuck: busy in one call for {} s", busy->count() / 1000);
    }
    for (const auto& [word, entry] : *verbs_) {
      if (entry.plugin == id && (word == entry.name || !verbs_->contains(entry.name) ||
                                 verbs_->at(entry.name).plugin != id)) {
        status.verbs.push_back(word);
      }
    }
    listed.push_back(std::move(status));
  }
  for (const auto& plugin : quarantined_) {
    listed.push_back({plugin->id(), plugin->version(), "", "quarantined: did not stop", {}, {}});
  }
  return listed;
}

std::shared_ptr<const verb_table> plugin_manager::verbs() const {
  const std::lock_guard lock(state_);
  return verbs_;
}

bool plugin_manager::stop_all() {
  const std::lock_guard operation(operation_);
  for (;;) {
    std::shared_ptr<instance> next;
    {
      const std::lock_guard lock(state_);
      if (plugins_.empty()) return quarantined_.empty();
      next = std::move(plugins_.begin()->second.current);
      plugins_.erase(plugins_.begin());
    }
    static_cast<void>(retire(std::move(next)));
  }
}

}  // namespace rosey::host
