// Where the files of plugins' migrations are: beside their libraries, or in a folder for all.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace rosey::storage {

// Each of the two holds a folder for each plugin, with the plugin's id as its name. That beside the
// libraries goes first, so that a new build brings its own.
class migration_places {
 public:
  // `plugins`: the folder of the libraries, which may have a folder "migrations"; "" for none.
  migration_places(const std::filesystem::path& plugins, std::filesystem::path configured);

  // The one of the two that has the plugin's; the configured one if none does.
  const std::filesystem::path& of(const std::string& plugin) const;
  bool have(const std::string& plugin) const;

  // The folders in both that are not hidden, by name. Throws std::runtime_error if the configured
  // folder does not exist.
  std::vector<std::string> names() const;

 private:
  std::filesystem::path beside_;
  std::filesystem::path configured_;
};

}  // namespace rosey::storage
