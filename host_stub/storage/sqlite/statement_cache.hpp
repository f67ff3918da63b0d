// Prepared statements by their SQL, so that each is compiled once.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>

namespace rosey::storage {

// Keeps the ones used last, as many as fit.
class statement_cache {
 public:
  // `bytes` bounds the SQL of all statements together.
  statement_cache(SQLite::Database& connection, std::size_t capacity, std::size_t bytes)
      : connection_(connection), capacity_(capacity), most_bytes_(bytes) {}

  // Ready to be bound; valid until the next call. Throws SQLite::Exception.
  SQLite::Statement& prepare(const std::string& sql) {
    if (const auto found = by_sql_.find(sql); found != by_sql_.end()) {
      newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
      return newest_first_.front();
    }
    newest_first_.emplace_front(connection_, sql);
    by_sql_.emplace(sql, newest_first_.begin());
    bytes_ += sql.size();
    while (newest_first_.size() > 1 && (newest_first_.size() > capacity_ || bytes_ > most_bytes_)) {
      bytes_ -= newest_first_.back().getQuery().size();
      by_sql_.erase(newest_first_.back().getQuery());
      newest_first_.pop_back();
    }
    return newest_first_.front();
  }

  std::size_t size() const { return newest_first_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  SQLite::Database& connection_;
  std::size_t capacity_;
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::list<SQLite::Statement> newest_first_;
  std::unordered_map<std::string, std::list<SQLite::Statement>::iterator> by_sql_;
};

}  // namespace rosey::storage
