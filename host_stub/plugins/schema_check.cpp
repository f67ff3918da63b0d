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
  std::string problem = {};                  // the message of a refusal
  bool away = false;                         // of one that says nothing of the tables
  std::optional<std::int64_t> version = {};  // after success
};

migrate_answer ask(connection& bus, const std::string& subject, const db::migrate_request& request,
                   std::chrono::milliseconds most) {
  const auto payload = boost::json::serialize(db::to_json(request));
  const auto reply = bus.request(subject, payload, most);
  if (!reply) return {.problem = reply.error().message, .away = true};
  try {
    const auto answer = db::decode_answer(*reply);
    if (!answer) {
      const std::string& code = answer.error().code;
      return {.problem = answer.error().message,
              .away = code == db::codes::busy || code == db::codes::database_error};
    }
    return {.version = answer->at("version").to_number<std::int64_t>()};
  } catch (const std::exception& unexpected) {
    return {.problem = fmt::format("an answer that cannot be read: {}", unexpected.what()),
            .away = true};
  }
}

}  // namespace

result<void> check_schema(connection& bus, const rosey_plugin& plugin) {
  if (!ROSEY_HAS_FIELD(&plugin, rosey_plugin, needs_schema) || plugin.needs_schema == 0) return {};
  const std::int64_t needed = plugin.needs_schema;
  const auto status = ask(bus, wire::subjects::migrate(plugin.id, "status"), {}, time_for_status);
  if (status.version && *status.version >= needed) return {};
  if (status.away) {
    spdlog::warn("{} {} starts without knowing whether its tables are at version {}: {}", plugin.id,
                 plugin.version, needed, status.problem);
    return {};
  }
  const db::migrate_request wanted{.to = needed, .automatic = true};
  const auto applied =
      ask(bus, wire::subjects::migrate(plugin.id, "apply"), wanted, time_to_migrate);
  if (applied.version && *applied.version >= needed) {
    spdlog::info("the tables of {} are at version {} now", plugin.id, *applied.version);
    return {};
  }
  const std::string there =
      status.version ? fmt::format("they are at {}", *status.version) : "what they are is unknown";
  return error{"refused", fmt::format("{} {} needs its tables at version {}, but {}: {}", plugin.id,
                                      plugin.version, needed, there, applied.problem)};
}

}  // namespace rosey::host
