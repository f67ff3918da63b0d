// The texts, and the types that go with them.
#include "host_stub/storage/postgresql/postgresql_value.hpp"

#include <fmt/format.h>

#include "host_stub/storage/session.hpp"

namespace rosey::storage {

namespace {

constexpr std::size_t most_parameters = 65535;  // the protocol counts them in 16 bits

// Of the catalogue pg_type, which never renumbers them.
constexpr Oid unknown_type = 0;  // what the context wants: a text is also a timestamp
constexpr Oid bool_type = 16;
constexpr Oid int8_type = 20;
constexpr Oid int2_type = 21;
constexpr Oid int4_type = 23;
constexpr Oid float4_type = 700;
constexpr Oid float8_type = 701;

struct encoder {
  Oid operator()(sql_null, std::string&) const { return unknown_type; }
  Oid operator()(bool value, std::string& text) const {
    text = value ? "t" : "f";
    return bool_type;
  }
  Oid operator()(std::int64_t value, std::string& text) const {
    text = std::to_string(value);
    return int8_type;
  }
  Oid operator()(double value, std::string& text) const {
    text = fmt::format("{}", value);  // the shortest that reads back the same
    return float8_type;
  }
  Oid operator()(const std::string& value, std::string& text) const {
    text = value;
    return unknown_type;
  }
};

sql_value value_of(Oid type, std::string_view text) {
  switch (type) {
    case bool_type:
      return text == "t";
    case int2_type:
    case int4_type:
    case int8_type:
      return number_from<std::int64_t>(text);
    case float4_type:
    case float8_type:
      return number_from<double>(text);
    default:
      return std::string(text);
  }
}

}  // namespace

parameter_list::parameter_list(const std::vector<sql_value>& values) : texts_(values.size()) {
  if (values.size() > most_parameters) {
    throw sql_failure(sql_failure_kind::invalid,
                      fmt::format("The operation has {} values; at most {} are accepted",
                                  values.size(), most_parameters));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto encode = [this, i](const auto& value) { return encoder{}(value, texts_[i]); };
    types_.push_back(std::visit(encode, values[i]));
    const bool null = std::holds_alternative<sql_null>(values[i]);
    pointers_.push_back(null ? nullptr : texts_[i].c_str());
  }
}

std::int64_t postgresql_result::affected() const {
  return number_from<std::int64_t>(PQcmdTuples(native()));
}

void postgresql_result::read(int row, std::vector<sql_value>& into) const {
  into.resize(static_cast<std::size_t>(PQnfields(native())));
  for (std::size_t i = 0; i < into.size(); ++i) {
    const int column = static_cast<int>(i);
    if (PQgetisnull(native(), row, column)) {
      into[i] = sql_null();
      continue;
    }
    const auto size = static_cast<std::size_t>(PQgetlength(native(), row, column));
    into[i] = value_of(PQftype(native(), column), {PQgetvalue(native(), row, column), size});
  }
}

}  // namespace rosey::storage
