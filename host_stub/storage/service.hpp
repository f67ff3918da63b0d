// The storage service without its transport: a message in, an answer out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "host_stub/storage/even_clock.hpp"

namespace rosey::storage {

struct options {
  std::string database = "sqlite:data/rosey.db";
  std::string migrations = "migrations";  // folder that holds a folder for each plugin
  std::string plugins;  // folder of the libraries, whose own folder of migrations goes first

  bool auto_migrate = true;  // when a plugin that is loaded needs it

  std::size_t write_queue = 1024;  // requests that wait; one more is answered BUSY at once
  std::size_t read_queue = 1024;
  std::size_t readers = 2;  // threads
  std::size_t writers = 8;  // threads, where the database takes several
  std::size_t group = 256;  // requests that share a transaction, where not
  bool synchronous = true;  // wait for the disk at each commit

  std::size_t memory = 64 * 1024 * 1024;  // bytes of all requests that are not answered yet
  std::size_t reply_limit = 512 * 1024;   // bytes of an answer; at least 1024
  // Whoever asks waits some two seconds, and is better told before that.
  std::chrono::milliseconds busy_timeout{1000};    // wait for others that write
  std::chrono::milliseconds longest_wait{10'000};  // in a queue; then BUSY, and nothing is done
  std::chrono::milliseconds read_timeout{30'000};  // of one read, which is then ended
  std::chrono::milliseconds write_timeout{5000};   // of one statement, on PostgreSQL only

  std::chrono::seconds request_age = std::chrono::hours(24);  // how long a request_id is known
  std::chrono::seconds sweep_interval{60};

  // All are called on any thread. What is stored ages by the first, without its jumps, which the
  // second one tells.
  std::function<std::chrono::system_clock::time_point()> clock = std::chrono::system_clock::now;
  std::function<std::chrono::steady_clock::time_point()> steady_clock = time_since_boot;
  std::function<void(std::string)> log = [](std::string) {};  // what an operator should know
};

// Since the service was opened.
struct statistics {
  std::uint64_t requests = 0;
  std::uint64_t busy = 0;            // answered BUSY because too many, or too much, waited
  std::uint64_t groups = 0;          // transactions that wrote
  std::uint64_t grouped = 0;         // requests in them
  std::size_t waiting_to_write = 0;  // now
  std::size_t waiting_to_read = 0;   // now
};

using reply_function = std::function<void(std::string)>;

struct incoming {
  std::string_view subject;
  std::string_view payload;
  reply_function reply;
};

class service {
 public:
  // Answers what waits, then closes the database.
  virtual ~service() = default;

  // Requests that have arrived together. Any thread; the texts need only be valid during the call.
  // Each `reply`, which is taken, is called exactly once: inside this call, or later on one of the
  // service's threads, where it must not block for long.
  virtual void handle(std::span<incoming> burst) = 0;

  void handle(std::string_view subject, std::string_view payload, reply_function reply) {
    incoming alone{subject, payload, std::move(reply)};
    handle({&alone, 1});
  }

  virtual statistics stats() const = 0;

  // What rosey.monitoring.storage answers. Any thread; waits for nothing.
  virtual std::string monitor() const = 0;
};

class database;

// Throw std::runtime_error with one sentence, which names a file that cannot be used.
std::unique_ptr<service> open_service(const options& chosen);
std::unique_ptr<database> open_database(const options& chosen);
std::unique_ptr<service> open_service(const options& chosen, std::unique_ptr<database> opened);

}  // namespace rosey::storage
