// What NATS and libnats can do by themselves: a service that does nothing, and a crowd that asks
// it.
#pragma once

#include <string>

#include "bench/load.hpp"
#include "integration/support/process.hpp"

namespace rosey::bench {

inline constexpr char echo_subject[] = "bench.echo";

// Answers each request with itself: a process of its own, on libnats as it comes.
class echo_service {
 public:
  enum class sending { at_once, buffered };
  echo_service(const std::string& nats_url, sending how);
  // What that process does, until its input ends.
  static int serve(const std::string& nats_url, sending how);

 private:
  tests::process process_;
};

// Answers a second to a client on libnats as it comes, so many requests in flight.
double rate_of_echoes(const std::string& nats_url, int in_flight, const std::string& payload,
                      seconds time);

}  // namespace rosey::bench
