// The one thread that changes the database: waiting requests share a transaction, and with it the
// wait for the disk.
#pragma once

#include <chrono>
#include <memory>
#include <thread>

#include "host_stub/storage/bounded_queue.hpp"
#include "host_stub/storage/job.hpp"

namespace rosey::storage {

struct writer_options {
  std::size_t queue = 1024;               // requests that wait; one more is refused
  std::size_t group = 256;                // requests in one transaction
  std::chrono::seconds request_age{};     // how long a request_id is remembered
  std::chrono::seconds sweep_interval{};  // between two looks for what has expired
};

struct writer_statistics {
  std::atomic<std::uint64_t> groups{0};    // transactions committed
  std::atomic<std::uint64_t> requests{0};  // requests in them, refused ones included
};

class writer {
 public:
  // `in` is used by the writer's thread only. `clock` and `log` are called on it.
  writer(std::unique_ptr<session> in, writer_options options, clock_function clock,
         log_function log);
  // Answers what waits.
  ~writer();

  // False when too many wait; the job is left as it is.
  bool submit(job& work) { return queue_.push(work); }

  std::size_t waiting() const { return queue_.size(); }
  const writer_statistics& statistics() const { return statistics_; }

 private:
  void run();
  void run_group(std::vector<job> group);
  std::vector<std::string> answers_of(const std::vector<job>& group);
  std::string answer_of(const job& work);
  void sweep_if_due();
  void reply(const job& work, std::string answer) const;

  std::unique_ptr<session> session_;
  const writer_options options_;
  clock_function clock_;
  log_function log_;
  bounded_queue<job> queue_;
  writer_statistics statistics_;
  std::chrono::system_clock::time_point next_sweep_;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace rosey::storage
