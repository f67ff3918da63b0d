#include "host_stub/cli/cli.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <exception>
#include <filesystem>

#include "host_stub/cli/signals.hpp"
#include "host_stub/version.hpp"

namespace rosey::host {
namespace {

constexpr char default_config[] = "rosey.json";

// Standard output belongs to the chat; the log goes to standard error.
void log_to_stderr(const std::string& level) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("rosey"));
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  spdlog::set_level(spdlog::level::from_str(level));
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
                     "Database: sqlite:PATH or postgresql://USER@HOST/NAME");
  command.add_option("--migrations", migrations, "Folder of the migration files, one per plugin");
}

result<config> config_options::load() const {
  std::string path = file;
  std::error_code ignored;
  if (path.empty() && std::filesystem::exists(default_config, ignored)) path = default_config;
  result<config> loaded = path.empty() ? result<config>(config{}) : load_config(path);
  if (!loaded) return loaded;
  if (!nats_url.empty()) loaded->nats_url = nats_url;
  if (!database.empty()) loaded->database = database;
  if (!migrations.empty()) loaded->migrations = migrations;
  return loaded;
}

int run_command_line(int argc, char** argv) {
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
      fmt::print(stderr, "There is no command '{}'; rosey --help lists those that there are\n",
                 left.front());
      return 2;
    }
    const int status = app.exit(failure);
    return status == 0 ? 0 : 2;
  }
  log_to_stderr(level);
  try {
    block_termination_signals();
    return run();
  } catch (const std::exception& failure) {
    fmt::print(stderr, "rosey: {}\n", failure.what());
    return 1;
  }
}

}  // namespace rosey::host
