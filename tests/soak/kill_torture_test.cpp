// Hosts, storage and nats-server are killed, and hosts suspended, at any moment under a crowd of
// clients: what they were answered is what is stored, once, and everybody is served again soon.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <string>
#include <vector>

#include "soak/torture.hpp"

namespace rosey::tests {
namespace {

using steady = std::chrono::steady_clock;

// One or two of the processes; hosts twice as often.
std::vector<std::size_t> victims(trials& made, const cluster& all) {
  std::vector<std::size_t> chosen;
  for (int count = made.one_in(8) ? 2 : 1; count > 0; --count) {
    const int part = made.below(2 * static_cast<int>(all.parts()) - 2);
    const std::size_t victim =
        static_cast<std::size_t>(part) < all.parts()
            ? static_cast<std::size_t>(part)
            : static_cast<std::size_t>(part) - all.parts() + cluster::first_host;
    if (chosen.empty() || chosen.front() != victim) chosen.push_back(victim);
  }
  std::sort(chosen.begin(), chosen.end());  // nats-server starts first: the others wait for it
  return chosen;
}

std::string kill_some(cluster& all, trials& made) {
  std::string names = "killed";
  const auto chosen = victims(made, all);
  for (const std::size_t part : chosen) {
    all.kill(part);
    names += " " + all.name_of(part);
  }
  if (made.one_in(2)) all.drain(std::chrono::milliseconds(made.below(100)));
  for (const std::size_t part : chosen) all.start(part);
  return names;
}

// A host that sleeps wakes up with commands that others have long answered.
std::string suspend_one(cluster& all, trials& made) {
  const std::size_t part =
      cluster::first_host +
      static_cast<std::size_t>(made.below(static_cast<int>(all.parts() - cluster::first_host)));
  all.at(part).signal(SIGSTOP);
  all.drain(std::chrono::milliseconds(200 + made.below(800)));
  all.at(part).signal(SIGCONT);
  return "suspended " + all.name_of(part);
}

void torture(const std::string& program, int hosts, int short_form) {
  trials made(short_form);
  cluster all({.hosts = hosts, .playlist = roomy});
  people crowd(all.url(), 4, 3, made.seed());
  findings found;
  while (made.another() && !testing::Test::HasFailure()) {
    crowd.resume();
    all.drain(std::chrono::milliseconds(made.below(150)));
    const auto began = steady::now();
    const std::string what =
        hosts > 1 && made.one_in(3) ? suspend_one(all, made) : kill_some(all, made);
    SCOPED_TRACE("trial " + std::to_string(made.made()) + " of seed " +
                 std::to_string(made.seed()) + ", which " + what);
    found.heal_seconds.push_back(seconds_to_heal(all, crowd, began));
    check(all, crowd, found);
  }
  report(program, made, found);
}

TEST(KillTorture, OfOneHost) {
  torture("kill, one host", 1, SANITIZED ? 3 : 5);
}

TEST(KillTorture, OfTwoHosts) {
  torture("kill, two hosts", 2, SANITIZED ? 3 : 5);
}

}  // namespace
}  // namespace rosey::tests
