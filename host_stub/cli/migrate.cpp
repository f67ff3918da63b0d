// rosey migrate: a plugin's tables brought to a version, on the database itself.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "host_stub/cli/cli.hpp"
#include "host_stub/output.hpp"
#include "host_stub/storage/database.hpp"
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

void print_report(const db::migration_report& report, bool up) {
  const char* verb = up ? "applied" : "rolled back";
  for (const db::migration& each : report.done) {
    print("{}{} {}\n", report.dry_run ? "would have " : "", verb, each.name);
  }
  if (report.done.empty()) print("nothing to do\n");
  print("version {}\n", report.version);
}

template <class Report>
void print_json(const Report& report) {
  print("{}\n", boost::json::serialize(db::to_json(report)));
}

// Looking creates nothing, least of all where the path was mistyped.
result<db::migration_status> status_of(const config& settings, const std::string& plugin) {
  if (const auto file = storage::missing_file(settings.database)) {
    print_error("rosey: there is no database '{}' yet\n", *file);
    return storage::status_of_nothing(settings.migrations, plugin, "sqlite");
  }
  const auto database = storage::open_database(settings.database, {});
  return storage::migrator(*database, settings.migrations, plugin).status();
}

int run_migrate(const migrate_options& options) {
  const auto settings = options.shared.load();
  if (!settings) throw std::runtime_error(settings.error().message);
  if (options.action == "status" && (options.to || options.dry_run)) {
    throw std::runtime_error("--to and --dry-run go with --action up or down");
  }
  if (options.action == "status") {
    const auto status = status_of(*settings, options.plugin);
    if (!status) throw std::runtime_error(status.error().message);
    options.json ? print_json(*status) : print_status(*status);
    return 0;
  }
  const auto database = storage::open_database(settings->database, {});
  storage::migrator migrator(*database, settings->migrations, options.plugin);
  const bool up = options.action == "up";
  const auto report =
      up ? migrator.up(options.to, options.dry_run) : migrator.down(options.to, options.dry_run);
  if (!report) throw std::runtime_error(report.error().message);
  options.json ? print_json(*report) : print_report(*report, up);
  return 0;
}

}  // namespace

void add_migrate_command(CLI::App& app, subcommand& run) {
  CLI::App* command =
      app.add_subcommand("migrate", "Change or show the version of a plugin's tables");
  auto options = std::make_shared<migrate_options>();
  options->shared.add_file_option(*command);
  options->shared.add_storage_options(*command);
  command
      ->add_option("--plugin", options->plugin, "Whose tables: a folder in the migrations folder")
      ->required();
  command->add_option("--action", options->action, "up, down or status")
      ->required()
      ->check(CLI::IsMember({"up", "down", "status"}));
  command
      ->add_option("--to", options->to,
                   "Version to stop at; without it, up applies all, down rolls back the newest one")
      ->check(no_version);
  command->add_flag("--dry-run", options->dry_run, "Try it in a transaction, and take it back");
  command->add_flag("--json", options->json, "Print what db.migrate.<plugin>.… answers");
  command->footer("To roll everything back: --action down --to 0");
  command->callback([&run, options] { run = [options] { return run_migrate(*options); }; });
}

}  // namespace rosey::host
