// When to tell, and when to be quiet.
#include "host_stub/storage/fault_log.hpp"

#include <fmt/format.h>

namespace rosey::storage {

namespace {

constexpr std::chrono::seconds calm{10};
constexpr std::chrono::seconds reminder{60};

// The refusal of a request whose transaction failed: most often of a database at fault.
db::failure failure_of(const std::exception& cause) {
  const auto* sql = dynamic_cast<const sql_failure*>(&cause);
  if (sql != nullptr && sql->kind == sql_failure_kind::busy) {
    return error{db::codes::busy, cause.what()};
  }
  // A deferred rule, which is looked at when all has been done.
  if (sql != nullptr && sql->kind == sql_failure_kind::constraint) {
    return error{db::codes::constraint, cause.what()};
  }
  return error{db::codes::database_error, cause.what()};
}

}  // namespace

fault_log::fault_log(std::string what, clock_function clock, log_function log)
    : what_(std::move(what)), clock_(std::move(clock)), log_(std::move(log)) {}

db::failure fault_log::failed(const std::exception& cause) {
  db::failure refusal = failure_of(cause);
  // That others were faster, or a request was too slow, is no fault.
  if (refusal.code == db::codes::database_error) tell(refusal.message);
  return refusal;
}

void fault_log::tell(const std::string& why) {
  const std::lock_guard lock(mutex_);
  last_ = clock_();
  if (standing_ && last_ - told_at_ < (why == told_ ? reminder : calm)) return;
  standing_ = true;
  told_ = why;
  told_at_ = last_;
  log_(fmt::format("The database cannot be {}: {}", what_, why));
}

void fault_log::worked() {
  if (!standing_) return;
  const std::lock_guard lock(mutex_);
  if (!standing_ || clock_() - last_ < calm) return;
  standing_ = false;
  log_(fmt::format("The database can be {} again", what_));
}

}  // namespace rosey::storage
