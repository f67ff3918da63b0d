// The host's connection to NATS on a network that breaks: halves of messages, silence, storms,
// logins that are refused for a while.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fakes/nats_proxy.hpp"
#include "host_stub/bus/connection.hpp"
#include "host_stub/bus/login.hpp"
#include "host_stub/bus/nats_server.hpp"
#include "integration/support/process.hpp"
#include "temporary_directory.hpp"

namespace rosey::tests {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
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

// A nats-server with a configuration of ours, which may change.
class configured_server {
 public:
  explicit configured_server(const std::string& config) {
    write(config);
    process_ = std::make_unique<process>(
        std::vector<std::string>{"/usr/sbin/nats-server", "-c", file()}, folder_.path());
    const std::string line = process_->wait_for_log("Listening for client connections on ");
    address_ = line.substr(line.rfind(' ') + 1);
    process_->wait_for_log("Server is ready");
  }

  void reload(const std::string& config) {
    write(config);
    process_->signal(SIGHUP);
    process_->wait_for_log("Reloaded server configuration");
  }

  void expect_refused_login() { process_->wait_for_log("authentication error"); }

  std::string url(const std::string& login) const { return "nats://" + login + "@" + address_; }
  const std::string& address() const { return address_; }

 private:
  std::string file() const { return folder_.path() / "nats.conf"; }
  void write(const std::string& config) {
    // On a reload "listen" must say what it was, or the server refuses.
    std::ofstream(file()) << "listen: \"127.0.0.1:" << (address_.empty() ? "-1" : port()) << "\"\n"
                          << config << "\n";
  }
  std::string port() const { return address_.substr(address_.rfind(':') + 1); }

  temporary_directory folder_;
  std::string address_;
  std::unique_ptr<process> process_;
};

// libnats closes a connection for ever whose login one server has refused twice.
TEST(Login, ThatIsRefusedForAWhileIsTriedAgain) {
  configured_server server(R"(authorization { user: u, password: "right" })");
  std::atomic<bool> closed = false;
  host::connection bus({.url = server.url("u:right"),
                        .name = "test",
                        .on_closed = [&closed](const std::string&) { closed = true; }});
  ASSERT_TRUE(bus.flush(patience));
  server.reload(R"(authorization { user: u, password: "other" })");
  testing::internal::CaptureStderr();
  const auto deadline = steady::now() + patience;
  while (bus.connected() && steady::now() < deadline) std::this_thread::sleep_for(1ms);
  ASSERT_FALSE(bus.connected());
  for (int refused = 0; refused < 4; ++refused) server.expect_refused_login();
  server.reload(R"(authorization { user: u, password: "right" })");
  while (!bus.connected() && !closed && steady::now() < deadline) std::this_thread::sleep_for(1ms);
  testing::internal::GetCapturedStderr();
  EXPECT_FALSE(closed);
  EXPECT_TRUE(bus.flush(patience));
}

std::string reason(const std::string& url, std::chrono::milliseconds timeout = 2s) {
  const auto tried = host::try_login({.url = url, .timeout = timeout}, "test");
  EXPECT_FALSE(tried.succeeded);
  return tried.reason;
}

TEST(Login, SaysWhyItFailed) {
  const configured_server server(R"(authorization { user: u, password: "p@ss:w" })");
  EXPECT_TRUE(host::try_login({.url = server.url("u:p%40ss%3Aw")}, "test").succeeded);
  EXPECT_THAT(reason(server.url("u:wrong")),
              AllOf(HasSubstr("login was refused"), HasSubstr(server.address()),
                    testing::Not(HasSubstr("wrong"))));
  EXPECT_THAT(reason("nats://127.0.0.1:1"), HasSubstr("connection refused"));
  EXPECT_THAT(reason("nats://no-such-host.invalid:4222"), HasSubstr("is unknown"));
  EXPECT_THAT(reason("tls://u:p%40ss%3Aw@" + server.address()), HasSubstr("offers no TLS"));
  EXPECT_THROW(reason("http://127.0.0.1:4222"), std::runtime_error);
  EXPECT_THROW(reason("nats://127.0.0.1:99999"), std::runtime_error);
  host::nats_server silent;
  nats_proxy hole(silent.url());
  hole.black_hole();
  EXPECT_THAT(reason(hole.url(), 300ms), HasSubstr("does not speak NATS"));
}

TEST(Login, TriesSeveralUrlsInTurn) {
  const host::nats_server server;
  const std::string list = "nats://127.0.0.1:1, " + server.url();
  EXPECT_TRUE(host::try_login({.url = list}, "test").succeeded);
  host::connection bus({.url = list, .name = "test"});
  EXPECT_TRUE(bus.flush(patience));
  EXPECT_THAT(reason("nats://127.0.0.1:1,nats://127.0.0.1:2"),
              AllOf(HasSubstr("127.0.0.1:1:"), HasSubstr("127.0.0.1:2:")));
}

TEST(Login, WaitsForAServerThatComesLater) {
  const host::nats_server server;
  nats_proxy away(server.url());
  away.refuse();
  std::vector<std::string> said;
  int pauses = 0;
  const auto reached = host::wait_for_login(
      {.url = away.url()}, "test", 60s, [&](const std::string& what) { said.push_back(what); },
      [&](std::chrono::milliseconds) {
        if (++pauses == 3) away.pass();
        return false;
      });
  EXPECT_TRUE(reached);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said.front(), HasSubstr("waiting for it, up to 60 s"));
}

}  // namespace
}  // namespace rosey::tests
