#include "host_stub/cli/cli.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <mutex>
#include <set>
#include <sstream>
#include <utility>

#include "host_stub/address.hpp"
#include "host_stub/cli/signals.hpp"
#include "host_stub/output.hpp"
#include "host_stub/text.hpp"
#include "host_stub/text_file.hpp"
#include "host_stub/version.hpp"

namespace rosey::host {
namespace {

constexpr char default_config[] = "rosey.json";

// Says it once, however often the configuration is read again.
void warn_if_others_read(const std::filesystem::path& file, std::string_view what) {
  static std::mutex mutex;
  static std::set<std::filesystem::path> told;
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0 || (found.st_mode & S_IROTH) == 0) return;
  const std::lock_guard lock(mutex);
  if (!told.insert(file).second) return;
  spdlog::warn(
      "{} may be read by everybody on this machine and holds a secret ({}); run: chmod "
      "600 {}",
      file.string(), what, file.string());
}

// "" leaves the URL.
result<void> read_url_file(const std::filesystem::path& file, std::string& url) {
  if (file.empty()) return {};
  const auto text = read_text_file(file, {.bytes = 64 * 1024});
  if (!text) {
    return error{"config",
                 fmt::format("{}: cannot be read: {}", file.string(), text.error().message)};
  }
  url = trimmed(*text);
  if (url.empty() || url.find_first_of("\r\n") != std::string::npos) {
    return error{"config", fmt::format("{}: it must hold one line, with a URL", file.string())};
  }
  if (holds_secret(url)) warn_if_others_read(file, "a URL");
  return {};
}

// Prints help, or what is wrong with the usage; the exit status.
int explain(const CLI::App& app, const CLI::ParseError& failure, int argc, char** argv) {
  std::ostringstream help;
  std::ostringstream wrong;
  const int status = app.exit(failure, help, wrong);
  std::string text = wrong.str();
  for (int at = 1; at < argc; ++at) {
    // One that stands in the wrong place is quoted.
    if (!holds_secret(argv[at])) continue;
    const std::string shown = printable_address(argv[at]);
    for (auto found = text.find(argv[at]); found != std::string::npos;
         found = text.find(argv[at], found + shown.size())) {
      text.replace(found, std::strlen(argv[at]), shown);
    }
  }
  write_output(help.str());
  write_error(text);
  return status == 0 ? 0 : 2;
}

// What `ps` shows from now on. Before, there was a moment: a secret belongs into a file.
void hide_secrets(int argc, char** argv) {
  for (int at = 1; at < argc; ++at) {
    const std::string_view argument = argv[at];
    for (const std::string_view option : {"--nats-url", "--database"}) {
      const bool joined = argument.starts_with(option) && argument.substr(option.size(), 1) == "=";
      const std::size_t begin = joined ? option.size() + 1 : 0;
      if ((!joined && argv[at - 1] != option) || !holds_secret(argument.substr(begin))) continue;
      const std::string shown = printable_address(argument.substr(begin));
      const std::size_t size = argument.size() - begin;
      std::memset(argv[at] + begin, 0, size);
      shown.copy(argv[at] + begin, size);
      break;
    }
  }
}

}  // namespace

void config_options::add_file_option(CLI::App& command) {
  command.add_option("--config", file, "Configuration file (default: rosey.json, if there is one)");
}

void config_options::add_nats_option(CLI::App& command) {
  command
      .add_option("--nats-url", nats_url,
                  "NATS to use: nats://[token@]host:port, or tls://; several with commas are tried "
                  "in turn")
      ->envname("ROSEY_NATS_URL");
  command.add_option("--nats-url-file", nats_url_file,
                     "File that holds the NATS URL, and with it a secret");
}

void config_options::add_wait_option(CLI::App& command) {
  command
      .add_option_function<unsigned>(
          "--wait", [this](unsigned seconds) { wait = std::chrono::seconds(seconds); },
          "Seconds to wait for a NATS or a database that is not there yet")
      ->default_str(std::to_string(default_wait.count()))
      ->check(CLI::Range(0, 86'400));
}

void config_options::add_storage_options(CLI::App& command) {
  command.add_option("--database", database,
                     "Database: sqlite:PATH or postgresql://USER@HOST/NAME (Env:ROSEY_DATABASE)");
  command.add_option("--database-url-file", database_url_file,
                     "File that holds the database's URL, and with it a secret");
  command.add_option("--migrations", migrations, "Folder of the migration files, one per plugin");
}

void config_options::add_plugins_option(CLI::App& command) {
  command.add_option(
      "--plugins", plugins,
      "Folder of the plugins (lib<name>.so), and of migrations/<id>, which go first");
}

result<config> config_options::load() const {
  std::string path = file;
  std::error_code ignored;
  if (path.empty() && std::filesystem::exists(default_config, ignored)) path = default_config;
  result<config> loaded = path.empty() ? result<config>(config{}) : load_config(path);
  if (!loaded) return loaded;
  if (!loaded->secret_key.empty()) warn_if_others_read(path, loaded->secret_key);
  // A file goes before a URL, and a flag before the environment and the configuration.
  const char* of_environment = std::getenv("ROSEY_DATABASE");
  const auto choose = [](std::string& url, std::filesystem::path& from, const std::string& new_url,
                         const std::string& new_file) {
    if (new_url.empty() && new_file.empty()) return;
    from = new_file;
    if (new_file.empty()) url = new_url;
  };
  choose(loaded->nats_url, loaded->nats_url_file, nats_url, nats_url_file);
  choose(loaded->database, loaded->database_url_file, of_environment ? of_environment : "", "");
  choose(loaded->database, loaded->database_url_file, database, database_url_file);
  for (const auto& [url, from] : {std::pair(&loaded->nats_url, &loaded->nats_url_file),
                                  {&loaded->database, &loaded->database_url_file}}) {
    if (const auto read = read_url_file(*from, *url); !read) return read.error();
  }
  for (const auto* key : {&loaded->nats_login.key_file, &loaded->nats_login.credentials_file,
                          &loaded->nats_login.nkey_seed_file}) {
    if (!key->empty()) warn_if_others_read(*key, "a key");
  }
  if (!migrations.empty()) loaded->migrations = migrations;
  if (!plugins.empty()) loaded->plugin_directory = plugins;
  return loaded;
}

int run_command_line(int argc, char** argv) {
  open_standard_streams();
  log_to_error();
  CLI::App app(
      "Rosey: a chat-bot host that loads plugins at run time. Its playlist plugin gives a channel "
      "a shared media queue.");
  app.name("rosey");
  app.set_version_flag("--version", version);
  app.require_subcommand(1);
  app.fallthrough();
  std::string level = "info";
  app.add_option("--log-level", level, "What is logged on stderr")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str();

  subcommand run;
  add_run_command(app, run);
  add_storage_command(app, run);
  add_migrate_command(app, run);
  add_import_command(app, run);
  add_plugin_command(app, run);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    const auto left = app.remaining();
    if (app.get_subcommands().empty() && !left.empty() && !left.front().starts_with('-')) {
      print_error("There is no command '{}'; rosey --help lists those that there are\n",
                  left.front());
      return 2;
    }
    return explain(app, failure, argc, argv);
  }
  hide_secrets(argc, argv);
  spdlog::set_level(spdlog::level::from_str(level));
  try {
    block_termination_signals();
    const int status = run();
    const std::string lost = output_failure();
    // The bot's chat may be without a reader; the others are there for what they write.
    if (status != 0 || lost.empty() || app.got_subcommand("run")) return status;
    print_error("rosey: standard output could not be written: {}\n", lost);
    return 1;
  } catch (const std::exception& failure) {
    print_error("rosey: {}\n", failure.what());
    return 1;
  }
}

}  // namespace rosey::host
