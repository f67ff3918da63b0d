#include "host_stub/plugins/manager.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "host_stub/plugins/ownership.hpp"
#include "host_stub/plugins/schema_check.hpp"
#include "host_stub/plugins/shadow_copy.hpp"
#include "host_stub/temporary_folder.hpp"

namespace rosey::host {
namespace {

std::string described(const instance& plugin) {
  return fmt::format("{} {}", plugin.id(), plugin.version());
}

bool still_there(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

error host_is_stopping() {
  return {"stopping", "The host is stopping"};
}

// "playlist" for libplaylist.so.
std::string name_of(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  return stem.starts_with("lib") ? stem.substr(3) : stem;
}

error not_loaded(std::string_view id) {
  return {"not_loaded", fmt::format("The plugin '{}' is not loaded", id)};
}

}  // namespace

class plugin_manager::turn {
 public:
  // Not had when the host is stopping.
  turn(plugin_manager& owner, std::string_view id) : owner_(owner), id_(id) {
    std::unique_lock lock(owner_.state_);
    owner_.changed_.wait(lock,
                         [this] { return owner_.closing_ || !owner_.changing_.contains(id_); });
    if (!owner_.closing_) take();
  }
  // For who stops it. Not had when somebody keeps it until then.
  turn(plugin_manager& owner, std::string_view id, instance::clock::time_point latest)
      : owner_(owner), id_(id) {
    std::unique_lock lock(owner_.state_);
    const auto is_free = [this] { return !owner_.changing_.contains(id_); };
    if (owner_.changed_.wait_until(lock, latest, is_free)) take();
  }
  ~turn() {
    if (!had_) return;
    {
      const std::lock_guard lock(owner_.state_);
      owner_.changing_.erase(id_);
    }
    owner_.changed_.notify_all();
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

  bool had() const { return had_; }

 private:
  void take() {
    owner_.changing_.insert(id_);
    had_ = true;
  }

  plugin_manager& owner_;
  const std::string id_;
  bool had_ = false;
};

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

load_report plugin_manager::load_all(const std::function<bool()>& enough) {
  load_report report;
  for (const auto& file : libraries_in(settings_.directory)) {
    if (enough()) break;
    ++report.found;
    const auto loaded = take_change(file);
    if (loaded) continue;
    spdlog::error("plugin not loaded: {}", loaded.error().message);
    report.refused.push_back({name_of(file), loaded.error().message});
  }
  return report;
}

result<std::string> plugin_manager::load(std::string_view name) {
  if (find(name)) {
    return error{"already_loaded", fmt::format("The plugin '{}' is loaded already; 'reload' takes "
                                               "its newest build",
                                               name)};
  }
  const auto file = find_file(name);
  if (!file) return file.error();
  return load_file(*file);
}

result<std::string> plugin_manager::unload(std::string_view id) {
  const turn mine(*this, id);
  if (!mine.had()) return host_is_stopping();
  const auto old = find(id);
  return old ? remove(*old) : not_loaded(id);
}

result<std::string> plugin_manager::reload(std::string_view id) {
  const turn mine(*this, id);
  if (!mine.had()) return host_is_stopping();
  const auto old = find(id);
  return old ? swap(*old, old->file) : not_loaded(id);
}

void plugin_manager::follow(const std::filesystem::path& file) {
  const bool is_loaded = loaded_from(file).has_value();
  const auto done = take_change(file);
  // Who writes a file will close it, and then it is told again.
  if (done || done.error().code == "being_written") return;
  spdlog::error("plugin {}: {}", is_loaded ? "not replaced" : "not loaded", done.error().message);
}

result<std::string> plugin_manager::take_change(const std::filesystem::path& file) {
  const auto id = loaded_from(file);
  if (id) return follow_running(*id, file);
  if (!still_there(file)) return std::string();
  auto done = load_file(file);
  if (!done && loaded_from(file)) return std::string();  // it was given this name meanwhile
  return done;
}

result<std::string> plugin_manager::follow_running(std::string_view id,
                                                   const std::filesystem::path& file) {
  const turn mine(*this, id);
  if (!mine.had()) return host_is_stopping();
  const auto old = find(id);
  if (!old || old->file != file) return std::string();  // somebody else has dealt with it
  if (!still_there(file)) return was_renamed(*old) ? std::string() : remove(*old);
  if (same_content(file, old->current->shadow())) {
    note_refusal(old->current->id(), "");  // of a build that is no more in the file
    return std::string();
  }
  return swap(*old, file);
}

// Follows the plugin's file to its new name: it need not go in order to come again.
bool plugin_manager::was_renamed(const running_plugin& old) {
  for (const auto& file : libraries_in(settings_.directory)) {
    if (loaded_from(file) || !same_content(file, old.current->shadow())) continue;
    const std::lock_guard lock(state_);
    plugins_.find(old.current->id())->second.file = file;
    spdlog::info("the file of {} is {} now", described(*old.current), file.string());
    return true;
  }
  return false;
}

result<library> plugin_manager::open(const std::filesystem::path& file) {
  if (settings_.refuse_writable) {
    std::string problem = problem_with_writers_of_folder(settings_.directory);
    if (problem.empty()) problem = problem_with_writers(file);
    if (!problem.empty()) return refused(file, "others can write it: " + problem);
  } else if (folder_problem_.empty()) {
    warn_of_writers(file);
  }
  return library::load(file, shadow_folder_);
}

// Once for a file. Where the folder was warned of, its files need no line of their own.
void plugin_manager::warn_of_writers(const std::filesystem::path& file) {
  const std::string problem = problem_with_writers(file);
  if (problem.empty()) return;
  const std::lock_guard lock(state_);
  if (warned_of_.insert(file).second) {
    spdlog::warn("others can put code into the bot: {}", problem);
  }
}

result<std::string> plugin_manager::load_file(const std::filesystem::path& file) {
  auto code = open(file);
  if (!code) return code.error();
  const std::string id = code->plugin().id;
  const turn mine(*this, id);
  if (!mine.had()) return host_is_stopping();
  const auto other = find(id);
  if (!other) return load_new(std::move(*code), file);
  // Its file was renamed: this is the same plugin's next build.
  if (!still_there(other->file)) return swap(*other, file, std::move(code));
  return error{"already_loaded", fmt::format("{}: the plugin '{}' is loaded already, from {}",
                                             file.string(), id, other->file.string())};
}

result<std::string> plugin_manager::load_new(library code, const std::filesystem::path& file) {
  auto started = start_new(std::move(code), false);
  if (!started) return started.error();
  {
    const std::lock_guard lock(state_);
    plugins_[(*started)->id()] = {*started, file, {}};
  }
  publish_verbs((*started)->plugin());
  spdlog::info("loaded {} from {}", described(**started), file.string());
  return fmt::format("Loaded {}", described(**started));
}

result<std::string> plugin_manager::remove(const running_plugin& old) {
  const std::string id = old.current->id();
  const std::string name = described(*old.current);
  {
    const std::lock_guard lock(state_);
    plugins_.erase(id);
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
  const auto keeps = [&](const error& why) {
    if (why.code != "being_written") note_refusal(id, why.message);
    return error{why.code,
                 fmt::format("{}; {} keeps running", why.message, described(*old.current))};
  };
  if (!code) return keeps(code.error());
  if (code->plugin().id != id) {
    return keeps(
        {"refused", fmt::format("{} now holds the plugin '{}'", file.string(), code->plugin().id)});
  }
  auto started = start_new(std::move(*code), true);
  if (!started) return keeps(started.error());

  // Both are subscribed now, and the queue group gives each command to one of them. What the new
  // one gets waits until the old one has answered what it has; only if that takes long do both
  // work at once.
  std::string message =
      fmt::format("Reloaded {} → {}", described(*old.current), (*started)->version());
  {
    const std::lock_guard lock(state_);
    plugins_[id] = {*started, file, {}};
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

result<std::shared_ptr<instance>> plugin_manager::start_new(library code, bool hold) {
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
  const auto started = made->start(*std::move(configuration), hold);
  if (started) return made;
  const error why{started.error().code,
                  fmt::format("{} {}: {}", id, made->version(), started.error().message)};
  if (made->stuck()) quarantine(std::move(made), started.error());
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

void plugin_manager::note_refusal(const std::string& id, const std::string& why) {
  const std::lock_guard lock(state_);
  if (const auto found = plugins_.find(id); found != plugins_.end()) found->second.refused = why;
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
