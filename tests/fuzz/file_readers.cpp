// What the readers of files promise: a refusal is a sentence that names the file, and what was
// accepted keeps its rules.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/readers.hpp"
#include "host_stub/config.hpp"
#include "host_stub/import/import_file.hpp"
#include "host_stub/storage/migration_file.hpp"
#include "rosey/wire/utf8.hpp"
#include "temporary_directory.hpp"

namespace rosey::tests {
namespace {

std::string broken_by_file_refusal(const error& why, std::string_view file) {
  if (why.message.empty()) return "a refusal has a sentence";
  if (why.message.find(file) == std::string::npos) return "a refusal names the file";
  return {};
}

// A file with this content, in a folder of its own.
class written_file {
 public:
  written_file(const char* name, std::string_view content) : path_(folder().path() / name) {
    std::ofstream(path_, std::ios::binary)
        .write(content.data(), static_cast<std::streamsize>(content.size()));
  }
  ~written_file() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  written_file(const written_file&) = delete;
  written_file& operator=(const written_file&) = delete;

  const std::filesystem::path& path() const { return path_; }
  static const temporary_directory& folder() {
    static const temporary_directory made;
    return made;
  }

 private:
  std::filesystem::path path_;
};

std::string broken_by_config(std::string_view text) {
  const auto read = host::parse_config(text);
  if (!read) {
    if (read.error().message.empty()) return "a refusal has a sentence";
    return wire::is_valid_utf8(read.error().message) ? "" : "a refusal is valid UTF-8";
  }
  if (read->prefix.empty()) return "there is a prefix";
  if (read->readers < 1 || read->write_queue < 1) return "there is at least one of everything";
  for (const host::console_settings& console : read->consoles) {
    if (console.channel.empty() || console.user.empty()) return "names are not empty";
  }
  return {};
}

std::string broken_by_migration(std::string_view text) {
  const written_file file("001_fuzz.sql", text);
  const auto read = storage::read_migrations(file.folder().path(), "sqlite");
  if (!read) return broken_by_file_refusal(read.error(), "001_fuzz.sql");
  if (read->size() != 1) return "a file is a migration";
  const storage::migration_file& migration = read->front();
  if (migration.up.empty() || migration.down.empty()) return "both directions have statements";
  if ((migration.up + migration.down).find('\0') != std::string::npos) return "there is no NUL";
  if (migration.checksum.size() != 64) return "a checksum has 64 digits";
  return {};
}

std::string broken_by_import(std::string_view text) {
  const written_file file("list", text);
  for (const std::string channel : {"", "#lobby"}) {
    const auto read = host::read_import_file(file.path(), channel);
    if (!read) {
      if (auto broken = broken_by_file_refusal(read.error(), "list"); !broken.empty())
        return broken;
      continue;
    }
    for (const host::import_list& list : *read) {
      if (list.channel.empty()) return "a list has a channel";
      if (!channel.empty() && list.channel != channel) return "only the channel's list is taken";
      if (!list.lines.empty() && list.lines.size() != list.entries.size())
        return "entries have lines";
      if (!std::is_sorted(list.lines.begin(), list.lines.end())) return "lines are in order";
    }
  }
  return {};
}

std::vector<std::string> configs() {
  return {R"({
  // comments are allowed
  "nats": {"url": "nats://127.0.0.1:4222"},
  "storage": {"enabled": true, "database": "sqlite:data/rosey.db", "migrations": "migrations",
              "auto_migrate": false, "request_age_seconds": 60, "busy_timeout_ms": 5,
              "read_timeout_ms": 5, "write_timeout_ms": 5, "readers": 3, "write_queue": 7},
  "plugins": {"directory": "build/plugins", "watch": false, "config": {"playlist": {"x": [1, null]}}},
  "chat": {"prefix": "!", "connectors": [{"type": "console", "channel": "#a", "user": "u",
                                          "role": "admin"}]}, })",
          "{}", R"({"chat": {"connectors": []}})", R"({"storage": {"enabled": false}})"};
}

std::vector<std::string> migrations() {
  std::vector<std::string> all{
      "-- UP\nCREATE TABLE fuzz_a (id INTEGER);\n-- DOWN\nDROP TABLE fuzz_a;\n"};
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(SOURCE_DIR "/migrations")) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path());
    all.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  std::sort(all.begin(), all.end());  // a folder has no order
  return all;
}

std::vector<std::string> lists() {
  return {R"([{"uid": 1, "temp": true, "queueby": "ann",
              "media": {"type": "yt", "id": "dQw4w9WgXcQ", "title": "A", "seconds": 213}}])",
          R"({"#lobby": [{"media": {"type": "vi", "id": "76979871"}}], "#den": []})",
          "# old songs\r\n\r\n  https://youtu.be/dQw4w9WgXcQ\r\nvi:76979871\n", "{}", "[]"};
}

}  // namespace

const reader_under_test config_reader{"config", &broken_by_config, &configs};
const reader_under_test migration_reader{"migration", &broken_by_migration, &migrations};
const reader_under_test import_reader{"import", &broken_by_import, &lists};

}  // namespace rosey::tests
