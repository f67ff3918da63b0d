// The threads that change the database. On one that has a single writer, waiting requests share a
// transaction, and with it the wait for the disk; on others each has its own.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "host_stub/storage/bounded_queue.hpp"
#include "host_stub/storage/fault_log.hpp"
#include "host_stub/storage/histogram.hpp"
#include "host_stub/storage/job.hpp"

namespace rosey::storage {

struct writer_options {
  std::size_t queue = 1024;                  // requests that wait; one more is refused
  std::size_t group = 256;                   // requests in one transaction; 1 for several sessions
  std::chrono::milliseconds patience{};      // with other transactions that were faster
  std::chrono::seconds request_age{};        // how long a request_id is remembered
  std::chrono::seconds sweep_interval{};     // between two looks for what has expired
  std::chrono::milliseconds longest_wait{};  // a request that waited longer is not carried out
  std::size_t reply_limit = db::max_reply;   // bytes of an answer
};

struct writer_statistics {
  std::atomic<std::uint64_t> groups{0};    // transactions committed
  std::atomic<std::uint64_t> requests{0};  // requests in them, refused ones included
  histogram sizes;                         // requests of each
};

class writer {
 public:
  // A thread for each session. `faults`, `clock` and `log` are used on them.
  writer(std::vector<std::unique_ptr<session>> sessions, writer_options options, fault_log& faults,
         clock_function clock, log_function log);
  // Answers what waits.
  ~writer();

  // Gives back those for which there was no room.
  std::vector<job> submit(std::vector<job> work) { return queue_.push_all(std::move(work)); }

  std::size_t waiting() const { return queue_.size(); }
  const writer_statistics& statistics() const { return statistics_; }

 private:
  void run(session& own);
  void begin(session& own);
  void refuse_outdated(std::vector<job>& group, std::chrono::milliseconds longest_wait) const;
  bool run_group(session& own, std::vector<job> group);
  std::vector<std::string> answer_together(session& own, std::vector<job>& group);
  std::vector<std::string> answer_one_by_one(session& own, const std::vector<job>& group);
  std::vector<std::string> answers_of(session& own, std::vector<job>& group);
  std::string answer_of(session& own, const job& work);
  std::string answer_alone(session& own, const job& work);
  std::chrono::milliseconds until_sweep() const;
  void sweep_if_due(session& own);
  void reply(const job& work, std::string answer) const;

  const writer_options options_;
  fault_log& faults_;
  clock_function clock_;
  log_function log_;
  bounded_queue<job> queue_;
  writer_statistics statistics_;
  std::mutex sweeping_;  // held by the one that sweeps
  std::atomic<std::chrono::system_clock::time_point> next_sweep_;
  std::vector<std::thread> threads_;  // last: they use all the others
};

}  // namespace rosey::storage
