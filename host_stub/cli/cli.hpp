// The command line: rosey run | storage | migrate | import | plugin.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "host_stub/cli/waiting.hpp"
#include "host_stub/config.hpp"

namespace rosey::host {

// Returns the process' exit status: 0 success, 1 a failure that was explained on stderr, 2 wrong
// usage.
int run_command_line(int argc, char** argv);

// Each adds its subcommand; `run` is set to what carries it out and returns the exit status.
using subcommand = std::function<int()>;
void add_run_command(CLI::App& app, subcommand& run);
void add_storage_command(CLI::App& app, subcommand& run);
void add_migrate_command(CLI::App& app, subcommand& run);
void add_import_command(CLI::App& app, subcommand& run);
void add_plugin_command(CLI::App& app, subcommand& run);

// Options that several subcommands share: --config and what overrides it.
struct config_options {
  std::string file;  // "": rosey.json if there is one, else the defaults
  std::string nats_url;
  std::string nats_url_file;
  std::string database;
  std::string database_url_file;
  std::string migrations;
  std::string plugins;
  std::chrono::seconds wait = default_wait;

  void add_file_option(CLI::App& command);
  void add_nats_option(CLI::App& command);
  void add_wait_option(CLI::App& command);
  void add_storage_options(CLI::App& command);
  void add_plugins_option(CLI::App& command);

  bool names_database() const { return !database.empty() || !database_url_file.empty(); }

  // Reads the file, then applies the environment and the flags. Fails with one sentence.
  result<config> load() const;
};

}  // namespace rosey::host
