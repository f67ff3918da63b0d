// What all sessions of one SQLite database share: which file it is, and the right to close their
// connections when that file is gone, damaged or replaced.
//
// A file that is opened stays usable after it was deleted, and SQLite goes on saying "ok". So each
// transaction looks at the path before it begins, and before its commit is believed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "host_stub/storage/database.hpp"
#include "host_stub/storage/sqlite/sqlite_files.hpp"

namespace rosey::storage {

// A session, as the keeper sees it. Called while nobody is in a transaction, on any thread.
class sqlite_client {
 public:
  virtual ~sqlite_client() = default;
  // What is in the log stays there.
  virtual void close() noexcept = 0;
  // Writes what is in the log, also in one whose name is gone, into the database. False if the
  // session cannot; throws sql_failure.
  virtual bool empty_log() = 0;
};

// Any thread.
class sqlite_keeper {
 public:
  sqlite_keeper(std::string path, std::chrono::milliseconds patience)
      : path_(std::move(path)), patience_(patience) {}

  const std::string& path() const { return path_; }

  void add(sqlite_client& client);
  // Waits while connections are being closed.
  void remove(sqlite_client& client);

  // A stay in the database: as long as it lives, no connection is closed.
  class stay {
   public:
    explicit stay(sqlite_keeper& in) : in_(in) { in_.enter(); }
    ~stay() { in_.leave(); }
    stay(const stay&) = delete;
    stay& operator=(const stay&) = delete;

   private:
    sqlite_keeper& in_;
  };

  // From now on the file at the path is the database, and this is its identity.
  void trust(std::string identity);
  const std::string& identity() const { return identity_; }

  // Whether the file at the path is the one that was trusted, as far as reading goes.
  bool is_readable() const;
  // The same, and nobody but us has written it.
  bool is_writable() const;
  // We have written it.
  void note_change();
  // It is as it should be when nobody has written it yet.
  void note_first();
  // SQLite has found damage in it: it is looked at before it is written again.
  void suspect();

  // Grows when connections are closed.
  std::uint64_t generation() const;

  // Inside of no stay, for a session whose connection is of that generation: makes the file at the
  // path usable, after all connections were closed if need be. `log_lost`: what SQLite keeps beside
  // the file is no longer what the connection writes to. Throws sql_failure with a sentence that
  // says what is wrong with the file.
  void restore(std::uint64_t generation, bool log_lost);

 private:
  void enter();
  void leave();
  void close_all(std::unique_lock<std::mutex>& lock, bool rescue_log);
  void judge(const file_state& seen, std::optional<std::string> fault);

  const std::string path_;
  const std::chrono::milliseconds patience_;
  std::string identity_;
  std::mutex restoring_;

  mutable std::mutex mutex_;  // for what follows
  std::condition_variable changed_;
  std::set<sqlite_client*> clients_;
  int inside_ = 0;
  bool closing_ = false;
  std::optional<file_id> trusted_;
  std::optional<file_state> known_;    // as we left it; none before the first change
  std::optional<file_state> damaged_;  // as it was when `fault_` was found
  std::string fault_;
  bool suspected_ = false;
  std::uint64_t generation_ = 0;
};

}  // namespace rosey::storage
