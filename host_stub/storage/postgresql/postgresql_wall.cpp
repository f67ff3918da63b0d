// Names of the server's own functions are written in full: the script may have made others of the
// same name.
#include "host_stub/storage/postgresql/postgresql_wall.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <utility>
#include <vector>

#include "host_stub/storage/own_objects.hpp"
#include "host_stub/storage/session.hpp"

namespace rosey::storage {

namespace {

// Key, kind, whether it is where our tables are, name of the table or whatever it is, version. An
// index is its table's. $1 is the schema of our tables.
constexpr char postgresql_catalogue[] = R"(
SELECT 'class ' || c.oid,
       CASE WHEN t.relname IS NOT NULL OR c.relkind IN ('r', 'p', 'f') THEN 'table'
            WHEN c.relkind = 'S' THEN 'sequence' WHEN c.relkind = 'c' THEN 'type' ELSE 'view' END,
       n.nspname = $1 OR n.oid = pg_catalog.pg_my_temp_schema(),
       COALESCE(t.relname, c.relname)::text, c.xmin::text
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_toast%'
UNION ALL
SELECT 'function ' || f.oid, 'function', n.nspname = $1, f.proname::text, f.xmin::text
FROM pg_catalog.pg_proc AS f JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
UNION ALL
SELECT 'type ' || y.oid, 'type', n.nspname = $1, y.typname::text, y.xmin::text
FROM pg_catalog.pg_type AS y JOIN pg_catalog.pg_namespace AS n ON n.oid = y.typnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND y.typtype IN ('d', 'e', 'r')
UNION ALL
SELECT 'label ' || e.oid, 'type', n.nspname = $1, y.typname::text, e.xmin::text
FROM pg_catalog.pg_enum AS e JOIN pg_catalog.pg_type AS y ON y.oid = e.enumtypid
JOIN pg_catalog.pg_namespace AS n ON n.oid = y.typnamespace
UNION ALL
SELECT 'schema ' || n.oid, 'schema', FALSE, n.nspname::text, n.xmin::text
FROM pg_catalog.pg_namespace AS n WHERE n.nspname NOT LIKE 'pg\_%'
UNION ALL
SELECT 'extension ' || x.oid, 'extension', FALSE, x.extname::text, x.xmin::text
FROM pg_catalog.pg_extension AS x
UNION ALL
SELECT 'rights ' || d.oid, 'default rights of', FALSE, pg_catalog.pg_get_userbyid(d.defaclrole)::text,
       d.xmin::text
FROM pg_catalog.pg_default_acl AS d
UNION ALL
SELECT 'settings ' || s.setdatabase || ' ' || s.setrole, 'settings of', FALSE,
       COALESCE(r.rolname::text, 'all'), s.xmin::text
FROM pg_catalog.pg_db_role_setting AS s
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole)";

constexpr char held_locks[] = R"(
SELECT 'class ' || relation, mode FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation')";

constexpr char own_functions[] = R"(
SELECT f.prosrc FROM pg_catalog.pg_proc AS f
JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
WHERE n.nspname = $1 AND pg_catalog.starts_with(f.proname::text, $2))";

using catalogue_row = std::vector<sql_value>;

void for_each(const postgresql_result& rows,
              const std::function<void(const catalogue_row&)>& each) {
  catalogue_row values;
  for (int i = 0; i < rows.rows(); ++i) {
    rows.read(i, values);
    each(values);
  }
}

const std::string& text_at(const catalogue_row& values, std::size_t column) {
  return std::get<std::string>(values.at(column));
}

std::string only_text(postgresql_connection& in, const char* sql) {
  catalogue_row values;
  in.execute(std::string(sql)).read(0, values);
  const auto* text = std::get_if<std::string>(&values.at(0));
  return text ? *text : "";
}

// The names that a function's body writes: as they are within double quotes, else in lower case.
std::set<std::string> names_in(const std::string& body) {
  std::set<std::string> names;
  std::string word;
  for (std::size_t i = 0; i <= body.size(); ++i) {
    const char c = i < body.size() ? body[i] : ' ';
    const auto closing = c == '"' ? body.find('"', i + 1) : body.npos;
    if (closing != body.npos) names.insert(body.substr(i + 1, closing - i - 1));
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else {
      names.insert(std::exchange(word, {}));
    }
  }
  return names;
}

}  // namespace

postgresql_wall::postgresql_wall(postgresql_connection& connection, std::string plugin)
    : connection_(connection),
      plugin_(std::move(plugin)),
      settings_before_(settings()),
      schema_(only_text(connection, "SELECT current_schema()::text")),
      before_(read_objects()),
      locks_before_(read_locks()) {}

std::string postgresql_wall::problem_after() {
  // What is put off to the commit happens before the look.
  connection_.execute(std::string("SET CONSTRAINTS ALL IMMEDIATE"));
  if (settings() != settings_before_) return "it may not change the search_path or the role";
  const objects now = read_objects();
  if (std::string problem = problem_with_changes(now); !problem.empty()) return problem;
  if (std::string problem = problem_with_locks(); !problem.empty()) return problem;
  return problem_with_functions();
}

std::string postgresql_wall::settings() {
  return only_text(connection_, "SHOW search_path") + '\n' + only_text(connection_, "SHOW role") +
         '\n' + only_text(connection_, "SHOW session_authorization");
}

postgresql_wall::objects postgresql_wall::read_objects() {
  objects all;
  for_each(connection_.execute_once({postgresql_catalogue, {schema_}}),
           [&](const catalogue_row& values) {
             const std::string& name = text_at(values, 3);
             const bool here = std::get<bool>(values.at(2));
             all[text_at(values, 0)] = {text_at(values, 1), name, text_at(values, 4), here,
                                        here && owner_of(name) == plugin_};
           });
  return all;
}

std::set<std::string> postgresql_wall::read_locks() {
  std::set<std::string> all;
  for_each(connection_.execute_once({held_locks, {}}), [&all](const catalogue_row& values) {
    all.insert(text_at(values, 0) + ' ' + text_at(values, 1));
  });
  return all;
}

// A table is named before what belongs to it.
std::string postgresql_wall::problem_with_changes(const objects& now) const {
  const object* worst = nullptr;
  const auto add = [&worst](const object& what) {
    if (!what.own && (!worst || (worst->kind != "table" && what.kind == "table"))) worst = &what;
  };
  for (const auto& [key, was] : before_) {
    const auto found = now.find(key);
    if (found == now.end() || found->second.version != was.version) add(was);
  }
  for (const auto& [key, is] : now) {
    const auto found = before_.find(key);
    if (found == before_.end() || found->second.version != is.version) add(is);
  }
  return worst ? not_own(*worst) : "";
}

std::string postgresql_wall::problem_with_locks() {
  const object* worst = nullptr;
  for (const std::string& lock : read_locks()) {
    if (locks_before_.contains(lock)) continue;
    const auto found = before_.find(lock.substr(0, lock.rfind(' ')));
    if (found == before_.end() || found->second.own) continue;
    if (!worst || (worst->kind != "table" && found->second.kind == "table")) {
      worst = &found->second;
    }
  }
  return worst ? not_own(*worst) : "";
}

// A body runs later, in requests. It is only text until then.
std::string postgresql_wall::problem_with_functions() {
  std::string problem;
  const auto bodies = connection_.execute_once({own_functions, {schema_, plugin_ + "_"}});
  for_each(bodies, [&](const catalogue_row& values) {
    const std::set<std::string> names = names_in(text_at(values, 0));
    for (const auto& [key, what] : before_) {
      const bool has_rows = what.kind == "table" || what.kind == "view";
      if (has_rows && what.here && !what.own && names.contains(what.name)) problem = not_own(what);
    }
  });
  return problem;
}

std::string postgresql_wall::not_own(const object& what) const {
  return not_its_own(plugin_, what.kind, what.name);
}

}  // namespace rosey::storage
