// Changing a plugin's tables: what is asked on db.migrate.<plugin>.<action>, and the answers.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rosey/wire/storage_decode.hpp"

namespace rosey::wire::db {

// apply: up to `to`, or all; rollback: down to `to` (0: everything), or the newest only.
struct migrate_request {
  std::optional<std::int64_t> to = {};
  bool dry_run = false;    // runs them, then rolls everything back
  bool automatic = false;  // apply: nobody has asked for it, so it is refused where that matters
};

struct migration {
  std::int64_t version = 0;
  std::string name;        // of the file, as 001_create_queue.sql
  std::string applied_at;  // ISO 8601; "" when it is not applied
};

// What was done: applied or rolled back, in that order.
struct migration_report {
  std::vector<migration> done;
  std::int64_t version = 0;  // of the newest one that is applied now; 0 when none is
  bool dry_run = false;      // nothing was changed
};

struct migration_status {
  std::vector<migration> applied;  // oldest first
  std::vector<migration> pending;
  std::vector<migration> unknown;  // of those applied: newer than all files there are
  std::int64_t version = 0;
};

inline json::object to_json(const migrate_request& request) {
  json::object object{{"dry_run", request.dry_run}};
  if (request.automatic) object["automatic"] = true;
  if (request.to) object["to"] = *request.to;
  return object;
}

inline result<migrate_request> decode_migrate(json::object object) {
  reader in(object);
  migrate_request request;
  request.to = in.optional_integer("to", 0);
  request.dry_run = in.boolean_or("dry_run", false);
  request.automatic = in.boolean_or("automatic", false);
  if (in.failed()) return in.failure();
  return request;
}

inline json::array to_json(const std::vector<migration>& migrations) {
  json::array list;
  for (const migration& each : migrations) {
    json::object object{{"version", each.version}, {"name", each.name}};
    if (!each.applied_at.empty()) object["applied_at"] = each.applied_at;
    list.push_back(std::move(object));
  }
  return list;
}

inline json::object to_json(const migration_report& report) {
  json::object object{{"version", report.version}, {"dry_run", report.dry_run}};
  object["migrations"] = to_json(report.done);
  return object;
}

inline json::object to_json(const migration_status& status) {
  json::object object{{"version", status.version}};
  object["applied"] = to_json(status.applied);
  object["pending"] = to_json(status.pending);
  if (!status.unknown.empty()) object["unknown"] = to_json(status.unknown);
  return object;
}

}  // namespace rosey::wire::db
