// One `!add` at a time, beside what its way and its writing take at least.
#include <fmt/format.h>

#include <algorithm>

#include "bench/bare_sqlite.hpp"
#include "bench/echo.hpp"
#include "bench/groups.hpp"
#include "bench/playlist_host.hpp"

namespace rosey::bench {
namespace {

constexpr int queue_length = 20;  // at which it is cleared

struct medians {
  double add, round_trip, same_statements, one_row;
};

template <class Measure>
double median_of(int times, Measure measure) {
  std::vector<double> took;
  for (int i = 0; i < times; ++i) took.push_back(measure());
  return median(took);
}

medians take(int times, tests::soak_client& client, bare_adds& bare) {
  int added = 0;
  const auto add = [&] {
    if (added++ % queue_length == 0) {
      timed(client, command("clear", "#rest", "moderator", "", "moderator"));
    }
    return timed(client, new_add("#rest", "person-" + std::to_string(added % 100)));
  };
  const request asked{echo_subject, R"({"success":true,)" + new_add("#rest", "ann").payload};
  medians found{};
  found.add = median_of(times, add);
  found.round_trip = median_of(times, [&] { return timed(client, asked); });
  found.same_statements = median_of(times, [&] { return bare.add(); });
  found.one_row = median_of(times, [&] { return bare.one_row(); });
  return found;
}

// Others on the machine only make something slower, and not each part alike: what is compared are
// the medians of each part's quietest round.
medians quietest(const medians& one, const medians& other) {
  return {std::min(one.add, other.add), std::min(one.round_trip, other.round_trip),
          std::min(one.same_statements, other.same_statements),
          std::min(one.one_row, other.one_row)};
}

}  // namespace

figures measure_rest(const effort& how) {
  playlist_host bare_host;
  bare_host.stop();
  bare_adds bare(bare_host.database());
  playlist_host bot;
  const echo_service echo(bot.nats_url(), echo_service::sending::at_once);
  tests::soak_client client(bot.nats_url());
  timed(client, new_add("#rest", "ann"));  // plays
  take(100, client, bare);                 // until caches are warm
  medians all = take(100, client, bare);
  for (int round = 1; round < how.of(30, 8); ++round) {
    all = quietest(all, take(100, client, bare));
  }
  const double trips = 2 * all.round_trip;
  const std::string note = fmt::format(
      "Of each part the quietest round: a round trip {:.0f} µs, the same statements {:.0f}, one "
      "row "
      "{:.0f}",
      all.round_trip, all.same_statements, all.one_row);
  return {
      {"add_at_rest", "!add at rest, median", "µs", all.add,
       "2 round trips + the same statements in SQLite", trips + all.same_statements,
       figure::side::at_most, 1.5, note},
      {"add_at_rest_one_row", "!add at rest, median", "µs", all.add,
       "2 round trips + a commit of one row", trips + all.one_row, figure::side::at_most, 2, note}};
}

}  // namespace rosey::bench
