// What a long past costs, beside a short one.
#include <fmt/format.h>

#include "bench/fill.hpp"
#include "bench/groups.hpp"
#include "bench/playlist_host.hpp"

namespace rosey::bench {

figures measure_history(const effort& how) {
  constexpr int few = 1000;
  const int many = how.of(1'000'000, 100'000);
  const auto with = [](int plays) {
    return [plays](const std::filesystem::path& database) { fill_history(database, "ann", plays); };
  };
  const playlist_host young(roomy, with(few));
  const playlist_host old(roomy, with(many));
  tests::soak_client of_young(young.nats_url());
  tests::soak_client of_old(old.nats_url());
  figures rows;
  for (const auto& [verb, arguments] : {std::pair("history", "50"), std::pair("mystats", "")}) {
    std::vector<double> short_past, long_past;
    for (int time = 0; time < how.of(400, 100); ++time) {
      const request asked = command(verb, "#history", "ann", arguments);
      short_past.push_back(timed(of_young, asked));
      long_past.push_back(timed(of_old, asked));
    }
    rows.push_back({fmt::format("long_past_{}", verb),
                    fmt::format("!{}, {} plays, median", verb, many), "µs", median(long_past),
                    fmt::format("the same with {} plays", few), median(short_past),
                    figure::side::at_most, 1.5, how.quick ? "Meant are 1000000" : ""});
  }
  return rows;
}

}  // namespace rosey::bench
