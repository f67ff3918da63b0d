// Values on their way to PostgreSQL and back, as the texts that libpq passes.
#pragma once

#include <libpq-fe.h>

#include <charconv>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host_stub/storage/value.hpp"

namespace rosey::storage {

template <class Number>
Number number_from(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Parameters as libpq takes them.
class parameter_list {
 public:
  // Throws sql_failure when they are too many.
  explicit parameter_list(const std::vector<sql_value>& values);
  parameter_list(parameter_list&&) = default;

  int size() const { return static_cast<int>(pointers_.size()); }
  const Oid* types() const { return types_.data(); }
  const char* const* values() const { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<Oid> types_;
  std::vector<const char*> pointers_;
};

// Rows of an answer.
class postgresql_result {
 public:
  explicit postgresql_result(PGresult* owned) : result_(owned, &PQclear) {}

  PGresult* native() const { return result_.get(); }
  int rows() const { return PQntuples(native()); }
  std::int64_t affected() const;
  void read(int row, std::vector<sql_value>& into) const;

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

}  // namespace rosey::storage
