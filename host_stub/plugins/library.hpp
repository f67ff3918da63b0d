// A plugin's shared library: a private copy of the file, checked before use, unmapped for good.
#pragma once

#include <filesystem>
#include <string>

#include "rosey/abi/plugin.h"
#include "rosey/wire/result.hpp"

namespace rosey::host {

// The library is mapped as long as this object lives. Movable.
class library {
 public:
  // Copies `file` into `shadow_folder` under a name never used before, loads the copy and checks
  // its table. So the file may be overwritten or deleted while the plugin runs, and two versions
  // can be loaded side by side. Fails with a sentence that names the file and what is wrong.
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
