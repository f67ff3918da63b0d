// Reading and checking of migration files.
#include "host_stub/storage/migration_file.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>

#include "host_stub/text.hpp"
#include "host_stub/text_file.hpp"
#include "rosey/wire/storage_decode.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::storage {

namespace {

using wire::db::invalid;

struct file_name {
  std::int64_t version = 0;
  std::string base;     // NNN_name.sql
  std::string dialect;  // "" for all of them
};

bool consists_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// Nothing if it is not named like a migration.
std::optional<file_name> parse_name(const std::string& name) {
  constexpr std::string_view digits = "0123456789";
  constexpr std::string_view word = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  std::string_view stem = name;
  stem.remove_suffix(std::string_view(".sql").size());
  file_name parsed;
  if (const std::size_t point = stem.rfind('.'); point != std::string_view::npos) {
    parsed.dialect = stem.substr(point + 1);
    if (parsed.dialect != "sqlite" && parsed.dialect != "postgresql") return std::nullopt;
    stem = stem.substr(0, point);
  }
  const std::size_t number = std::min(stem.find('_'), stem.size());
  if (number < 3 || number > 9 || !consists_of(stem.substr(0, number), digits)) {
    return std::nullopt;
  }
  if (number == stem.size() || !consists_of(stem.substr(number + 1), word)) return std::nullopt;
  std::from_chars(stem.data(), stem.data() + number, parsed.version);
  parsed.base = std::string(stem) + ".sql";
  return parsed;
}

std::string sha256(const std::string& content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(content.data(), content.size(), digest.data(), &size, EVP_sha256(), nullptr) !=
      1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

bool says_nothing(std::string_view line) {
  return line.empty() || line.starts_with("--");
}

std::string with_line_ends(const std::string& content, const char* line_end) {
  std::string text;
  for (const char c : content) {
    if (c == '\n') {
      text += line_end;
    } else if (c != '\r') {
      text += c;
    }
  }
  return text;
}

// Of the lines that say something, without what stands at their ends.
std::string statements_of(const std::string& part) {
  std::istringstream lines(part);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    const std::string_view said = host::trimmed(line);
    if (!says_nothing(said)) text.append(said) += '\n';
  }
  return text;
}

void add_checksums(migration_file& file, const std::string& content) {
  file.checksum =
      sha256("-- UP\n" + statements_of(file.up) + "-- DOWN\n" + statements_of(file.down));
  file.former_checksums = {sha256(content), sha256(with_line_ends(content, "\n")),
                           sha256(with_line_ends(content, "\r\n"))};
}

// Splits at the two markers and keeps all lines between as they are, but for carriage returns.
result<migration_file> parse_content(migration_file file, const std::string& content) {
  const auto refuse = [&file](std::string_view why) {
    return invalid(fmt::format("{} {}", file.name, why));
  };
  if (!wire::is_valid_utf8(content)) return refuse("is not UTF-8");
  // A database would take what stands before it for all.
  if (content.find('\0') != std::string::npos) return refuse("contains a NUL byte");
  enum { before, up, down } part = before;
  bool has_statement[] = {false, false, false};
  std::istringstream lines(content);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    const std::string_view text = host::trimmed(line);
    if (text == "-- UP") {
      if (part != before) return refuse("has a second '-- UP', or has it behind '-- DOWN'");
      part = up;
    } else if (text == "-- DOWN") {
      if (part == before) return refuse("has no '-- UP' before its '-- DOWN'");
      if (part == down) return refuse("has a second '-- DOWN'");
      part = down;
    } else {
      has_statement[part] = has_statement[part] || !says_nothing(text);
      if (part == up) file.up += line + "\n";
      if (part == down) file.down += line + "\n";
    }
  }
  if (has_statement[before]) return refuse("has a statement before '-- UP'");
  if (part == before) return refuse("has no '-- UP'");
  if (part == up) return refuse("has no '-- DOWN'");
  if (!has_statement[up]) return refuse("has no statement under '-- UP'");
  if (!has_statement[down]) return refuse("has no statement under '-- DOWN'");
  add_checksums(file, content);
  return file;
}

struct candidate {
  std::string base;
  std::filesystem::path path;      // of the file for all dialects; empty if there is none
  std::filesystem::path stand_in;  // of the file for ours
};

using candidates = std::map<std::int64_t, candidate>;

std::optional<error> add(candidates& all, const std::filesystem::path& path,
                         std::string_view dialect) {
  const std::string shown = path.filename().string();
  const auto parsed = parse_name(shown);
  if (!parsed) return invalid(fmt::format("{} is not named like 001_name.sql", shown));
  candidate& same = all[parsed->version];
  if (!same.base.empty() && same.base != parsed->base) {
    const auto [first, second] = std::minmax(same.base, parsed->base);
    return invalid(fmt::format("{} and {} have the same number", first, second));
  }
  same.base = parsed->base;
  if (parsed->dialect.empty()) {
    same.path = path;
  } else if (parsed->dialect == dialect) {
    same.stand_in = path;
  }
  return std::nullopt;
}

result<candidates> list(const std::filesystem::path& folder, std::string_view dialect) {
  std::error_code failure;
  std::filesystem::directory_iterator entries(folder, failure);
  if (failure) {
    return invalid(fmt::format("Cannot read the folder '{}' of migrations: {}", folder.string(),
                               failure.message()));
  }
  candidates all;
  for (const auto& entry : entries) {
    if (entry.path().extension() != ".sql") continue;
    if (auto refused = add(all, entry.path(), dialect)) return *refused;
  }
  return all;
}

}  // namespace

bool migration_file::has(const std::string& recorded) const {
  return recorded == checksum || std::find(former_checksums.begin(), former_checksums.end(),
                                           recorded) != former_checksums.end();
}

result<std::vector<migration_file>> read_migrations(const std::filesystem::path& folder,
                                                    std::string_view dialect) {
  const auto all = list(folder, dialect);
  if (!all) return all.error();
  std::vector<migration_file> files;
  for (const auto& [version, found] : *all) {
    const auto expected = static_cast<std::int64_t>(files.size()) + 1;
    if (version != expected) {
      return invalid(fmt::format("{} follows, but number {:03} is missing", found.base, expected));
    }
    if (found.path.empty()) {
      return invalid(fmt::format("{} is missing; only dialects' versions of it exist", found.base));
    }
    const std::filesystem::path& path = found.stand_in.empty() ? found.path : found.stand_in;
    const auto content = host::read_text_file(path);
    if (!content) {
      return invalid(fmt::format("Cannot read '{}': {}", path.string(), content.error().message));
    }
    migration_file file;
    file.version = version;
    file.name = found.base;
    auto parsed = parse_content(std::move(file), *content);
    if (!parsed) return parsed.error();
    files.push_back(std::move(*parsed));
  }
  return files;
}

}  // namespace rosey::storage
