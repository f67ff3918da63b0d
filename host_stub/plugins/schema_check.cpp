#include "host_stub/plugins/schema_check.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "rosey/wire/storage.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::host {
namespace {

namespace db = wire::db;

constexpr std::chrono::seconds time_for_status{3};
constexpr std::chrono::minutes time_to_migrate{10};

struct migrate_answer {
  std::optional<std::int64_t> version = {};  // after success
  bool is_pending = false;                   // of status: not all files are applied
  std::string code = {};                     // of a refusal; "" when nobody has answered
  std::string problem = {};

  // Says nothing of the tables.
  bool is_away() const { return !version && (code.empty() || code == db::codes::busy); }
};

migrate_answer ask(connection& bus, const std::string& subject, const db::migrate_request& request,
                   std::chrono::milliseconds most) {
  const auto payload = boost::json::serialize(db::to_json(request));
  const auto reply = bus.request(subject, payload, most);
  if (!reply) return {.problem = reply.error().message};
  try {
    const auto answer = db::decode_answer(*reply);
    if (!answer) return {.code = answer.error().code, .problem = answer.error().message};
    const auto* pending = answer->if_contains("pending");
    return {.version = answer->at("version").to_number<std::int64_t>(),
            .is_pending = pending && !pending->as_array().empty()};
  } catch (const std::exception& unexpected) {
    return {.problem = fmt::format("an answer that cannot be read: {}", unexpected.what())};
  }
}

std::int64_t needed_by(const rosey_plugin& plugin) {
  return ROSEY_HAS_FIELD(&plugin, rosey_plugin, needs_schema) ? plugin.needs_schema : 0;
}

std::string named(const rosey_plugin& plugin) {
  return fmt::format("{} {}", plugin.id, plugin.version);
}

error too_old(const rosey_plugin& plugin, std::int64_t version, const std::string& why) {
  return {"refused", fmt::format("{} needs its tables at version {}, but they are at {}: {}",
                                 named(plugin), needed_by(plugin), version, why)};
}

// What to do where the pending ones were not applied.
result<void> without_migration(const rosey_plugin& plugin, const migrate_answer& status,
                               const migrate_answer& applied) {
  // The files were in order just now: so it may not migrate by itself.
  const bool may_not = status.version && applied.code == db::codes::validation_error;
  if (!status.version || (!may_not && !applied.is_away())) {
    return error{"refused", fmt::format("the migrations of {} are refused: {}", named(plugin),
                                        applied.problem)};
  }
  if (*status.version < needed_by(plugin)) {
    return too_old(plugin, *status.version, applied.problem);
  }
  // Who does not say what it needs may need all of them.
  if (!may_not && needed_by(plugin) == 0) {
    return error{"refused", fmt::format("the migrations of {} cannot be applied now: {}",
                                        named(plugin), applied.problem)};
  }
  spdlog::warn("{} starts although not all of its migrations are applied: {}", named(plugin),
               applied.problem);
  return {};
}

}  // namespace

result<void> check_schema(connection& bus, const rosey_plugin& plugin) {
  const std::int64_t needed = needed_by(plugin);
  const auto status = ask(bus, wire::subjects::migrate(plugin.id, "status"), {}, time_for_status);
  if (status.version && *status.version >= needed && !status.is_pending) return {};
  if (status.is_away() || status.code == db::codes::database_error) {
    if (needed > 0) {
      spdlog::warn("{} starts without knowing whether its tables are at version {}: {}",
                   named(plugin), needed, status.problem);
    }
    return {};
  }
  const auto applied =
      ask(bus, wire::subjects::migrate(plugin.id, "apply"), {.automatic = true}, time_to_migrate);
  if (!applied.version) return without_migration(plugin, status, applied);
  if (*applied.version < needed) {
    return too_old(plugin, *applied.version, "there is no migration of it that is newer");
  }
  if (*applied.version > status.version.value_or(0)) {
    spdlog::info("the tables of {} are at version {} now", plugin.id, *applied.version);
  }
  return {};
}

}  // namespace rosey::host
