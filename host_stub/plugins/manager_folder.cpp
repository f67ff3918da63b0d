// The plugins folder: what is in it at the start, what changes, and what is tried again then.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "host_stub/plugins/elf_file.hpp"
#include "host_stub/plugins/helper_libraries.hpp"
#include "host_stub/plugins/manager_parts.hpp"
#include "host_stub/plugins/ownership.hpp"
#include "host_stub/plugins/shadow_copy.hpp"

namespace rosey::host {
namespace {

// Also a link to nothing.
bool has_name(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(file, ignored));
}

}  // namespace

load_report plugin_manager::load_all(const std::function<bool()>& enough) {
  load_report report;
  for (const auto& file : libraries_in(settings_.directory)) {
    if (enough()) break;
    if (is_helper(file)) continue;
    ++report.found;
    const auto loaded = take_change(file);
    if (loaded) continue;
    spdlog::error("plugin not loaded: {}", loaded.error().message);
    const auto refused = refused_files();
    const auto noted = refused.find(file);
    report.refused.push_back(
        {noted == refused.end() ? name_of(file) : noted->second.id, loaded.error().message});
  }
  return report;
}

void plugin_manager::follow(const std::filesystem::path& file) {
  if (is_plugin_file(file) && !is_helper(file)) {
    const bool is_loaded = loaded_from(file).has_value();
    const auto done = take_change(file);
    // When the writer closes the file, it is reported again.
    if (!done && done.error().code != "being_written") {
      spdlog::error("plugin {}: {}", is_loaded ? "not replaced" : "not loaded",
                    done.error().message);
    }
  }
  try_again_after(file);
}

void plugin_manager::try_again_after(const std::filesystem::path& change) {
  for (const auto& [file, refusal] : refused_files()) {
    if (file == change || refusal.obstacle == refused_file::in_itself) continue;
    if (is_helper(file)) {
      forget_refused(file);
      continue;
    }
    const auto twin = refusal.obstacle == refused_file::by_a_twin ? find(refusal.id) : std::nullopt;
    if (!twin || !can_be_read(file)) {
      try_again(file, refusal.why);
    } else {
      refused_file still = refusal;
      still.why = held_by_twin(file, refusal.id, twin->file).message;
      note_refused(file, std::move(still));
    }
  }
  for (const auto& [file, why] : builds_to_try_again()) {
    if (file != change) try_again(file, why);
  }
}

// Says something only if it turns out otherwise than before.
void plugin_manager::try_again(const std::filesystem::path& file, const std::string& known) {
  const auto done = take_change(file);
  if (done || done.error().code == "being_written" || done.error().code == "stopping") return;
  if (!done.error().message.starts_with(known)) {
    spdlog::error("plugin not loaded: {}", done.error().message);
  }
}

// A library that is no plugin, and that one in the folder needs.
bool plugin_manager::is_helper(const std::filesystem::path& file) const {
  const elf_file said = read_elf(file);
  return said.known && !said.is_plugin &&
         needed_in(settings_.directory).contains(file.filename().string());
}

result<std::string> plugin_manager::take_change(const std::filesystem::path& file) {
  const auto id = loaded_from(file);
  if (id) return follow_running(*id, file);
  if (!has_name(file)) {
    forget_refused(file);
    return std::string();
  }
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
  if (!can_be_read(file)) return follow_deleted(*old);
  if (same_content(file, old->current->shadow())) {
    note_refusal(old->current->id(), "");  // of a build that is no more in the file
    return std::string();
  }
  return swap(*old, file);
}

// Another file that holds the plugin takes its place.
result<std::string> plugin_manager::follow_deleted(const running_plugin& old) {
  if (was_renamed(old)) return std::string();
  for (const auto& [twin, refusal] : refused_files()) {
    if (refusal.id != old.current->id() || refusal.obstacle != refused_file::by_a_twin) continue;
    if (!can_be_read(twin)) continue;
    auto swapped = swap(old, twin);
    if (swapped) return swapped;
    spdlog::error("plugin not replaced: {}", swapped.error().message);
    note_refused(twin,
                 {refusal.id, refusal.version, swapped.error().message, refused_file::in_itself});
  }
  return remove(old);
}

// Follows the plugin's file to its new name: it need not go in order to come again.
bool plugin_manager::was_renamed(const running_plugin& old) {
  for (const auto& file : libraries_in(settings_.directory)) {
    if (loaded_from(file) || !same_content(file, old.current->shadow())) continue;
    const std::lock_guard lock(state_);
    plugins_.find(old.current->id())->second.file = file;
    refused_.erase(file);
    spdlog::info("the file of {} {} is {} now", old.current->id(), old.current->version(),
                 file.string());
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

}  // namespace rosey::host
