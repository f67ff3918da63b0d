// Both folders are looked at anew each time: files come while the service runs.
#include "host_stub/storage/migration_places.hpp"

#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace rosey::storage {

namespace {

bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

// Hidden ones, such as .git, are somebody else's.
void add_folders(const std::filesystem::path& in, std::set<std::string>& names) {
  std::error_code failure;
  std::filesystem::directory_iterator entry(in, failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with('.') && is_folder(entry->path())) names.insert(name);
  }
}

}  // namespace

migration_places::migration_places(const std::filesystem::path& plugins,
                                   std::filesystem::path configured)
    : beside_(plugins.empty() ? plugins : plugins / "migrations"),
      configured_(std::move(configured)) {}

const std::filesystem::path& migration_places::of(const std::string& plugin) const {
  return !beside_.empty() && is_folder(beside_ / plugin) ? beside_ : configured_;
}

bool migration_places::have(const std::string& plugin) const {
  return is_folder(of(plugin) / plugin);
}

std::vector<std::string> migration_places::names() const {
  if (!is_folder(configured_)) {
    throw std::runtime_error("the migrations folder '" + configured_.string() +
                             "' does not exist; name another with storage.migrations");
  }
  std::set<std::string> found;
  add_folders(configured_, found);
  if (!beside_.empty()) add_folders(beside_, found);
  return {found.begin(), found.end()};
}

}  // namespace rosey::storage
