#include "host_stub/plugins/library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <nats/nats.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "host_stub/plugins/check.hpp"
#include "host_stub/plugins/crash_report.hpp"
#include "host_stub/plugins/elf_file.hpp"
#include "host_stub/plugins/helper_libraries.hpp"
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

constexpr char no_entry[] =
    "is no plugin for this host: it does not export " ROSEY_PLUGIN_QUERY_SYMBOL;

// What was forgotten when it was built, and would be felt only when it is to go.
std::string problem_with_elf(const elf_file& said) {
  if (!said.known) return {};  // the loader finds out
  if (!said.has_entry) return no_entry;
  if (!said.unique_symbol.empty()) {
    return fmt::format(
        "could never be unloaded: it defines the unique symbol {}; compile all of it with "
        "-fno-gnu-unique, as rosey_add_plugin does",
        said.unique_symbol);
  }
  if (said.never_unloaded) {
    return "could never be unloaded: it is linked with -z nodelete; link it without";
  }
  return {};
}

// Such a symbol is that of the host, should the host have one of the name.
void warn_of_exports(const std::filesystem::path& file, const elf_file& said) {
  if (said.exports.empty()) return;
  spdlog::warn(
      "{} exports {} beside its entry, such as {}; compile it with -fvisibility=hidden and a "
      "version script, as rosey_add_plugin does",
      file.string(),
      said.exports.size() == 1 ? "a symbol" : fmt::format("{} symbols", said.exports.size()),
      said.exports.front());
}

void remove_copy(const std::filesystem::path& shadow) {
  const std::filesystem::path folder = folder_of_copy(shadow);
  std::error_code ignored;
  std::filesystem::remove_all(folder.empty() ? shadow : folder, ignored);
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

bool may_be_library(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  return is_plugin_file(file) || (!name.starts_with(".") && name.find(".so.") != std::string::npos);
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

std::string name_of(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  return stem.starts_with("lib") ? stem.substr(3) : stem;
}

bool is_name_of(std::string_view file_name, std::string_view name) {
  for (const std::string_view before : {"", "lib"}) {
    for (const std::string_view behind : {"", ".so"}) {
      if (file_name == fmt::format("{}{}{}", before, name, behind)) return true;
    }
  }
  return false;
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
  auto copied = shadow_copy(file, shadow_folder);
  if (!copied) return copied.error();
  auto shadow = bring_helpers(*copied, file);
  if (!shadow) {
    remove_copy(*copied);
    return shadow.error();
  }
  const elf_file said = read_elf(*shadow);
  if (const std::string problem = problem_with_elf(said); !problem.empty()) {
    remove_copy(*shadow);
    return refused(file, problem);
  }

  const std::string name = file.filename().string();
  const inside_plugin its_code(name.c_str());  // there is no other code yet that knows its id
  // RTLD_NOW: a missing symbol is found here and not in the middle of a command.
  void* handle = ::dlopen(shadow->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const std::string message = loader_message(*shadow);
    remove_copy(*shadow);
    return refused(file, "is not a loadable library: " + message);
  }
  library loaded(handle, *std::move(shadow));

  // A type that may throw: so what escapes is caught and not fatal.
  const auto query =
      reinterpret_cast<const rosey_plugin* (*)()>(::dlsym(handle, ROSEY_PLUGIN_QUERY_SYMBOL));
  if (!query) {
    return refused(file, no_entry);
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
  warn_of_exports(file, said);
  return loaded;
}

result<void> library::unload() {
  if (!handle_) return {};
  const std::string name = shadow_.filename().string();
  const inside_plugin its_code(name.c_str());
  ::dlclose(std::exchange(handle_, nullptr));
  plugin_ = nullptr;

  std::string why;
  if (void* still = ::dlopen(shadow_.c_str(), RTLD_NOW | RTLD_NOLOAD)) {
    ::dlclose(still);
    why = "the loader still holds it (a unique symbol, or a thread-local destructor)";
  } else if (is_mapped(shadow_)) {
    why = "it is still in the process maps";
  }
  remove_copy(shadow_);
  if (!why.empty()) return error{"still_mapped", shadow_.filename().string() + ": " + why};
  return {};
}

}  // namespace rosey::host
