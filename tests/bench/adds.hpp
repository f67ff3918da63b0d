// Adds by many people at a time: how many are done in a second.
#pragma once

#include <map>
#include <string>

#include "bench/load.hpp"

namespace rosey::bench {

inline constexpr int adds_in_flight = 256;
// A channel is left for a new one when so many were added to it: the default of max_queue_size.
inline constexpr int adds_to_a_channel = 100;
// The same where all go to one channel.
inline constexpr int adds_to_one_channel = 800;

struct add_rate {
  double per_second = 0;                // that were carried out
  std::map<std::string, int> refusals;  // by code
};

// Over so many channels at a time.
add_rate rate_of_adds(const std::string& nats_url, int channels, seconds time);
// To one channel at a time; each takes adds_to_one_channel, and has its last answer before the
// next.
add_rate rate_on_one_channel(const std::string& nats_url, seconds time);

// One sentence, or "".
std::string said_of(const std::map<std::string, int>& refusals);

}  // namespace rosey::bench
