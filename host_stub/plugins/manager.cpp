#include "host_stub/plugins/manager.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "host_stub/plugins/manager_parts.hpp"
#include "host_stub/plugins/ownership.hpp"
#include "host_stub/plugins/schema_check.hpp"
#include "host_stub/plugins/shadow_copy.hpp"
#include "host_stub/temporary_folder.hpp"

namespace rosey::host {
namespace {

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
  folder_problem_ = problem_with_writers_of_folder(settings_.directory);
  if (folder_problem_.empty()) return;
  const std::string sentence = "others can put code into the bot: " + folder_problem_;
  if (settings_.refuse_writable) {
    std::error_code ignored;
    std::filesystem::remove_all(shadow_folder_, ignored);
    throw std::runtime_error(sentence);
  }
  spdlog::warn(sentence);
}

plugin_manager::~plugin_manager() {
  // What is stuck must outlive us: its thread runs in it.
  if (stop_all() != stop_outcome::all_gone) {
    static_cast<void>(new std::vector(std::move(quarantined_)));
  }
  std::error_code ignored;
  std::filesystem::remove_all(shadow_folder_, ignored);
}

result<std::string> plugin_manager::load(std::string_view name) {
  if (const auto id = running_as(name)) {
    return error{"already_loaded", fmt::format("The plugin '{}' is loaded already; 'reload' takes "
                                               "its newest build",
                                               *id)};
  }
  const auto file = find_file(name);
  return file ? load_file(*file) : file.error();
}

result<std::string> plugin_manager::unload(std::string_view name) {
  const std::string id = id_of(name);
  const turn mine(*this, id);
  if (!mine.had()) return host_is_stopping();
  const auto old = find(id);
  return old ? remove(*old) : not_loaded(name);
}

result<std::string> plugin_manager::reload(std::string_view name) {
  const std::string id = id_of(name);
  const turn mine(*this, id);
  if (!mine.had()) return host_is_stopping();
  const auto old = find(id);
  return old ? swap(*old, old->file) : not_loaded(name);
}

result<std::string> plugin_manager::load_file(const std::filesystem::path& file) {
  auto code = open(file);
  if (!code) {
    note_refused(file,
                 {name_of(file), "", code.error().message, refused_file::in_its_surroundings});
    return code.error();
  }
  const std::string id = code->plugin().id;
  const turn mine(*this, id);
  if (!mine.had()) return host_is_stopping();
  const auto other = find(id);
  if (!other) return load_new(std::move(*code), file);
  // Its file was renamed: this is the same plugin's next build.
  if (!can_be_read(other->file)) return swap(*other, file, std::move(code));
  error why = held_by_twin(file, id, other->file);
  if (other->file != file) {
    note_refused(file, {id, code->plugin().version, why.message, refused_file::by_a_twin});
  }
  return why;
}

result<std::string> plugin_manager::load_new(library code, const std::filesystem::path& file) {
  const std::string id = code.plugin().id;
  const std::string version = code.plugin().version;
  auto started = start_new(std::move(code), file, false);
  if (!started) {
    // What is in quarantine is listed there.
    if (started.error().code == "stuck") {
      forget_refused(file);
    } else {
      note_refused(file, {id, version, started.error().message, refused_file::in_itself});
    }
    return started.error();
  }
  {
    const std::lock_guard lock(state_);
    plugins_[id] = {*started, file, {}};
    refused_.erase(file);
  }
  publish_verbs((*started)->plugin());
  spdlog::info("loaded {} from {}", described(**started), file.string());
  return fmt::format("Loaded {}", described(**started));
}

result<std::string> plugin_manager::remove(const running_plugin& old) {
  const std::string id = old.current->id();
  const std::string name = described(*old.current);
  const way down(*this,
                 {id, old.current->version(), old.file, plugin_phase::stopping, old.current});
  {
    const std::lock_guard lock(state_);
    plugins_.erase(id);
    // It is no obstacle any more; what follows is up to who unloaded it.
    std::erase_if(refused_, [&id](const auto& each) {
      return each.second.id == id && each.second.obstacle == refused_file::by_a_twin;
    });
    auto table = std::make_shared<verb_table>(*verbs_);
    mark_unloaded(*table, id);
    verbs_ = std::move(table);
  }
  if (const auto gone = retire(old.current); !gone) {
    return error{gone.error().code,
                 fmt::format("{}; it is kept in quarantine", gone.error().message)};
  }
  spdlog::info("unloaded {}", name);
  return fmt::format("Unloaded {}", name);
}

result<std::string> plugin_manager::swap(const running_plugin& old,
                                         const std::filesystem::path& file) {
  return swap(old, file, open(file));
}

result<std::string> plugin_manager::swap(const running_plugin& old,
                                         const std::filesystem::path& file, result<library> code) {
  const std::string id = old.current->id();
  const auto keeps = [&](const error& why, bool may_try_again = false) {
    if (why.code != "being_written") note_refusal(id, why.message, may_try_again);
    return error{why.code,
                 fmt::format("{}; {} keeps running", why.message, described(*old.current))};
  };
  if (!code) return keeps(code.error(), true);
  if (code->plugin().id != id) {
    return keeps(
        {"refused", fmt::format("{} now holds the plugin '{}'", file.string(), code->plugin().id)});
  }
  auto started = start_new(std::move(*code), file, true);
  if (!started) return keeps(started.error());

  // Both are subscribed now, and the queue group gives each command to one of them. What the new
  // one gets waits until the old one has answered what it has; only if that takes long do both
  // work at once.
  std::string message =
      fmt::format("Reloaded {} → {}", described(*old.current), (*started)->version());
  const way down(*this,
                 {id, old.current->version(), old.file, plugin_phase::stopping, old.current});
  {
    const std::lock_guard lock(state_);
    plugins_[id] = {*started, file, {}};
    refused_.erase(file);
  }
  publish_verbs((*started)->plugin());
  static_cast<void>(old.current->come_to_rest(settings_.deadlines.hold));
  (*started)->release_intake();
  if (const auto gone = retire(old.current); !gone) {
    message += fmt::format(", but the old one {}; it is kept in quarantine", gone.error().message);
  }
  spdlog::info("{} from {}", message, file.string());
  return message;
}

result<std::shared_ptr<instance>> plugin_manager::start_new(library code,
                                                            const std::filesystem::path& file,
                                                            bool hold) {
  way up(*this,
         {code.plugin().id, code.plugin().version, file, plugin_phase::starting, /*which=*/{}});
  return start_on(up, std::move(code), hold);
}

result<std::shared_ptr<instance>> plugin_manager::start_on(way& up, library code, bool hold) {
  const std::string id = code.plugin().id;
  if (const auto tables = check_schema(bus_, code.plugin()); !tables) return tables.error();
  auto configuration = settings_.configuration(id);
  if (!configuration) return configuration.error();
  std::shared_ptr<instance> made;
  try {
    made = std::make_shared<instance>(std::move(code), bus_, settings_.deadlines);
  } catch (const std::system_error& failure) {
    return error{"unavailable", fmt::format("{}: no thread for it: {}", id, failure.what())};
  }
  up.is_made(made);
  if (const auto level = settings_.log_level ? settings_.log_level(id) : std::nullopt) {
    made->log_from(*level);
  }
  const auto started = made->start(*std::move(configuration), hold);
  if (started) return made;
  const bool is_stuck = made->stuck();
  const error why{is_stuck ? "stuck" : started.error().code,
                  fmt::format("{} {}: {}", id, made->version(), started.error().message)};
  if (is_stuck) quarantine(std::move(made), started.error());
  return why;
}

result<void> plugin_manager::retire(std::shared_ptr<instance> old) {
  const auto latest = must_be_gone_by();
  const auto gone = old->stop(latest.value_or(instance::never));
  if (gone) return {};
  const std::string name = described(*old);
  spdlog::log(gone.error().code == "unfinished" ? spdlog::level::warn : spdlog::level::err,
              "{} {}; {}", name, gone.error().message,
              latest ? "the host ends without it" : "it stays in quarantine");
  const error why{gone.error().code, fmt::format("{} {}", name, gone.error().message)};
  if (old->stuck()) quarantine(std::move(old), gone.error());
  return why;
}

std::optional<instance::clock::time_point> plugin_manager::must_be_gone_by() const {
  const std::lock_guard lock(state_);
  return closing_;
}

void plugin_manager::quarantine(std::shared_ptr<instance> stuck, error why) {
  const std::lock_guard lock(state_);
  quarantined_.push_back({std::move(stuck), std::move(why)});
}

stop_outcome plugin_manager::stop_all(instance::clock::time_point latest) {
  std::set<std::string> ids;
  {
    const std::lock_guard lock(state_);
    closing_ = latest;
    for (const auto& [id, plugin] : plugins_) ids.insert(id);
    ids.insert(changing_.begin(), changing_.end());  // may be there in a moment
  }
  changed_.notify_all();
  std::vector<std::thread> stopping;
  for (const std::string& id : ids) stopping.emplace_back([this, id] { stop_one(id); });
  for (std::thread& each : stopping) each.join();
  return outcome();
}

void plugin_manager::stop_one(const std::string& id) {
  const turn mine(*this, id, *must_be_gone_by());
  if (!mine.had()) {
    spdlog::error("the plugin {} is still being loaded or unloaded; the host ends without it", id);
    return;
  }
  if (const auto old = find(id)) static_cast<void>(remove(*old));
}

stop_outcome plugin_manager::outcome() const {
  const std::lock_guard lock(state_);
  const auto is_stuck = [](const quarantined_plugin& each) {
    return each.why.code != "unfinished";
  };
  if (!plugins_.empty() || !changing_.empty() ||
      std::any_of(quarantined_.begin(), quarantined_.end(), is_stuck)) {
    return stop_outcome::stuck;
  }
  return quarantined_.empty() ? stop_outcome::all_gone : stop_outcome::unfinished;
}

}  // namespace rosey::host
