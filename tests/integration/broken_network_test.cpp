// The host's connection to NATS on a network that breaks: halves of messages, silence, storms.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fakes/nats_proxy.hpp"
#include "host_stub/bus/connection.hpp"
#include "host_stub/bus/nats_server.hpp"
#include "integration/support/process.hpp"

namespace rosey::tests {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

// Everything that one subscription has brought.
class received_texts {
 public:
  void add(const host::inbound_message& message) {
    const std::lock_guard lock(mutex_);
    texts_.emplace_back(message.payload());
    arrived_.notify_all();
  }
  bool wait_for(std::string_view text, std::chrono::milliseconds most = patience) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(
        lock, most, [&] { return std::find(texts_.begin(), texts_.end(), text) != texts_.end(); });
  }
  std::vector<std::string> texts() {
    const std::lock_guard lock(mutex_);
    return texts_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::string> texts_;
};

class BrokenNetwork : public testing::Test {
 protected:
  BrokenNetwork() {
    auto opened = bus_.subscribe(
        "numbers", "", [this](const host::inbound_message& message) { in_.add(message); });
    EXPECT_TRUE(opened);
    numbers_ = std::move(*opened);
    EXPECT_TRUE(bus_.flush(patience));
  }

  // Both ways through the proxy work: asked until an answer comes.
  void expect_healed() {
    const auto deadline = steady::now() + patience;
    for (int number = 0; steady::now() < deadline; ++number) {
      const std::string text = "healed " + std::to_string(number);
      EXPECT_TRUE(direct_.publish("numbers", text));
      if (bus_.flush(200ms) && in_.wait_for(text, 200ms)) return;
    }
    FAIL() << "not healed";
  }

  host::nats_server server_;
  nats_proxy proxy_{server_.url()};
  host::connection direct_{{.url = server_.url(), .name = "direct"}};
  host::connection bus_{{.url = proxy_.url(), .name = "proxied", .ping_interval = 1s}};
  received_texts in_;
  host::subscription numbers_;
};

// libnats keeps what its parser has begun across a reconnect when an event loop reads.
TEST_F(BrokenNetwork, NeverGluesTheHalvesOfTwoMessagesTogether) {
  const std::string first(300, 'a');
  const std::string second(300, 'b');
  for (std::size_t cut = 1; cut < 330; cut += 41) {
    const std::size_t accepted = proxy_.seen().accepted;
    proxy_.cut_after(nats_proxy::direction::to_client, cut);
    ASSERT_TRUE(direct_.publish("numbers", first));
    ASSERT_TRUE(proxy_.wait_until([=](const auto& seen) { return seen.accepted > accepted; }));
    expect_healed();
    ASSERT_TRUE(direct_.publish("numbers", second));
    ASSERT_TRUE(in_.wait_for(second));
  }
  for (const std::string& text : in_.texts()) {
    EXPECT_TRUE(text == first || text == second || text.starts_with("healed ")) << text;
  }
}

// As behind a router that has forgotten the connection: only pings find out.
TEST_F(BrokenNetwork, FindsAPeerThatHasFallenSilent) {
  const std::size_t accepted = proxy_.seen().accepted;
  proxy_.forget();
  ASSERT_TRUE(proxy_.wait_until([=](const auto& seen) { return seen.accepted > accepted; }));
  expect_healed();
}

// Each connection is lost at once, then one is silent: libnats' handshake must not hold up those
// who publish.
TEST_F(BrokenNetwork, HoldsUpNobodyWhoPublishesInAStorm) {
  std::atomic<bool> done = false;
  std::atomic<std::int64_t> longest = 0;  // milliseconds that a call took
  std::thread publisher([&] {
    while (!done) {
      const auto began = steady::now();
      static_cast<void>(bus_.publish("elsewhere", "x"));
      const auto took =
          std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began).count();
      longest = std::max<std::int64_t>(longest, took);
      std::this_thread::sleep_for(1ms);
    }
  });
  const std::size_t accepted = proxy_.seen().accepted;
  proxy_.storm(20);
  proxy_.cut();
  EXPECT_TRUE(proxy_.wait_until([=](const auto& seen) { return seen.accepted > accepted + 20; }));
  expect_healed();
  done = true;
  publisher.join();
  // A handshake with the silent one takes two seconds.
  EXPECT_LT(longest, 1500);
}

// Taken, never answered: what is published waits, and leaves when the server is heard again.
TEST_F(BrokenNetwork, KeepsWhatIsPublishedWhileTheServerIsSilent) {
  proxy_.refuse();
  for (int number = 0; number < 100; ++number) {
    ASSERT_TRUE(bus_.publish("numbers", std::to_string(number)));
  }
  proxy_.pass();
  EXPECT_TRUE(in_.wait_for("99"));
}

TEST_F(BrokenNetwork, EndsSoonWhileTheServerIsSilent) {
  auto doomed = std::make_unique<host::connection>(
      host::connection::settings{.url = proxy_.url(), .name = "doomed", .ping_interval = 1s});
  proxy_.black_hole();
  proxy_.cut();
  ASSERT_TRUE(proxy_.wait_until([](const auto& seen) { return seen.open > 0; }));
  const auto began = steady::now();
  doomed.reset();
  EXPECT_LT(steady::now() - began, 5s);
}

// Of a subscription that ends while messages of it arrive, libnats 3.4.1 uses what is freed. Freed
// are those that cannot be in use, and all but the last few.
TEST_F(BrokenNetwork, FreesSubscriptionsThatHaveEnded) {
  std::atomic<bool> done = false;
  std::thread publisher([&] {
    while (!done) static_cast<void>(direct_.publish("short", "x"));
  });
  for (int round = 0; round < 2000; ++round) {
    auto opened = bus_.subscribe("short", "group", [](const host::inbound_message&) {});
    ASSERT_TRUE(opened);
    if (round % 2 == 0) opened->drain(1s);
  }
  done = true;
  publisher.join();
  const auto deadline = steady::now() + patience;
  while (bus_.retired() > 0 && steady::now() < deadline) ASSERT_TRUE(bus_.flush(patience));
  EXPECT_EQ(bus_.retired(), 0U);
}

}  // namespace
}  // namespace rosey::tests
