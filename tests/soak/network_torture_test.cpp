// Networks that break in every way under a crowd of clients: what they were answered is what is
// stored, once, and everybody is served again soon after the network is whole.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "soak/torture.hpp"

namespace rosey::tests {
namespace {

using steady = std::chrono::steady_clock;
using direction = nats_proxy::direction;

direction either(trials& made) {
  return made.one_in(2) ? direction::to_server : direction::to_client;
}

std::size_t bytes(trials& made, int most) {
  return static_cast<std::size_t>(made.below(most));
}

// A dead peer is found within 15 s. The server goes on dealing requests to it for minutes.
void forget(nats_proxy& proxy, trials&) {
  const std::size_t before = proxy.seen().accepted;
  proxy.forget();
  const auto anew = [before](const nats_proxy::counts& now) { return now.accepted > before; };
  EXPECT_TRUE(proxy.wait_until(anew, std::chrono::seconds(15))) << "nobody has connected anew";
}

struct network_fault {
  const char* name;
  int milliseconds;  // how long the network stays broken, at most
  std::function<void(nats_proxy&, trials&)> begin;
};

// Of one proxy: between NATS and one of the processes, or the clients.
const network_fault network_faults[] = {
    {"cut", 0, [](nats_proxy& proxy, trials&) { proxy.cut(); }},
    {"cut inside what is sent", 300,
     [](nats_proxy& proxy, trials& made) {
       proxy.cut_after(direction::to_server, bytes(made, 3000));
     }},
    {"cut inside what is received", 300,
     [](nats_proxy& proxy, trials& made) {
       proxy.cut_after(direction::to_client, bytes(made, 3000));
     }},
    {"slow", 500,
     [](nats_proxy& proxy, trials& made) {
       proxy.delay(std::chrono::milliseconds(made.below(150)));
     }},
    {"held in one direction", 500,
     [](nats_proxy& proxy, trials& made) { proxy.hold(either(made)); }},
    {"silent", 500, [](nats_proxy& proxy, trials&) { proxy.black_hole(); }},
    {"refused", 300, [](nats_proxy& proxy, trials&) { proxy.refuse(); }},
    {"doubled", 500,
     [](nats_proxy& proxy, trials& made) {
       proxy.duplicate(direction::to_server, 1 + static_cast<unsigned>(made.below(3)));
       proxy.duplicate(direction::to_client, 1 + static_cast<unsigned>(made.below(3)));
     }},
    {"a storm of cuts", 300,
     [](nats_proxy& proxy, trials& made) {
       proxy.storm(made.below(20), made.seed());
       proxy.cut();
     }},
    {"forgotten by a router", 0, &forget},
};

// Returns how many seconds it took until everybody was served again.
double break_network(cluster& all, people& crowd, trials& made, const network_fault& fault) {
  const auto part = static_cast<std::size_t>(made.below(static_cast<int>(all.parts())));
  SCOPED_TRACE("the network of " + (part == cluster::nats ? "the clients" : all.name_of(part)));
  nats_proxy& proxy = all.proxy_of(part);
  crowd.resume();
  all.drain(std::chrono::milliseconds(made.below(100)));
  fault.begin(proxy, made);
  // Requests to storage get through all the same; commands that are dealt to a dead host do not.
  if (part != cluster::storage) proxy.end_forgotten();
  if (fault.milliseconds > 0) {
    all.drain(std::chrono::milliseconds(made.below(fault.milliseconds)));
    proxy.pass();  // what a storm leaves silent stays silent
  }
  return seconds_to_heal(all, crowd, steady::now());
}

TEST(NetworkTorture, LosesAndDoublesNothing) {
  trials made(static_cast<int>(std::size(network_faults)));
  cluster all({.hosts = 1, .proxies = true, .playlist = roomy});
  people crowd(all.url(), 4, 3, made.seed());
  findings found;
  while (made.another() && !HasFailure()) {
    // Each in turn at first, so that the short form has them all.
    const std::size_t number = static_cast<std::size_t>(made.made() - 1);
    const network_fault& fault = network_faults[number < std::size(network_faults)
                                                    ? number
                                                    : made.random()() % std::size(network_faults)];
    SCOPED_TRACE("trial " + std::to_string(made.made()) + " of seed " +
                 std::to_string(made.seed()) + ": " + fault.name);
    found.heal_seconds.push_back(break_network(all, crowd, made, fault));
    check(all, crowd, found);
  }
  report("network", made, found);
}

}  // namespace
}  // namespace rosey::tests
