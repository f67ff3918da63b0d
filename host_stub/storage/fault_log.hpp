// Tells the operator of a database at fault: once, not for every request that meets it.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <string>

#include "host_stub/storage/job.hpp"

namespace rosey::storage {

// Any thread.
class fault_log {
 public:
  // What cannot be done to the database while there is a fault: "written".
  fault_log(std::string what, clock_function clock, log_function log);

  // The refusal that tells of it to whoever asked.
  db::failure failed(const std::exception& cause);

  // A fault may come and go with each request: it is over when there was none for a while.
  void worked();

 private:
  void tell(const std::string& why);

  const std::string what_;
  const clock_function clock_;
  const log_function log_;
  std::atomic<bool> standing_{false};
  std::mutex mutex_;  // for what follows
  std::string told_;
  std::chrono::system_clock::time_point told_at_;
  std::chrono::system_clock::time_point last_;
};

}  // namespace rosey::storage
