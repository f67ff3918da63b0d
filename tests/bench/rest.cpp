// One `!add` at a time, beside what its way and its writing take at least.
#include "bench/bare_sqlite.hpp"
#include "bench/groups.hpp"
#include "bench/playlist_host.hpp"

namespace rosey::bench {
namespace {

constexpr int queue_length = 20;  // at which it is cleared

struct samples {
  std::vector<double> adds, round_trips, same_statements, one_row;
};

void take(samples& all, int times, tests::soak_client& client, bare_adds& bare) {
  timed(client, command("clear", "#rest", "moderator", "", "moderator"));
  for (int i = 0; i < times; ++i) {
    all.adds.push_back(timed(client, new_add("#rest", "person-" + std::to_string(i % 100))));
    if (i % queue_length == queue_length - 1) {
      timed(client, command("clear", "#rest", "moderator", "", "moderator"));
    }
  }
  const request asked{echo_subject, R"({"success":true,)" + new_add("#rest", "ann").payload};
  for (int i = 0; i < times; ++i) all.round_trips.push_back(timed(client, asked));
  for (int i = 0; i < times; ++i) all.same_statements.push_back(bare.add());
  for (int i = 0; i < times; ++i) all.one_row.push_back(bare.one_row());
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
  samples all;
  take(all, 100, client, bare);  // until caches are warm
  all = {};
  for (int round = 0; round < how.of(10, 3); ++round) take(all, 200, client, bare);
  const double add = median(all.adds);
  const double trips = 2 * median(all.round_trips);
  return {{"add_at_rest", "!add at rest, median", "µs", add,
           "2 round trips + the same statements in SQLite", trips + median(all.same_statements),
           figure::side::at_most, 1.5},
          {"add_at_rest_one_row", "!add at rest, median", "µs", add,
           "2 round trips + a commit of one row", trips + median(all.one_row),
           figure::side::at_most, 2}};
}

}  // namespace rosey::bench
