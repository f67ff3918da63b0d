// Restoring: what to close, and what to believe.
#include "host_stub/storage/sqlite/sqlite_keeper.hpp"

#include <fmt/format.h>

namespace rosey::storage {

namespace {

constexpr char gone[] = "is gone; the service goes on when it is back";

// Of its pages, while requests wait.
constexpr std::chrono::milliseconds short_look{300};
constexpr std::chrono::milliseconds long_look{5000};

sql_failure unusable(const std::string& path, std::string_view why) {
  return {sql_failure_kind::broken, fmt::format("the file '{}' {}", path, why)};
}

}  // namespace

void sqlite_keeper::add(sqlite_client& client) {
  const std::lock_guard lock(mutex_);
  clients_.insert(&client);
}

void sqlite_keeper::remove(sqlite_client& client) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !closing_; });
  clients_.erase(&client);
  // The last connection writes the log into the file.
  if (clients_.empty()) known_.reset();
}

void sqlite_keeper::trust(std::string identity) {
  const auto seen = look_at(path_);
  if (!seen) throw unusable(path_, gone);
  const std::lock_guard lock(mutex_);
  identity_ = std::move(identity);
  trusted_ = seen->id;
}

bool sqlite_keeper::is_readable() const {
  const auto seen = look_at(path_);
  const std::lock_guard lock(mutex_);
  return !trusted_ || (seen && seen->id == trusted_ && !damaged_);
}

bool sqlite_keeper::is_writable() const {
  const auto seen = look_at(path_);
  const std::lock_guard lock(mutex_);
  return !trusted_ ||
         (seen && seen->id == trusted_ && !damaged_ && !suspected_ && (!known_ || seen == known_));
}

void sqlite_keeper::note_change() {
  const auto seen = look_at(path_);
  const std::lock_guard lock(mutex_);
  if (seen && seen->id == trusted_) known_ = seen;
}

void sqlite_keeper::note_first() {
  const auto seen = look_at(path_);
  const std::lock_guard lock(mutex_);
  if (!known_ && seen && seen->id == trusted_) known_ = seen;
}

void sqlite_keeper::suspect() {
  const std::lock_guard lock(mutex_);
  suspected_ = true;
}

void sqlite_keeper::enter() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !closing_; });
  ++inside_;
}

void sqlite_keeper::leave() {
  const std::lock_guard lock(mutex_);
  if (--inside_ == 0) changed_.notify_all();
}

std::uint64_t sqlite_keeper::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

void sqlite_keeper::restore(std::uint64_t generation, bool log_lost) {
  const std::lock_guard one_at_a_time(restoring_);
  const auto seen = look_at(path_);
  if (!seen) throw unusable(path_, gone);
  std::unique_lock lock(mutex_);
  if (damaged_ == seen) throw unusable(path_, fault_);
  const bool replaced = seen->id != trusted_;
  const bool written = suspected_ || (known_ && seen != known_);
  const bool doubtful = replaced || damaged_;
  if (!doubtful && !written && generation != generation_) return;  // another session was faster
  if (!doubtful && !log_lost) {
    // Connections keep what they know, if the file is sound. Most often it was another process that
    // wrote its log into it.
    lock.unlock();
    return judge(*seen, fault_of(path_, identity_, short_look));
  }
  close_all(lock, !doubtful && !written);
  lock.unlock();
  const auto left = look_at(path_);
  if (!left) throw unusable(path_, gone);
  judge(*left, fault_of(path_, identity_, long_look));
}

// Nobody is inside then, and all come in with new connections.
void sqlite_keeper::close_all(std::unique_lock<std::mutex>& lock, bool rescue_log) {
  closing_ = true;
  const bool alone = changed_.wait_for(lock, patience_, [this] { return inside_ == 0; });
  const auto clients = clients_;
  lock.unlock();
  try {
    if (!alone) throw sql_failure(sql_failure_kind::busy, "a request is still at work");
    for (sqlite_client* each : clients) {
      if (rescue_log && each->empty_log()) break;
    }
    for (sqlite_client* each : clients) each->close();
  } catch (...) {
    lock.lock();
    closing_ = false;
    changed_.notify_all();
    throw;
  }
  lock.lock();
  ++generation_;
  closing_ = false;
  changed_.notify_all();
}

void sqlite_keeper::judge(const file_state& seen, std::optional<std::string> fault) {
  const std::lock_guard lock(mutex_);
  if (fault) {
    damaged_ = seen;
    fault_ = *fault;
    throw unusable(path_, fault_);
  }
  damaged_.reset();
  suspected_ = false;
  trusted_ = seen.id;
  known_ = seen;
}

}  // namespace rosey::storage
