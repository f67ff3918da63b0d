// Where the SQL of one database differs from another's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host_stub/storage/schema.hpp"

namespace rosey::storage {

// Arguments are SQL: quoted column names and placeholders. Results need no further parentheses.
class dialect {
 public:
  virtual ~dialect() = default;

  virtual std::string placeholder(std::size_t position) const = 0;  // from 1

  // `pattern` is as requests write it: % any run, _ one character, \ makes the next literal.
  virtual std::string like(const std::string& value, const std::string& placeholder,
                           bool ignore_case) const = 0;
  virtual std::string like_pattern(std::string_view pattern, bool ignore_case) const = 0;

  // The value as it compares and sorts: texts by their bytes, whatever language the database
  // speaks.
  virtual std::string comparable(const std::string& value, column_kind kind) const = 0;

  // True also when exactly one of them is null.
  virtual std::string differs(const std::string& left, const std::string& right) const = 0;

  // A result that leaves the range of its kind is an error of the statement.
  virtual std::string sum(const std::string& left, const std::string& right,
                          column_kind kind) const = 0;
  virtual std::string product(const std::string& left, const std::string& right,
                              column_kind kind) const = 0;

  virtual std::string greater_of(const std::string& left, const std::string& right) const = 0;
  virtual std::string lesser_of(const std::string& left, const std::string& right) const = 0;

  // Aggregates. `argument` may begin with DISTINCT.
  virtual std::string minimum(const std::string& argument, column_kind kind) const = 0;
  virtual std::string maximum(const std::string& argument, column_kind kind) const = 0;

  // Of numbers; null of none. A result that leaves the range is an error of the statement.
  virtual std::string total(const std::string& argument, column_kind kind) const = 0;
  virtual std::string mean(const std::string& argument, column_kind kind) const = 0;

  // Null sorts as the least value, where there may be one.
  virtual std::string ordered(const std::string& value, bool descending, bool nullable) const = 0;

  // Ends an INSERT whose table fills `id_column`, if the database gives ids back that way.
  virtual std::string returning(const std::string& id_column) const = 0;

  // A query of one integer, which is greater each time.
  virtual std::string next_revision() const = 0;
};

// Collects what a statement binds while its SQL is being written.
class bindings {
 public:
  explicit bindings(const dialect& language) : language_(language) {}

  // The placeholder of the value, which is an sql_value or one of its alternatives.
  template <class Value>
  std::string bind(Value&& value) {
    parameters_.emplace_back(std::forward<Value>(value));
    return language_.placeholder(parameters_.size());
  }

  const dialect& language() const { return language_; }

  statement finish(std::string sql) { return {std::move(sql), std::move(parameters_)}; }

 private:
  const dialect& language_;
  std::vector<sql_value> parameters_;
};

}  // namespace rosey::storage
