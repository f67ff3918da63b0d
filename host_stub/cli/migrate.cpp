// rosey migrate: a plugin's tables brought to a version, on the database itself.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "host_stub/cli/cli.hpp"
#include "host_stub/cli/signals.hpp"
#include "host_stub/output.hpp"
#include "host_stub/storage/database.hpp"
#include "host_stub/storage/migration_places.hpp"
#include "host_stub/storage/migrator.hpp"

namespace rosey::host {
namespace {

namespace db = wire::db;

// What is wrong with the text as a version, "" for nothing.
std::string no_version(const std::string& text) {
  const bool digits = !text.empty() && text.size() <= 18 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? "" : fmt::format("'{}' is no version; give a whole number, 0 for none", text);
}

struct migrate_options {
  config_options shared;
  std::string plugin;
  std::string action;
  std::optional<std::int64_t> to;
  bool dry_run = false;
  bool json = false;
};

void print_status(const db::migration_status& status) {
  std::size_t width = 4;
  for (const auto* list : {&status.applied, &status.pending}) {
    for (const db::migration& each : *list) width = std::max(width, each.name.size());
  }
  print("{:<{}}  APPLIED\n", "FILE", width);
  for (const db::migration& each : status.applied) {
    print("{:<{}}  {}\n", each.name, width, each.applied_at);
  }
  for (const db::migration& each : status.pending) {
    print("{:<{}}  pending\n", each.name, width);
  }
  for (const db::migration& each : status.unknown) {
    fmt::print("{} is newer than the files in this folder\n", each.name);
  }
}

void print_report(const db::migration_report& report, const std::string& action) {
  const char* verb = action == "down" ? "rolled back" : "applied";
  for (const db::migration& each : report.done) {
    print("{}{} {}{}\n", report.dry_run ? "would have " : "", verb, each.name,
          action == "redo" ? " again" : "");
  }
  if (report.done.empty()) print("nothing to do\n");
  print("version {}\n", report.version);
}

template <class Report>
void print_json(const Report& report) {
  print("{}\n", boost::json::serialize(db::to_json(report)));
}

std::filesystem::path folder_of(const config& settings, const std::string& plugin) {
  return storage::migration_places(settings.plugin_directory, settings.migrations).of(plugin);
}

// Looking creates nothing, least of all where the path was mistyped.
result<db::migration_status> status_of(const config& settings, const std::string& plugin) {
  const std::filesystem::path folder = folder_of(settings, plugin);
  if (const auto file = storage::missing_file(settings.database)) {
    print_error("rosey: there is no database '{}' yet\n", *file);
    return storage::status_of_nothing(folder, plugin, "sqlite");
  }
  const auto database = storage::open_database(settings.database, {});
  return storage::migrator(*database, folder, plugin).status();
}

result<db::migration_report> change(storage::migrator& tables, const migrate_options& options) {
  if (options.action == "redo") return tables.redo(options.dry_run);
  return options.action == "up" ? tables.up(options.to, options.dry_run)
                                : tables.down(options.to, options.dry_run);
}

int run_migrate(const migrate_options& options) {
  const auto settings = options.shared.load();
  if (!settings) throw std::runtime_error(settings.error().message);
  if (options.action == "status" && (options.to || options.dry_run)) {
    throw std::runtime_error("--to and --dry-run go with --action up or down");
  }
  if (options.action == "redo" && options.to) {
    throw std::runtime_error("--to goes with --action up or down; redo is of the newest one");
  }
  if (options.action == "status") {
    const auto status = status_of(*settings, options.plugin);
    if (!status) throw std::runtime_error(status.error().message);
    options.json ? print_json(*status) : print_status(*status);
    return 0;
  }
  termination end;
  end.waits_for("the migration, which the database takes back,");
  const auto database = storage::open_database(settings->database, {});
  storage::migrator migrator(*database, folder_of(*settings, options.plugin), options.plugin);
  const auto report = change(migrator, options);
  if (!report) throw std::runtime_error(report.error().message);
  options.json ? print_json(*report) : print_report(*report, options.action);
  return 0;
}

}  // namespace

void add_migrate_command(CLI::App& app, subcommand& run) {
  CLI::App* command =
      app.add_subcommand("migrate", "Change or show the version of a plugin's tables");
  auto options = std::make_shared<migrate_options>();
  options->shared.add_file_option(*command);
  options->shared.add_storage_options(*command);
  options->shared.add_plugins_option(*command);
  command->add_option("--plugin", options->plugin, "Whose tables: its id, the name of its folder")
      ->required();
  command
      ->add_option(
          "--action", options->action,
          "up, down or status; in development also redo: the newest one that is applied is "
          "rolled back and applied again, as its file is now")
      ->required()
      ->check(CLI::IsMember({"up", "down", "redo", "status"}));
  command
      ->add_option("--to", options->to,
                   "Version to stop at; without it, up applies all, down rolls back the newest one")
      ->check(no_version);
  command->add_flag("--dry-run", options->dry_run, "Try it in a transaction, and take it back");
  command->add_flag("--json", options->json, "Print what db.migrate.<plugin>.… answers");
  command->footer(
      "To roll everything back: --action down --to 0. The files are those beside the plugin "
      "(<plugins>/migrations/<id>), else those in the folder of migrations.");
  command->callback([&run, options] { run = [options] { return run_migrate(*options); }; });
}

}  // namespace rosey::host
