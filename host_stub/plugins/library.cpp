#include "host_stub/plugins/library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <nats/nats.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "host_stub/plugins/check.hpp"
#include "host_stub/plugins/plugin_text.hpp"
#include "host_stub/plugins/shadow_copy.hpp"

namespace rosey::host {
namespace {

// dlerror() begins with the path of the copy, which means nothing to the reader.
std::string loader_message(const std::filesystem::path& shadow) {
  const char* text = ::dlerror();
  std::string message = text ? text : "unknown error";
  const std::string prefix = shadow.string() + ": ";
  if (message.starts_with(prefix)) message.erase(0, prefix.size());
  return message;
}

bool is_mapped(const std::filesystem::path& shadow) {
  std::ifstream maps("/proc/self/maps");
  const std::string name = shadow.string();
  for (std::string line; std::getline(maps, line);) {
    if (line.find(name) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

bool is_plugin_file(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  return name.ends_with(".so") && !name.starts_with(".");
}

std::vector<std::filesystem::path> libraries_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (is_plugin_file(entry.path())) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

library::library(void* handle, std::filesystem::path shadow)
    : handle_(handle), shadow_(std::move(shadow)) {}

library::library(library&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      shadow_(std::move(other.shadow_)),
      plugin_(std::exchange(other.plugin_, nullptr)) {}

library::~library() {
  if (handle_) static_cast<void>(unload());
}

result<library> library::load(const std::filesystem::path& file,
                              const std::filesystem::path& shadow_folder) {
  auto shadow = shadow_copy(file, shadow_folder);
  if (!shadow) return shadow.error();

  // RTLD_NOW: a missing symbol is found here and not in the middle of a command.
  void* handle = ::dlopen(shadow->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const std::string message = loader_message(*shadow);
    std::error_code ignored;
    std::filesystem::remove(*shadow, ignored);
    return refused(file, "is not a loadable library: " + message);
  }
  library loaded(handle, *std::move(shadow));

  // A type that may throw: so what escapes is caught and not fatal.
  const auto query =
      reinterpret_cast<const rosey_plugin* (*)()>(::dlsym(handle, ROSEY_PLUGIN_QUERY_SYMBOL));
  if (!query) {
    return refused(file,
                   "is no plugin for this host: it does not export " ROSEY_PLUGIN_QUERY_SYMBOL);
  }
  // A symbol of libnats that comes from elsewhere than ours: the plugin brought its own.
  const void* nats = ::dlsym(handle, "nats_GetVersion");
  if (nats && nats != reinterpret_cast<const void*>(&nats_GetVersion)) {
    return refused(file, "carries its own copy of libnats; link libnats dynamically");
  }
  try {
    loaded.plugin_ = query();
  } catch (const std::exception& escaped) {
    return refused(file, fmt::format(ROSEY_PLUGIN_QUERY_SYMBOL " threw an exception: {}",
                                     plugin_text(escaped.what())));
  } catch (...) {
    return refused(file, ROSEY_PLUGIN_QUERY_SYMBOL " threw an exception");
  }
  if (const std::string problem = problem_with(loaded.plugin_); !problem.empty()) {
    return refused(file, problem);
  }
  return loaded;
}

result<void> library::unload() {
  if (!handle_) return {};
  ::dlclose(std::exchange(handle_, nullptr));
  plugin_ = nullptr;

  std::string why;
  if (void* still = ::dlopen(shadow_.c_str(), RTLD_NOW | RTLD_NOLOAD)) {
    ::dlclose(still);
    why = "the loader still holds it (a unique symbol, or a thread-local destructor)";
  } else if (is_mapped(shadow_)) {
    why = "it is still in the process maps";
  }
  std::error_code ignored;
  std::filesystem::remove(shadow_, ignored);
  if (!why.empty()) return error{"still_mapped", shadow_.filename().string() + ": " + why};
  return {};
}

}  // namespace rosey::host
