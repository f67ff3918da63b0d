#include "host_stub/plugins/helper_libraries.hpp"

#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "host_stub/plugins/elf_file.hpp"
#include "host_stub/plugins/shadow_copy.hpp"

namespace rosey::host {
namespace {

constexpr std::string_view folder_suffix = ".with-helpers";
// One level down, for a run path such as $ORIGIN/../lib.
constexpr std::string_view inner_folder = "plugins";

// What stands behind $ORIGIN; none if the run path does not begin with it.
std::optional<std::filesystem::path> below_origin(std::string_view run_path) {
  for (const std::string_view origin : {"$ORIGIN", "${ORIGIN}"}) {
    if (!run_path.starts_with(origin)) continue;
    run_path.remove_prefix(origin.size());
    if (run_path.empty()) return std::filesystem::path(".");
    if (run_path.front() == '/') return std::filesystem::path(run_path.substr(1));
  }
  return std::nullopt;
}

bool is_inside(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto relative = path.lexically_normal().lexically_relative(folder.lexically_normal());
  return !relative.empty() && *relative.begin() != "..";
}

struct helper_copy {
  std::filesystem::path from;
  std::filesystem::path to;
};

// What `library` needs of where it lies, and what those need; `to` is where its copy will lie.
void find_helpers(const std::filesystem::path& library, const std::filesystem::path& origin,
                  const std::filesystem::path& to, const std::filesystem::path& limit,
                  std::vector<helper_copy>& found, std::set<std::filesystem::path>& seen) {
  const elf_file said = read_elf(library);
  for (const std::string& run_path : said.run_paths) {
    const auto below = below_origin(run_path);
    if (!below) continue;
    for (const std::string& name : said.needs) {
      const auto candidate = origin / *below / name;
      const auto target = (to / *below / name).lexically_normal();
      std::error_code failure;
      if (!is_inside(target, limit) || seen.contains(target) ||
          !std::filesystem::is_regular_file(candidate, failure)) {
        continue;
      }
      seen.insert(target);
      found.push_back({candidate, target});
      find_helpers(candidate, candidate.parent_path(), target.parent_path(), limit, found, seen);
    }
  }
}

}  // namespace

result<std::filesystem::path> bring_helpers(const std::filesystem::path& copy,
                                            const std::filesystem::path& original) {
  const std::filesystem::path folder = copy.string() + std::string(folder_suffix);
  const std::filesystem::path inner = folder / inner_folder;
  std::vector<helper_copy> found;
  std::set<std::filesystem::path> seen;
  find_helpers(copy, original.parent_path(), inner, folder, found, seen);
  std::error_code failure;
  if (std::filesystem::is_symlink(original, failure)) {
    const auto real = std::filesystem::canonical(original, failure);
    find_helpers(copy, real.parent_path(), inner, folder, found, seen);
  }
  if (found.empty()) return copy;
  for (const auto& [from, to] : found) {
    std::filesystem::create_directories(to.parent_path(), failure);
    if (const auto copied = copy_library(from, to); !copied) {
      std::filesystem::remove_all(folder, failure);
      return copied.error();
    }
  }
  std::filesystem::create_directories(inner, failure);
  const std::filesystem::path moved = inner / copy.filename();
  std::filesystem::rename(copy, moved, failure);
  if (!failure) return moved;
  const error why =
      refused(original, "cannot be moved to " + moved.string() + ": " + failure.message());
  std::filesystem::remove_all(folder, failure);
  return why;
}

std::filesystem::path folder_of_copy(const std::filesystem::path& copy) {
  const std::filesystem::path folder = copy.parent_path().parent_path();
  return folder.string().ends_with(folder_suffix) ? folder : std::filesystem::path();
}

std::set<std::string> needed_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().find(".so") == std::string::npos) continue;
    for (std::string& name : read_elf(entry.path()).needs) names.insert(std::move(name));
  }
  return names;
}

}  // namespace rosey::host
