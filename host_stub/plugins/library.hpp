// A plugin's shared library: a private copy of the file, checked before use, unmapped for good.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "rosey/abi/plugin.h"
#include "rosey/wire/result.hpp"

namespace rosey::host {

// By its name: ends in .so and is not hidden. Who writes a file beside, to rename it, hides it.
bool is_plugin_file(const std::filesystem::path& file);

// The same, or what a plugin may need: also libx.so.1.
bool may_be_library(const std::filesystem::path& file);

// The libraries of a folder, by name; none if it cannot be read.
std::vector<std::filesystem::path> libraries_in(const std::filesystem::path& folder);

// "playlist" for libplaylist.so.
std::string name_of(const std::filesystem::path& file);

// Whether people mean the file by the name: all of it, or without "lib" or ".so" or both.
bool is_name_of(std::string_view file_name, std::string_view name);

// The library is mapped as long as this object lives. Movable.
class library {
 public:
  // Takes a shadow copy of `file` into `shadow_folder`, loads the copy and checks its table: so two
  // versions can be loaded side by side. Fails with a sentence that names the file and what is
  // wrong; code "being_written" says that the file will be complete later.
  static result<library> load(const std::filesystem::path& file,
                              const std::filesystem::path& shadow_folder);

  library(library&& other) noexcept;
  library& operator=(library&&) = delete;
  // Unloads, if unload() was not called.
  ~library();

  const rosey_plugin& plugin() const { return *plugin_; }
  const std::filesystem::path& shadow() const { return shadow_; }

  // Closes the library and proves that it is gone: no handle can be had of it, and no line of
  // /proc/self/maps names it. Fails with a sentence if something keeps it mapped.
  result<void> unload();

 private:
  library(void* handle, std::filesystem::path shadow);

  void* handle_ = nullptr;
  std::filesystem::path shadow_;
  const rosey_plugin* plugin_ = nullptr;
};

}  // namespace rosey::host
