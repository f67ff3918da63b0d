// Reading and writing rows: what is asked on db.row.<plugin>.<operation>, and the answers.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rosey/wire/storage_decode.hpp"

namespace rosey::wire::db {

// Table names are written without the plugin's prefix: "queue" is the table playlist_queue.
//
// A filter is an object. {"channel": "#a", "position": {"$gt": 3, "$lte": 9}} joins its entries by
// "and"; {"$and": [filter...]}, {"$or": [filter...]} and {"$not": filter} nest. On a column:
//   value or $eq, $ne     equal; a null means "has no value"; $ne matches rows without a value too
//   $gt $gte $lt $lte     a value that is not null
//   $in, $nin             a list of values; $nin matches rows without a value too
//   $like, $ilike         % any run, _ one character, \ makes the next one literal; $ilike ignores
//                         the case of ASCII letters
//   $exists, $null        true or false: whether there is, or is not, a value
//
// Values: integers of 64 bits, reals, texts (any Unicode but U+0000), booleans, null. A timestamp
// is ISO 8601 ("2024-05-01T12:00:00Z", with fraction or offset as wanted, UTC without one) or
// whole seconds since 1970; it is answered as "2024-05-01T12:00:00[.fff]Z".

// An id that a row brings along is not known to PostgreSQL's generator, which may give it again;
// let the database give all of a table's ids, or none.
struct insert_request {
  std::string table;
  std::vector<json::object> rows;  // values by column; columns left out get their default
  bool many = false;               // whether `values` is a list, which the reply's shape follows
};

struct insert_reply {
  std::vector<std::int64_t> ids;  // 0 for tables without an integer primary key
  std::int64_t created = 0;
  bool many = false;
};

struct order_by {
  std::string column;  // or the name of an aggregate
  bool descending = false;
};

// {"<name>": {"$count": "*"}}, or $count, $sum, $avg, $min, $max of a column; "distinct": true
// beside the function takes each value once. $count of a column counts its values that are not
// null; $sum of nothing is 0, the others' null.
struct aggregate {
  std::string name;
  std::string function;  // with its $
  std::string column;    // "*" for rows
  bool distinct = false;
};

struct select_request {
  std::string table;
  json::object filter = {};
  std::vector<order_by> order = {};
  std::optional<std::int64_t> limit = {};
  std::int64_t offset = 0;
  std::vector<std::string> columns = {};  // empty: all, or no grouping when there are aggregates
  bool distinct = false;
  std::vector<aggregate> aggregates = {};  // with `columns`: one row for each group of them
};

struct select_reply {
  json::array rows;        // of objects by column
  bool truncated = false;  // the reply would be too long: more rows match, ask again with an offset
};

// `update` is {"$set": {column: value...}, "$inc": …, "$mul": …, "$max": …, "$min": …}; a column
// may appear once. A missing value counts as 0 for $inc and $mul and loses against $max and $min.
// With `upsert`, when no row matches, one is inserted from the filter's equalities and the update.
struct update_request {
  std::string table;
  json::object filter = {};
  json::object update = {};
  bool upsert = false;
  bool all = false;  // required with an empty filter
};

struct update_reply {
  std::int64_t affected = 0;  // rows that matched, or 1 when one was inserted
  bool upserted = false;      // whether it was inserted
};

struct delete_request {
  std::string table;
  json::object filter = {};
  bool all = false;  // required with an empty filter
};

struct delete_reply {
  std::int64_t deleted = 0;
};

inline json::object to_json(const insert_request& request) {
  json::object object{{"table", request.table}};
  if (!request.many && request.rows.size() == 1) {
    object["values"] = request.rows.front();
  } else {
    object["values"] = json::array(request.rows.begin(), request.rows.end());
  }
  return object;
}

inline json::object to_json(const select_request& request) {
  json::object object{{"table", request.table}};
  if (!request.filter.empty()) object["filter"] = request.filter;
  if (!request.order.empty()) {
    json::object order;
    for (const order_by& by : request.order) order[by.column] = by.descending ? -1 : 1;
    object["order"] = std::move(order);
  }
  if (request.limit) object["limit"] = *request.limit;
  if (request.offset != 0) object["offset"] = request.offset;
  if (!request.columns.empty()) {
    object["columns"] = json::array(request.columns.begin(), request.columns.end());
  }
  if (request.distinct) object["distinct"] = true;
  if (!request.aggregates.empty()) {
    json::object aggregates;
    for (const aggregate& each : request.aggregates) {
      json::object what;
      what[each.function] = each.column;
      if (each.distinct) what["distinct"] = true;
      aggregates[each.name] = std::move(what);
    }
    object["aggregates"] = std::move(aggregates);
  }
  return object;
}

inline json::object to_json(const update_request& request) {
  json::object object{
      {"table", request.table}, {"filter", request.filter}, {"update", request.update}};
  if (request.upsert) object["upsert"] = true;
  if (request.all) object["all"] = true;
  return object;
}

inline json::object to_json(const delete_request& request) {
  json::object object{{"table", request.table}, {"filter", request.filter}};
  if (request.all) object["all"] = true;
  return object;
}

inline result<insert_request> decode_insert(json::object object) {
  reader in(object);
  insert_request request;
  request.table = in.name("table");
  json::value values = in.value("values");
  if (values.is_object()) {
    request.rows.push_back(std::move(values.get_object()));
  } else if (values.is_array()) {
    request.many = true;
    for (json::value& row : values.get_array()) {
      if (!row.is_object()) return invalid("'values' must be an object or a list of objects");
      request.rows.push_back(std::move(row.get_object()));
    }
  } else {
    in.fail("'values' must be an object or a list of objects");
  }
  if (in.failed()) return in.failure();
  return request;
}

inline void decode_order(reader& in, std::vector<order_by>& order) {
  for (const auto& entry : in.object_or_empty("order")) {
    const json::value& direction = entry.value();
    const bool known =
        direction.is_int64() && (direction.get_int64() == 1 || direction.get_int64() == -1);
    if (!known) {
      in.fail("'order' must be an object of columns with 1 or -1");
      return;
    }
    order.push_back({std::string(entry.key()), direction.get_int64() == -1});
  }
}

inline void decode_aggregates(reader& in, std::vector<aggregate>& aggregates) {
  for (const auto& entry : in.object_or_empty("aggregates")) {
    aggregate each;
    each.name = entry.key();
    const auto* what = entry.value().if_object();
    std::size_t functions = 0;
    if (what) {
      for (const auto& part : *what) {
        if (part.key() == "distinct" && part.value().is_bool()) {
          each.distinct = part.value().get_bool();
        } else if (part.key().starts_with("$") && part.value().is_string()) {
          each.function = part.key();
          each.column = part.value().get_string();
          ++functions;
        } else {
          functions = 2;
        }
      }
    }
    if (functions != 1) {
      in.fail("Each of 'aggregates' must be like {\"$sum\": \"column\"}");
      return;
    }
    aggregates.push_back(std::move(each));
  }
}

inline result<select_request> decode_select(json::object object) {
  reader in(object);
  select_request request;
  request.table = in.name("table");
  request.filter = in.object_or_empty("filter");
  decode_order(in, request.order);
  request.limit = in.optional_integer("limit", 0);
  request.offset = in.optional_integer("offset", 0).value_or(0);
  request.columns = in.texts_or_empty("columns");
  request.distinct = in.boolean_or("distinct", false);
  decode_aggregates(in, request.aggregates);
  for (const auto& [key, count] : {std::pair("columns", request.columns.size()),
                                   std::pair("aggregates", request.aggregates.size()),
                                   std::pair("order", request.order.size())}) {
    if (count > max_columns) {
      in.fail("'" + std::string(key) + "' must have at most " + std::to_string(max_columns) +
              " entries");
    }
  }
  if (in.failed()) return in.failure();
  return request;
}

inline result<update_request> decode_update(json::object object) {
  reader in(object);
  update_request request;
  request.table = in.name("table");
  request.all = in.boolean_or("all", false);
  request.filter = request.all ? in.object_or_empty("filter") : in.object("filter");
  request.update = in.object("update");
  request.upsert = in.boolean_or("upsert", false);
  if (in.failed()) return in.failure();
  return request;
}

inline result<delete_request> decode_delete(json::object object) {
  reader in(object);
  delete_request request;
  request.table = in.name("table");
  request.all = in.boolean_or("all", false);
  request.filter = request.all ? in.object_or_empty("filter") : in.object("filter");
  if (in.failed()) return in.failure();
  return request;
}

}  // namespace rosey::wire::db
