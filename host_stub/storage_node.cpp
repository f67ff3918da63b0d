#include "host_stub/storage_node.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <stdexcept>
#include <utility>

#include "host_stub/bus/configured.hpp"
#include "host_stub/storage/database.hpp"
#include "host_stub/storage/migration_places.hpp"
#include "host_stub/storage/migrator.hpp"
#include "host_stub/storage_claim.hpp"

namespace rosey::host {
namespace {

// Of one plugin. `broken` says that the database is, or that others are at work in it.
struct migration_outcome {
  std::string problem = {};
  bool broken = false;
  bool busy = false;
};

// On a server a script may meet locks, or be ended, because of what it does; a file is locked by
// others.
migration_outcome outcome_of(const error& why, const storage::database& in,
                             storage::migrator& work) {
  const bool busy = why.code == storage::db::codes::busy;
  if (busy && (why.message == storage::migration_at_work || !in.writes_in_parallel())) {
    return {why.message, true, true};
  }
  // Where not even that can be read, it is no plugin's fault.
  const auto status = work.status();
  const bool broken = !status && status.error().code != storage::db::codes::validation_error;
  return {why.message, broken, busy};
}

migration_outcome apply_pending(const storage::database& in, storage::migrator& work,
                                const std::string& plugin) {
  const auto report = work.up();
  if (!report) return outcome_of(report.error(), in, work);
  for (const auto& applied : report->done) {
    spdlog::info("storage: applied {}/{}", plugin, applied.name);
  }
  return {};
}

// The plugin that is loaded says whether it can do with them.
void tell_unknown(const storage::db::migration_status& status, const std::string& plugin) {
  for (const auto& unknown : status.unknown) {
    spdlog::warn("storage: {}/{} is applied, and newer than the files that are here", plugin,
                 unknown.name);
  }
}

void tell_pending(const storage::db::migration_status& status, const std::string& plugin) {
  for (const auto& pending : status.pending) {
    spdlog::warn("storage: pending {}/{}", plugin, pending.name);
  }
  if (!status.pending.empty()) {
    spdlog::warn("storage: to apply them, run: rosey migrate --plugin {} --action up", plugin);
  }
}

// Answers while migrations that may take long are applied.
class migrating_service final : public storage::service {
 public:
  explicit migrating_service(const storage::database& database)
      : told_(storage::db::encode_success(storage::describe(database))) {}

  void handle(std::span<storage::incoming> burst) override {
    for (const storage::incoming& each : burst) {
      each.reply(storage::db::encode(
          storage::db::failure(error{storage::db::codes::busy, storage::migration_at_work})));
    }
  }
  storage::statistics stats() const override { return {}; }
  std::string monitor() const override { return told_; }

 private:
  std::string told_;
};

storage::migration_places places_of(const config& settings) {
  return {settings.plugin_directory, settings.migrations};
}

bool has_work(const config& settings, storage::database& database) {
  const auto places = places_of(settings);
  for (const std::string& plugin : places.names()) {
    const auto status = storage::migrator(database, places.of(plugin), plugin).status();
    if (status && !status->pending.empty()) return true;
  }
  return false;
}

migration_outcome migrate_one(const config& settings, const storage::database& in,
                              storage::migrator& work, const std::string& plugin) {
  if (settings.auto_migrate) {
    auto applied = apply_pending(in, work, plugin);
    if (!applied.problem.empty()) return applied;
  }
  const auto status = work.status();
  if (!status) return outcome_of(status.error(), in, work);
  tell_unknown(*status, plugin);
  tell_pending(*status, plugin);
  return {};
}

// What is wrong with one plugin's is said, and keeps that plugin out when it is loaded.
void migrate_all(const config& settings, storage::database& database) {
  const auto places = places_of(settings);
  for (const std::string& plugin : places.names()) {
    storage::migrator work(database, places.of(plugin), plugin);
    const auto outcome = migrate_one(settings, database, work, plugin);
    if (outcome.problem.empty()) continue;
    const std::string why = fmt::format("migrations of '{}': {}", plugin, outcome.problem);
    if (outcome.broken && outcome.busy) throw storage::database_unavailable(why);
    if (outcome.broken) throw std::runtime_error(why);
    spdlog::error("storage: {} ({})", why, (places.of(plugin) / plugin).string());
  }
}

connection::settings on_threads(connection::settings chosen,
                                std::function<void(const std::string& why)> on_closed) {
  chosen.mode = connection::delivery::parallel;
  chosen.on_closed = std::move(on_closed);
  return chosen;
}

storage::options service_options(const config& settings, connection& bus) {
  storage::options options;
  options.reply_limit = storage_endpoint::reply_limit(bus);
  options.busy_timeout = settings.busy_timeout;
  options.read_timeout = settings.read_timeout;
  options.write_timeout = settings.write_timeout;
  options.readers = settings.readers;
  options.write_queue = settings.write_queue;
  options.database = settings.database;
  options.migrations = settings.migrations.string();
  options.plugins = settings.plugin_directory.string();
  options.auto_migrate = settings.auto_migrate;
  options.request_age = settings.request_age;
  options.log = [](const std::string& text) { spdlog::warn("storage: {}", text); };
  return options;
}

}  // namespace

storage_node::storage_node(const std::string& nats_url, const config& settings,
                           std::function<void(const std::string& why)> on_closed)
    : bus_(on_threads(configured(settings, nats_url, "rosey storage"), std::move(on_closed))) {
  const storage::options options = service_options(settings, bus_);
  auto database = storage::open_database(options);
  storage_claim claim(bus_, *database);
  settings.has_private_nats() ? claim.hold() : claim.settle();
  migrating_service meanwhile(*database);
  std::optional<storage_endpoint> busy;
  if (settings.auto_migrate && has_work(settings, *database)) busy.emplace(bus_, meanwhile);
  migrate_all(settings, *database);
  service_ = storage::open_service(options, std::move(database));
  busy.reset();
  endpoint_.emplace(bus_, *service_);
  if (const auto known = bus_.flush(std::chrono::seconds(5)); !known) {
    throw std::runtime_error(known.error().message);
  }
  if (const auto refused = bus_.refused_since(0); !refused.empty()) {
    throw std::runtime_error(not_permitted(refused, "the storage service"));
  }
}

void storage_node::leave_nats(std::chrono::milliseconds patience) {
  if (!bus_.flush(patience)) bus_.close();
}

}  // namespace rosey::host
