// The dialect, and the arithmetic that it needs: SQLite's own turns sums beyond 64 bits into reals,
// and reals beyond theirs into infinity, which JSON cannot say.
#include "host_stub/storage/sqlite/sqlite_dialect.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cmath>

namespace rosey::storage {

namespace {

class dialect_of_sqlite final : public dialect {
 public:
  std::string placeholder(std::size_t position) const override {
    return "?" + std::to_string(position);
  }

  // LIKE always ignores case here, and GLOB never does.
  std::string like(const std::string& value, const std::string& placeholder,
                   bool ignore_case) const override {
    if (ignore_case) return fmt::format("{} LIKE {} ESCAPE '\\'", value, placeholder);
    return fmt::format("{} GLOB {}", value, placeholder);
  }

  std::string like_pattern(std::string_view pattern, bool ignore_case) const override {
    return ignore_case ? std::string(pattern) : glob_of(pattern);
  }

  std::string comparable(const std::string& value, column_kind) const override { return value; }

  std::string differs(const std::string& left, const std::string& right) const override {
    return fmt::format("{} IS NOT {}", left, right);
  }

  std::string sum(const std::string& left, const std::string& right,
                  column_kind kind) const override {
    return fmt::format("{}({}, {})", kind == column_kind::integer ? "rosey_add" : "rosey_add_real",
                       left, right);
  }

  std::string product(const std::string& left, const std::string& right,
                      column_kind kind) const override {
    return fmt::format("{}({}, {})",
                       kind == column_kind::integer ? "rosey_multiply" : "rosey_multiply_real",
                       left, right);
  }

  std::string greater_of(const std::string& left, const std::string& right) const override {
    return fmt::format("MAX({}, {})", left, right);
  }

  std::string lesser_of(const std::string& left, const std::string& right) const override {
    return fmt::format("MIN({}, {})", left, right);
  }

  std::string minimum(const std::string& argument, column_kind) const override {
    return fmt::format("MIN({})", argument);
  }

  std::string maximum(const std::string& argument, column_kind) const override {
    return fmt::format("MAX({})", argument);
  }

  std::string total(const std::string& argument, column_kind kind) const override {
    return fmt::format("{}({})", kind == column_kind::integer ? "rosey_sum" : "rosey_sum_real",
                       argument);
  }

  std::string mean(const std::string& argument, column_kind kind) const override {
    return fmt::format("{}({})", kind == column_kind::integer ? "rosey_mean" : "rosey_mean_real",
                       argument);
  }

  std::string ordered(const std::string& value, bool descending, bool) const override {
    return value + (descending ? " DESC" : " ASC");
  }

  // The connection knows the last id.
  std::string returning(const std::string&) const override { return {}; }

  std::string next_revision() const override {
    return "UPDATE rosey_revision SET value = value + 1 RETURNING value";
  }

 private:
  static std::string glob_of(std::string_view pattern) {
    std::string glob;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      const char c = pattern[i];
      if (c == '%') {
        glob += '*';
      } else if (c == '_') {
        glob += '?';
      } else if (c == '\\' && i + 1 < pattern.size()) {
        glob += literal(pattern[++i]);
      } else {
        glob += literal(c);
      }
    }
    return glob;
  }

  static std::string literal(char c) {
    if (c == '*' || c == '?' || c == '[') return std::string("[") + c + "]";
    return std::string(1, c);
  }
};

template <bool (*Operation)(sqlite3_int64, sqlite3_int64, sqlite3_int64*)>
void integer_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  sqlite3_int64 answer = 0;
  const bool overflowed =
      Operation(sqlite3_value_int64(arguments[0]), sqlite3_value_int64(arguments[1]), &answer);
  if (overflowed) {
    sqlite3_result_error(context, integer_overflow, -1);
  } else {
    sqlite3_result_int64(context, answer);
  }
}

template <double (*Operation)(double, double)>
void real_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  const double answer =
      Operation(sqlite3_value_double(arguments[0]), sqlite3_value_double(arguments[1]));
  if (std::isfinite(answer)) {
    sqlite3_result_double(context, answer);
  } else {
    sqlite3_result_error(context, real_overflow, -1);
  }
}

// Zeros to begin with, as SQLite gives it.
struct running_sum {
  double sum;
  sqlite3_int64 count;
};

void add_to_sum(sqlite3_context* context, int, sqlite3_value** arguments) {
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return;
  auto* so_far = static_cast<running_sum*>(sqlite3_aggregate_context(context, sizeof(running_sum)));
  if (!so_far) return sqlite3_result_error_nomem(context);
  so_far->sum += sqlite3_value_double(arguments[0]);
  ++so_far->count;
  if (!std::isfinite(so_far->sum)) sqlite3_result_error(context, real_overflow, -1);
}

template <bool Mean>
void finish_sum(sqlite3_context* context) {
  const auto* all = static_cast<const running_sum*>(sqlite3_aggregate_context(context, 0));
  if (!all || all->count == 0) return sqlite3_result_null(context);
  sqlite3_result_double(context, Mean ? all->sum / static_cast<double>(all->count) : all->sum);
}

// Wide enough for as many integers as there can be rows: only the result has to fit. SQLite aligns
// to eight bytes.
__extension__ using wide_integer = __int128;
struct [[gnu::packed, gnu::aligned(8)]] running_total {
  wide_integer sum;
  sqlite3_int64 count;
};

void add_to_total(sqlite3_context* context, int, sqlite3_value** arguments) {
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return;
  auto* so_far =
      static_cast<running_total*>(sqlite3_aggregate_context(context, sizeof(running_total)));
  if (!so_far) return sqlite3_result_error_nomem(context);
  so_far->sum += sqlite3_value_int64(arguments[0]);
  ++so_far->count;
}

void finish_total(sqlite3_context* context) {
  const auto* all = static_cast<const running_total*>(sqlite3_aggregate_context(context, 0));
  if (!all || all->count == 0) return sqlite3_result_null(context);
  const auto sum = static_cast<sqlite3_int64>(all->sum);
  if (sum != all->sum) return sqlite3_result_error(context, integer_overflow, -1);
  sqlite3_result_int64(context, sum);
}

void finish_mean(sqlite3_context* context) {
  const auto* all = static_cast<const running_total*>(sqlite3_aggregate_context(context, 0));
  if (!all || all->count == 0) return sqlite3_result_null(context);
  const wide_integer whole = all->sum / all->count;
  const wide_integer rest = all->sum % all->count;
  const auto mean = static_cast<long double>(whole) +
                    static_cast<long double>(rest) / static_cast<long double>(all->count);
  sqlite3_result_double(context, static_cast<double>(mean));
}

double add_reals(double left, double right) {
  return left + right;
}

double multiply_reals(double left, double right) {
  return left * right;
}

bool add(sqlite3_int64 left, sqlite3_int64 right, sqlite3_int64* answer) {
  return __builtin_add_overflow(left, right, answer);
}

bool multiply(sqlite3_int64 left, sqlite3_int64 right, sqlite3_int64* answer) {
  return __builtin_mul_overflow(left, right, answer);
}

}  // namespace

const dialect& sqlite_dialect() {
  static const dialect_of_sqlite instance;
  return instance;
}

void register_functions(SQLite::Database& connection) {
  connection.createFunction("rosey_add", 2, true, nullptr, integer_function<add>, nullptr, nullptr,
                            nullptr);
  connection.createFunction("rosey_multiply", 2, true, nullptr, integer_function<multiply>, nullptr,
                            nullptr, nullptr);
  connection.createFunction("rosey_add_real", 2, true, nullptr, real_function<add_reals>, nullptr,
                            nullptr, nullptr);
  connection.createFunction("rosey_sum", 1, true, nullptr, nullptr, add_to_total, finish_total,
                            nullptr);
  connection.createFunction("rosey_mean", 1, true, nullptr, nullptr, add_to_total, finish_mean,
                            nullptr);
  connection.createFunction("rosey_sum_real", 1, true, nullptr, nullptr, add_to_sum,
                            finish_sum<false>, nullptr);
  connection.createFunction("rosey_mean_real", 1, true, nullptr, nullptr, add_to_sum,
                            finish_sum<true>, nullptr);
  connection.createFunction("rosey_multiply_real", 2, true, nullptr, real_function<multiply_reals>,
                            nullptr, nullptr, nullptr);
}

}  // namespace rosey::storage
