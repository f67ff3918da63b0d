// Translation of filters, one operator at a time.
#include "host_stub/storage/filter.hpp"

#include <fmt/format.h>

#include "host_stub/storage/column_value.hpp"

namespace rosey::storage {

namespace {

// Parts that must all hold, or one of which must.
class joined {
 public:
  explicit joined(std::string_view word) : word_(word) {}

  void add(const std::string& part) {
    if (!text_.empty()) text_ += word_;
    text_ += part;
    ++count_;
  }

  std::string text() && { return count_ > 1 ? "(" + text_ + ")" : std::move(text_); }

 private:
  std::string_view word_;
  std::string text_;
  int count_ = 0;
};

result<std::string> conjunction(const json::object& filter, const table& of, bindings& bound);

struct filter_size {
  std::size_t conditions = 0;
  std::size_t listed = 0;  // values in lists of $in and $nin
};

// As far as the filter is well formed.
void measure(const json::object& filter, filter_size& size) {
  for (const auto& entry : filter) {
    const auto* list = entry.value().if_array();
    const auto* object = entry.value().if_object();
    if (list && entry.key().starts_with('$')) {
      for (const json::value& each : *list) {
        if (each.is_object()) {
          measure(each.get_object(), size);
        } else {
          ++size.conditions;
        }
      }
    } else if (object && entry.key() == "$not") {
      measure(*object, size);
    } else if (object) {
      size.conditions += object->size();
      for (const auto& operation : *object) {
        if (const auto* values = operation.value().if_array()) size.listed += values->size();
      }
    } else {
      ++size.conditions;
    }
  }
}

result<std::string> comparison(std::string_view symbol, std::string_view name, const column& of,
                               const json::value& value, bindings& bound) {
  auto converted = to_sql(of, value);
  if (!converted) return converted.error();
  if (value.is_null()) {
    return db::invalid(fmt::format("{} of column '{}' takes a value, not null", name, of.name));
  }
  return fmt::format("{} {} {}", bound.language().comparable(quoted_name(of.name), of.kind), symbol,
                     bound.bind(std::move(*converted)));
}

result<std::string> equality(bool equal, const column& of, const json::value& value,
                             bindings& bound) {
  auto converted = to_sql(of, value);
  if (!converted) return converted.error();
  const std::string name = quoted_name(of.name);
  if (value.is_null()) return name + (equal ? " IS NULL" : " IS NOT NULL");
  const std::string placeholder = bound.bind(std::move(*converted));
  return equal ? name + " = " + placeholder : bound.language().differs(name, placeholder);
}

result<std::string> membership(bool member, const column& of, const json::value& value,
                               bindings& bound) {
  const auto* list = value.if_array();
  if (!list) {
    return db::invalid(
        fmt::format("{} of column '{}' takes a list", member ? "$in" : "$nin", of.name));
  }
  if (list->empty()) return std::string(member ? "FALSE" : "TRUE");
  std::string placeholders;
  for (const json::value& each : *list) {
    if (each.is_null()) {
      return db::invalid(fmt::format("The list for column '{}' must not contain null", of.name));
    }
    auto converted = to_sql(of, each);
    if (!converted) return converted.error();
    if (!placeholders.empty()) placeholders += ", ";
    placeholders += bound.bind(std::move(*converted));
  }
  const std::string name = quoted_name(of.name);
  if (member) return fmt::format("{} IN ({})", name, placeholders);
  return fmt::format("({} IS NULL OR {} NOT IN ({}))", name, name, placeholders);
}

result<std::string> likeness(bool ignore_case, const column& of, const json::value& value,
                             bindings& bound) {
  const std::string_view name = ignore_case ? "$ilike" : "$like";
  if (of.kind != column_kind::text) {
    return db::invalid(fmt::format("{} needs a text, which column '{}' is not", name, of.name));
  }
  const auto* pattern = value.if_string();
  if (!pattern || pattern->size() > max_pattern || pattern->find('\0') != json::string::npos) {
    return db::invalid(fmt::format("{} of column '{}' takes a pattern of at most {} bytes", name,
                                   of.name, max_pattern));
  }
  const auto end = pattern->find_last_not_of('\\');
  const std::size_t kept = end == json::string::npos ? 0 : end + 1;
  if ((pattern->size() - kept) % 2 != 0) {
    return db::invalid(
        fmt::format("The pattern for column '{}' ends with \\ and nothing behind it", of.name));
  }
  const std::string placeholder = bound.bind(bound.language().like_pattern(*pattern, ignore_case));
  return bound.language().like(quoted_name(of.name), placeholder, ignore_case);
}

result<std::string> existence(std::string_view name, const column& of, const json::value& value,
                              bindings&) {
  if (!value.is_bool()) {
    return db::invalid(fmt::format("{} of column '{}' takes true or false", name, of.name));
  }
  const bool exists = value.get_bool() == (name == "$exists");
  return quoted_name(of.name) + (exists ? " IS NOT NULL" : " IS NULL");
}

// Its function gets its name.
struct column_operator {
  std::string_view name;
  result<std::string> (*condition)(std::string_view name, const column& of,
                                   const json::value& value, bindings& bound);
};

template <char... Symbol>
result<std::string> compared(std::string_view name, const column& of, const json::value& value,
                             bindings& bound) {
  constexpr char symbol[] = {Symbol..., '\0'};
  return comparison(symbol, name, of, value, bound);
}

template <auto Condition, bool Flag>
result<std::string> flagged(std::string_view, const column& of, const json::value& value,
                            bindings& bound) {
  return Condition(Flag, of, value, bound);
}

constexpr column_operator column_operators[] = {{"$eq", flagged<equality, true>},
                                                {"$ne", flagged<equality, false>},
                                                {"$gt", compared<'>'>},
                                                {"$gte", compared<'>', '='>},
                                                {"$lt", compared<'<'>},
                                                {"$lte", compared<'<', '='>},
                                                {"$in", flagged<membership, true>},
                                                {"$nin", flagged<membership, false>},
                                                {"$like", flagged<likeness, false>},
                                                {"$ilike", flagged<likeness, true>},
                                                {"$exists", existence},
                                                {"$null", existence}};

result<std::string> operation(std::string_view name, const column& of, const json::value& value,
                              bindings& bound) {
  for (const column_operator& known : column_operators) {
    if (known.name == name) return known.condition(name, of, value, bound);
  }
  return db::invalid(
      fmt::format("Column '{}' has the unknown operator '{}'", of.name, db::shortened(name)));
}

result<std::string> on_column(const column& of, const json::value& value, bindings& bound) {
  const auto* operators = value.if_object();
  if (!operators) return equality(true, of, value, bound);
  if (operators->empty()) {
    return db::invalid(fmt::format("Column '{}' has no operator", of.name));
  }
  joined all(" AND ");
  for (const auto& entry : *operators) {
    const auto part = operation(entry.key(), of, entry.value(), bound);
    if (!part) return part.error();
    all.add(*part);
  }
  return std::move(all).text();
}

result<std::string> nested(const json::value& value, std::string_view name, const table& of,
                           bindings& bound) {
  const auto* filter = value.if_object();
  // An empty one holds for every row, which is hardly ever meant.
  if (!filter || filter->empty()) {
    return db::invalid(fmt::format("{} takes filters that are not empty", name));
  }
  return conjunction(*filter, of, bound);
}

result<std::string> junction(std::string_view name, const json::value& value, const table& of,
                             bindings& bound) {
  const auto* filters = value.if_array();
  if (!filters || filters->empty() || filters->size() > max_listed) {
    return db::invalid(fmt::format("{} takes a list of 1 to {} filters", name, max_listed));
  }
  joined parts(name == "$and" ? " AND " : " OR ");
  for (const json::value& each : *filters) {
    const auto part = nested(each, name, of, bound);
    if (!part) return part.error();
    parts.add(*part);
  }
  return std::move(parts).text();
}

result<std::string> negation(const json::value& value, const table& of, bindings& bound) {
  const auto part = nested(value, "$not", of, bound);
  if (!part) return part.error();
  // A comparison with null is neither true nor false; its negation must be true all the same.
  return fmt::format("(({}) IS NOT TRUE)", *part);
}

result<std::string> entry_condition(std::string_view key, const json::value& value, const table& of,
                                    bindings& bound) {
  if (key == "$and" || key == "$or") return junction(key, value, of, bound);
  if (key == "$not") return negation(value, of, bound);
  if (key.starts_with('$')) {
    return db::invalid(fmt::format("The filter has the unknown operator '{}'", db::shortened(key)));
  }
  const auto column = of.find(key);
  if (!column) return column.error();
  return on_column(**column, value, bound);
}

result<std::string> conjunction(const json::object& filter, const table& of, bindings& bound) {
  joined all(" AND ");
  for (const auto& entry : filter) {
    const auto part = entry_condition(entry.key(), entry.value(), of, bound);
    if (!part) return part.error();
    all.add(*part);
  }
  return std::move(all).text();
}

}  // namespace

result<std::string> condition(const json::object& filter, const table& of, bindings& bound) {
  filter_size size;
  measure(filter, size);
  if (size.conditions > max_conditions) {
    return db::invalid(fmt::format("The filter has {} conditions; at most {} are accepted",
                                   size.conditions, max_conditions));
  }
  if (size.listed > max_listed) {
    return db::invalid(fmt::format("The filter lists {} values; at most {} are accepted",
                                   size.listed, max_listed));
  }
  return conjunction(filter, of, bound);
}

std::vector<std::string_view> filter_operators() {
  std::vector<std::string_view> names{"$and", "$or", "$not"};
  for (const column_operator& each : column_operators) names.push_back(each.name);
  return names;
}

result<column_values> equalities(const json::object& filter, const table& of) {
  column_values known;
  for (const auto& entry : filter) {
    const std::string_view key = entry.key();
    if (key.starts_with('$')) continue;
    const json::value* value = &entry.value();
    if (const auto* operators = value->if_object()) {
      value = operators->if_contains("$eq");
      if (!value) continue;
    }
    const auto column = of.find(key);
    if (!column) return column.error();
    auto converted = to_sql(**column, *value);
    if (!converted) return converted.error();
    known.emplace_back(*column, std::move(*converted));
  }
  return known;
}

}  // namespace rosey::storage
