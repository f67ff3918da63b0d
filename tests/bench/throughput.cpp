// Adds a second by a crowd, beside what the same crowd gets from a service that does nothing.
#include <fmt/format.h>

#include "bench/adds.hpp"
#include "bench/echo.hpp"
#include "bench/groups.hpp"
#include "bench/playlist_host.hpp"

namespace rosey::bench {

figures measure_throughput(const effort& how) {
  const playlist_host bot;
  const std::string payload = new_add("#many", "ann").payload;
  const seconds time{how.of(3.0, 1.0)};
  std::vector<double> many, one, echo;
  std::map<std::string, int> refused_of_many, refused_on_one;
  for (int round = 0; round < how.of(3, 1); ++round) {
    echo.push_back(rate_of_echoes(bot.nats_url(), adds_in_flight, payload, time));
    const add_rate on_many = rate_of_adds(bot.nats_url(), 50, time);
    const add_rate on_one = rate_on_one_channel(bot.nats_url(), time);
    many.push_back(on_many.per_second);
    one.push_back(on_one.per_second);
    for (const auto& [code, times] : on_many.refusals) refused_of_many[code] += times;
    for (const auto& [code, times] : on_one.refusals) refused_on_one[code] += times;
  }
  return {{"adds_many_channels", "!add, 256 in flight, 50 channels", "/s", median(many),
           "bare libnats and a service that echoes", median(echo), figure::side::at_least, 0.1,
           said_of(refused_of_many)},
          {"adds_one_channel", "!add, 256 in flight, one channel", "/s", median(one),
           "the same over 50 channels", median(many), figure::side::at_least, 0.5,
           fmt::format("A channel takes {} of them, then another one does", adds_to_one_channel) +
               (refused_on_one.empty() ? "" : "; " + said_of(refused_on_one))}};
}

}  // namespace rosey::bench
