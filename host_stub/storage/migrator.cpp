// Applying and rolling back, one locked step at a time.
#include "host_stub/storage/migrator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "host_stub/storage/column_value.hpp"
#include "host_stub/storage/migration_file.hpp"
#include "host_stub/storage/transact.hpp"

namespace rosey::storage {

namespace {

using files = std::vector<migration_file>;

constexpr std::chrono::seconds patience_of_a_step{10};  // with transactions that were faster

struct record {
  db::migration shown;
  std::string checksum;
};

std::vector<record> read_records(session& in, const std::string& plugin) {
  bindings bound(in.language());
  const std::string sql = fmt::format(
      "SELECT version, name, checksum, applied_at FROM schema_migrations WHERE plugin = {} "
      "ORDER BY version",
      bound.bind(plugin));
  std::vector<record> records;
  in.query(bound.finish(sql), [&records](const auto& row) {
    const json::value applied_at = to_json(column_kind::timestamp, row[3]);
    records.push_back({{std::get<std::int64_t>(row[0]), std::get<std::string>(row[1]),
                        std::string(applied_at.as_string())},
                       std::get<std::string>(row[2])});
    return true;
  });
  return records;
}

// The way out while a migration is being written.
std::string redo_hint(const std::string& plugin) {
  return fmt::format(
      "; in development, 'rosey migrate --plugin {} --action redo' takes it back and applies it "
      "again",
      plugin);
}

// What is applied must be what the files say, from the first one on. Behind the last file there may
// be more: a newer version of the plugin was here, or still is. `redone` is how many at the end may
// differ.
std::optional<error> check(const std::vector<record>& applied, const files& known,
                           const std::string& plugin, std::size_t redone = 0) {
  for (std::size_t i = 0; i < std::min(applied.size() - redone, known.size()); ++i) {
    const std::string way_out = i + 1 == applied.size() ? redo_hint(plugin) : "";
    const db::migration& was = applied[i].shown;
    if (known[i].version != was.version) {
      return db::invalid(fmt::format("{} is applied, but its file is missing", was.name));
    }
    if (known[i].name != was.name) {
      return db::invalid(fmt::format("{} is applied, but its file is now called {}{}", was.name,
                                     known[i].name, way_out));
    }
    if (!known[i].has(applied[i].checksum)) {
      return db::invalid(
          fmt::format("{} was edited after it had been applied{}", was.name, way_out));
    }
  }
  return std::nullopt;
}

result<std::vector<record>> checked_records(session& in, const std::string& plugin,
                                            const files& known) {
  auto applied = read_records(in, plugin);
  if (auto refused = check(applied, known, plugin)) return *refused;
  return applied;
}

void insert_record(session& in, const std::string& plugin, const migration_file& file) {
  bindings bound(in.language());
  const std::string sql = fmt::format(
      "INSERT INTO schema_migrations (plugin, version, name, checksum) VALUES ({}, {}, {}, {})",
      bound.bind(plugin), bound.bind(file.version), bound.bind(file.name),
      bound.bind(file.checksum));
  in.execute(bound.finish(sql));
}

void delete_record(session& in, const std::string& plugin, std::int64_t version) {
  bindings bound(in.language());
  const std::string sql =
      fmt::format("DELETE FROM schema_migrations WHERE plugin = {} AND version = {}",
                  bound.bind(plugin), bound.bind(version));
  in.execute(bound.finish(sql));
}

std::optional<error> run_part(session& in, const std::string& plugin, const migration_file& file,
                              const std::string& sql) {
  try {
    in.run_migration(plugin, sql);
    return std::nullopt;
  } catch (const sql_failure& failure) {
    // These are no fault of the file.
    if (failure.kind == sql_failure_kind::conflict) throw;
    const bool busy = failure.kind == sql_failure_kind::busy;
    return error{busy ? db::codes::busy : db::codes::database_error,
                 fmt::format("{} failed: {}", file.name, failure.what())};
  }
}

std::int64_t newest(const std::vector<record>& applied) {
  return static_cast<std::int64_t>(applied.size());
}

// Repeats `step` until it has nothing to do, each time in a transaction; a dry run does all in one
// and takes it back. A step tells what it did.
template <class Step>
result<db::migration_report> repeat(session& in, bool dry_run, Step step) {
  db::migration_report report;
  report.dry_run = dry_run;
  std::optional<transaction> all;
  if (dry_run) all.emplace(in, access::write);
  const auto once = [&](transaction& current) {
    result<std::optional<db::migration>> done = step(report.version);
    if (!done) current.take_back();
    return done;
  };
  while (true) {
    const auto done = dry_run ? once(*all) : transact(in, access::write, patience_of_a_step, once);
    if (!done) return done.error();
    if (!*done) return report;
    report.done.push_back(**done);
  }
}

error file_is_missing(const record& applied) {
  return db::invalid(fmt::format("{} is applied, but its file is missing", applied.shown.name));
}

result<db::migration_report> redo_newest(session& in, const std::string& plugin,
                                         const files& known) {
  const auto applied = read_records(in, plugin);
  if (applied.empty()) {
    return db::invalid(fmt::format("Nothing of '{}' is applied that could be redone", plugin));
  }
  if (auto refused = check(applied, known, plugin, 1)) return *refused;
  if (applied.size() > known.size()) return file_is_missing(applied.back());
  const migration_file& last = known[applied.size() - 1];
  if (auto refused = run_part(in, plugin, last, last.down)) return *refused;
  delete_record(in, plugin, last.version);
  if (auto refused = run_part(in, plugin, last, last.up)) return *refused;
  insert_record(in, plugin, last);
  db::migration_report report;
  report.done = {{last.version, last.name, ""}};
  report.version = last.version;
  return report;
}

template <class Action>
auto guarded(Action action) -> decltype(action()) {
  try {
    return action();
  } catch (const sql_failure& failure) {
    const bool busy =
        failure.kind == sql_failure_kind::busy || failure.kind == sql_failure_kind::conflict;
    return error{busy ? db::codes::busy : db::codes::database_error, failure.what()};
  }
}

// The plugin's migrations; its name becomes part of a path.
result<files> read_files(const std::filesystem::path& folder, const std::string& plugin,
                         std::string_view dialect) {
  if (!is_plugin_id(plugin)) {
    return db::invalid(fmt::format("'{}' is not a plugin's id", plugin));
  }
  return read_migrations(folder / plugin, dialect);
}

db::migration_status status_of(const std::vector<record>& applied, const files& known) {
  db::migration_status status;
  for (const record& each : applied) status.applied.push_back(each.shown);
  for (std::size_t i = known.size(); i < applied.size(); ++i) {
    status.unknown.push_back(applied[i].shown);
  }
  for (std::size_t i = applied.size(); i < known.size(); ++i) {
    status.pending.push_back({known[i].version, known[i].name, ""});
  }
  status.version = newest(applied);
  return status;
}

std::optional<error> check_target(std::optional<std::int64_t> to, const files& known) {
  if (!to || (*to >= 0 && *to <= static_cast<std::int64_t>(known.size()))) return std::nullopt;
  return db::invalid(
      fmt::format("There is no version {}; the newest one is {}", *to, known.size()));
}

}  // namespace

migrator::migrator(database& in, const std::filesystem::path& folder, std::string plugin,
                   std::chrono::milliseconds patience)
    : database_(in), folder_(folder), plugin_(std::move(plugin)), patience_(patience) {}

result<db::migration_report> migrator::up(std::optional<std::int64_t> to, bool dry_run) {
  return guarded([&]() -> result<db::migration_report> {
    const auto known = read_files(folder_, plugin_, database_.dialect_name());
    if (!known) return known.error();
    if (auto refused = check_target(to, *known)) return *refused;
    const auto target = to.value_or(static_cast<std::int64_t>(known->size()));
    const auto in = database_.connect(access::write);
    in->lock_migrations(plugin_, patience_);
    return repeat(*in, dry_run, [&](std::int64_t& version) -> result<std::optional<db::migration>> {
      const auto applied = checked_records(*in, plugin_, *known);
      if (!applied) return applied.error();
      version = newest(*applied);
      if (version >= target) return std::optional<db::migration>();
      const migration_file& next = (*known)[applied->size()];
      if (auto refused = run_part(*in, plugin_, next, next.up)) return *refused;
      insert_record(*in, plugin_, next);
      return std::optional(db::migration{next.version, next.name, ""});
    });
  });
}

result<db::migration_report> migrator::down(std::optional<std::int64_t> to, bool dry_run) {
  return guarded([&]() -> result<db::migration_report> {
    const auto known = read_files(folder_, plugin_, database_.dialect_name());
    if (!known) return known.error();
    if (auto refused = check_target(to, *known)) return *refused;
    const auto in = database_.connect(access::write);
    in->lock_migrations(plugin_, patience_);
    std::optional<std::int64_t> target = to;
    return repeat(*in, dry_run, [&](std::int64_t& version) -> result<std::optional<db::migration>> {
      const auto applied = checked_records(*in, plugin_, *known);
      if (!applied) return applied.error();
      version = newest(*applied);
      if (!target) target = version - 1;
      if (version == 0 || version <= *target) return std::optional<db::migration>();
      if (applied->size() > known->size()) return file_is_missing(applied->back());
      const migration_file& last = (*known)[applied->size() - 1];
      if (auto refused = run_part(*in, plugin_, last, last.down)) return *refused;
      delete_record(*in, plugin_, last.version);
      return std::optional(db::migration{last.version, last.name, ""});
    });
  });
}

result<db::migration_report> migrator::redo(bool dry_run) {
  return guarded([&]() -> result<db::migration_report> {
    const auto known = read_files(folder_, plugin_, database_.dialect_name());
    if (!known) return known.error();
    const auto in = database_.connect(access::write);
    in->lock_migrations(plugin_, patience_);
    return transact(*in, access::write, patience_of_a_step, [&](transaction& current) {
      auto report = redo_newest(*in, plugin_, *known);
      if (report) report->dry_run = dry_run;
      if (!report || dry_run) current.take_back();
      return report;
    });
  });
}

result<db::migration_status> migrator::status() {
  return guarded([&]() -> result<db::migration_status> {
    const auto known = read_files(folder_, plugin_, database_.dialect_name());
    const auto in = database_.connect(access::read);
    transaction snapshot(*in, access::read);
    const auto applied = known ? checked_records(*in, plugin_, *known)
                               : result<std::vector<record>>(read_records(*in, plugin_));
    if (!applied) return applied.error();
    // Whose files are elsewhere has tables all the same.
    const bool has_folder = std::filesystem::is_directory(folder_ / plugin_);
    if (!known && (has_folder || applied->empty())) return known.error();
    return status_of(*applied, known ? *known : files());
  });
}

result<db::migration_status> status_of_nothing(const std::filesystem::path& folder,
                                               const std::string& plugin,
                                               std::string_view dialect) {
  const auto known = read_files(folder, plugin, dialect);
  if (!known) return known.error();
  return status_of({}, *known);
}

}  // namespace rosey::storage
