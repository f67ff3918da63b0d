// The dialect: texts compare by their bytes, and only ASCII letters have case, as in SQLite.
#include "host_stub/storage/postgresql/postgresql_dialect.hpp"

#include <fmt/format.h>

namespace rosey::storage {

namespace {

class dialect_of_postgresql final : public dialect {
 public:
  std::string placeholder(std::size_t position) const override {
    return "$" + std::to_string(position);
  }

  std::string like(const std::string& value, const std::string& placeholder,
                   bool ignore_case) const override {
    // Of the collation "C", lower() knows the ASCII letters only.
    const char* form =
        ignore_case ? "lower({} COLLATE \"C\") LIKE {} ESCAPE '\\'" : "{} LIKE {} ESCAPE '\\'";
    return fmt::format(fmt::runtime(form), value, placeholder);
  }

  std::string like_pattern(std::string_view pattern, bool ignore_case) const override {
    std::string lowered(pattern);
    for (char& c : lowered) {
      if (ignore_case && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lowered;
  }

  std::string comparable(const std::string& value, column_kind kind) const override {
    return kind == column_kind::text ? value + " COLLATE \"C\"" : value;
  }

  std::string differs(const std::string& left, const std::string& right) const override {
    return fmt::format("{} IS DISTINCT FROM {}", left, right);
  }

  std::string sum(const std::string& left, const std::string& right, column_kind) const override {
    return fmt::format("{} + {}", left, right);
  }

  std::string product(const std::string& left, const std::string& right,
                      column_kind) const override {
    return fmt::format("{} * {}", left, right);
  }

  std::string greater_of(const std::string& left, const std::string& right) const override {
    return fmt::format("GREATEST({}, {})", left, right);
  }

  std::string lesser_of(const std::string& left, const std::string& right) const override {
    return fmt::format("LEAST({}, {})", left, right);
  }

  // Booleans have no MIN and MAX here.
  std::string minimum(const std::string& argument, column_kind kind) const override {
    return fmt::format("{}({})", kind == column_kind::boolean ? "BOOL_AND" : "MIN", argument);
  }

  std::string maximum(const std::string& argument, column_kind kind) const override {
    return fmt::format("{}({})", kind == column_kind::boolean ? "BOOL_OR" : "MAX", argument);
  }

  // Sums of integers are of a wider type, those of short reals of a short one.
  std::string total(const std::string& argument, column_kind kind) const override {
    if (kind == column_kind::real) return fmt::format("SUM({}::DOUBLE PRECISION)", argument);
    return fmt::format("CAST(SUM({}) AS BIGINT)", argument);
  }

  // AVG of reals adds up their squares as well, which leave the range long before the sum does.
  std::string mean(const std::string& argument, column_kind kind) const override {
    if (kind == column_kind::integer) {
      return fmt::format("CAST(AVG({}) AS DOUBLE PRECISION)", argument);
    }
    return fmt::format("{} / COUNT({})", total(argument, kind), argument);
  }

  // An index has nulls at the other end, and only serves an order that says nothing of them.
  std::string ordered(const std::string& value, bool descending, bool nullable) const override {
    const std::string sorted = value + (descending ? " DESC" : " ASC");
    return nullable ? sorted + (descending ? " NULLS LAST" : " NULLS FIRST") : sorted;
  }

  std::string returning(const std::string& id_column) const override {
    return " RETURNING " + id_column;
  }

  // A sequence makes nobody wait; numbers of transactions that were taken back are left out.
  std::string next_revision() const override { return "SELECT nextval('rosey_revision')"; }
};

}  // namespace

const dialect& postgresql_dialect() {
  static const dialect_of_postgresql instance;
  return instance;
}

}  // namespace rosey::storage
