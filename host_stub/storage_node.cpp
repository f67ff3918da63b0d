#include "host_stub/storage_node.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "host_stub/bus/configured.hpp"
#include "host_stub/storage/database.hpp"
#include "host_stub/storage/migrator.hpp"
#include "host_stub/storage_claim.hpp"

namespace rosey::host {
namespace {

template <class Report>
Report checked(result<Report> outcome, const std::string& plugin) {
  if (outcome) return std::move(*outcome);
  const std::string why = fmt::format("migrations of '{}': {}", plugin, outcome.error().message);
  if (outcome.error().code == storage::db::codes::busy) throw storage::database_unavailable(why);
  throw std::runtime_error(why);
}

void apply_pending(storage::migrator work, const std::string& plugin) {
  for (const auto& applied : checked(work.up(), plugin).done) {
    spdlog::info("storage: applied {}/{}", plugin, applied.name);
  }
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

bool has_work(const config& settings, storage::database& database) {
  for (const std::string& plugin : plugins_with_migrations(settings.migrations)) {
    const auto status = storage::migrator(database, settings.migrations, plugin).status();
    if (status && !status->pending.empty()) return true;
  }
  return false;
}

void migrate_all(const config& settings, storage::database& database) {
  for (const std::string& plugin : plugins_with_migrations(settings.migrations)) {
    storage::migrator work(database, settings.migrations, plugin);
    if (settings.auto_migrate) apply_pending(work, plugin);
    const auto status = checked(work.status(), plugin);
    tell_unknown(status, plugin);
    tell_pending(status, plugin);
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
  options.auto_migrate = settings.auto_migrate;
  options.request_age = settings.request_age;
  options.log = [](const std::string& text) { spdlog::warn("storage: {}", text); };
  return options;
}

}  // namespace

std::vector<std::string> plugins_with_migrations(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) {
    throw std::runtime_error("the migrations folder '" + folder.string() +
                             "' does not exist; name another with storage.migrations");
  }
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    // Hidden ones, such as .git, are somebody else's.
    if (entry.is_directory() && !name.starts_with('.')) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

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
