#include "bench/scale.hpp"

#include <fmt/format.h>

#include "bench/adds.hpp"
#include "bench/playlist_host.hpp"

namespace rosey::bench {
namespace {

std::vector<double> adds_at_rest(const std::string& nats_url, int times) {
  tests::soak_client client(nats_url);
  timed(client, command("clear", "#rest", "moderator", "", "moderator"));
  std::vector<double> took;
  for (int time = 0; time < times; ++time) {
    took.push_back(timed(client, new_add("#rest", fmt::format("person-{}", time % 100))));
    if (time % 20 == 19) timed(client, command("clear", "#rest", "moderator", "", "moderator"));
  }
  return took;
}

}  // namespace

void take(scale& all, const std::string& nats_url, const effort& how) {
  const seconds time{how.of(3.0, 0.8)};
  const add_rate many = rate_of_adds(nats_url, 50, time);
  const add_rate one = rate_on_one_channel(nats_url, time);
  all.many.push_back(many.per_second);
  all.one.push_back(one.per_second);
  all.rest.push_back(median(adds_at_rest(nats_url, how.of(600, 150))));
  for (const auto& refusals : {many.refusals, one.refusals}) {
    for (const auto& [code, times] : refusals) all.refusals[code] += times;
  }
}

figures compare(const std::string& id, const std::string& several, const scale& of_several,
                const std::string& single, const scale& of_single) {
  std::string note =
      of_several.refusals.empty() ? "" : several + ": " + said_of(of_several.refusals);
  if (!of_single.refusals.empty()) {
    note += (note.empty() ? "" : "; ") + single + ": " + said_of(of_single.refusals);
  }
  const bool none_busy = !of_several.refusals.contains("busy");
  return {
      {id + "_many_channels", "!add over 50 channels, " + several, "/s", median(of_several.many),
       single, median(of_single.many), figure::side::at_least, 1, note, none_busy},
      {id + "_one_channel", "!add on one channel, " + several, "/s", median(of_several.one), single,
       median(of_single.one), figure::side::at_least, 1, note, none_busy},
      {id + "_at_rest", "!add at rest, " + several, "µs", median(of_several.rest), single,
       median(of_single.rest), figure::side::at_most, 1.3}};
}

}  // namespace rosey::bench
