// What may be the id of a plugin: the one list of reserved ids, for the host and for storage.
#pragma once

#include <string_view>

namespace rosey::host {

// Their tables, subjects and queue groups are those of the host, of the storage service and of the
// databases: rosey_kv, schema_migrations, sqlite_master, pg_catalog, db.row.…, service.…
inline constexpr std::string_view reserved_ids[] = {"db",      "pg",     "rosey",  "schema",
                                                    "service", "sqlite", "storage"};

// [a-z][a-z0-9-]{0,31}. Because ids have no '_', what stands before the first '_' of a table is its
// owner; because they have no '.', they are one token of a subject.
bool has_form_of_plugin_id(std::string_view text);

bool is_reserved_id(std::string_view text);

// Of the right form, and not reserved.
bool is_plugin_id(std::string_view text);

}  // namespace rosey::host
