// The host's connection to NATS: what is published arrives, in order, also when the server is slow
// to take it.
#include "host_stub/bus/connection.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host_stub/bus/nats_server.hpp"
#include "integration/support/process.hpp"

namespace rosey::tests {
namespace {

// Returns when all its threads stand still, not only the one that took the signal.
void suspend(const host::nats_server& server) {
  ::kill(server.id(), SIGSTOP);
  siginfo_t stopped;
  ::waitid(P_PID, static_cast<id_t>(server.id()), &stopped, WSTOPPED | WNOWAIT);
}

class Connection : public testing::Test {
 protected:
  Connection() {
    auto opened = receiver_.subscribe("numbers", "", [this](host::inbound_message message) {
      const std::lock_guard lock(mutex_);
      received_.push_back(std::stoi(std::string(message.payload())));
      arrived_.notify_one();
    });
    EXPECT_TRUE(opened);
    numbers_ = std::move(*opened);
    EXPECT_TRUE(receiver_.flush(patience));
  }

  void publish(int number, const std::string& padding = {}) {
    EXPECT_TRUE(sender_.publish("numbers", std::to_string(number) + padding));
  }

  // That many, in the order in which they were sent.
  void expect_all(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(arrived_.wait_for(lock, patience, [&] { return received_.size() >= count; }));
    ASSERT_EQ(received_.size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(received_[i], static_cast<int>(i));
  }

  host::nats_server server_;
  host::connection receiver_{{.url = server_.url(), .name = "receiver"}};
  host::connection sender_{{.url = server_.url(), .name = "sender"}};
  std::mutex mutex_;  // guards what was received
  std::condition_variable arrived_;
  std::vector<int> received_;
  host::subscription numbers_;
};

// Whoever writes tls:// does not want to be heard by others.
TEST_F(Connection, IsNotMadeWithoutTheTlsThatItsUrlAsksFor) {
  const std::string url = "tls" + server_.url().substr(server_.url().find("://"));
  EXPECT_THROW(host::connection({.url = url, .name = "secret"}), std::runtime_error);
}

TEST_F(Connection, DeliversABurst) {
  for (int number = 0; number < 5000; ++number) publish(number);
  expect_all(5000);
}

// More than the sockets' buffers hold.
TEST_F(Connection, KeepsWhatTheServerDoesNotTakeYet) {
  const std::string padding(100'000, ' ');
  suspend(server_);
  for (int number = 0; number < 100; ++number) publish(number, padding);
  ::kill(server_.id(), SIGCONT);
  expect_all(100);
}

TEST_F(Connection, MayBePublishedOnByManyThreads) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this] {
      for (int i = 0; i < 500; ++i) publish(0);
    });
  }
  for (std::thread& each : threads) each.join();
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(arrived_.wait_for(lock, patience, [&] { return received_.size() == 2000; }));
}

// The last words of a process are heard, too.
TEST_F(Connection, WritesWhatWasPublishedBeforeItEnds) {
  {
    host::connection short_lived({.url = server_.url(), .name = "short-lived"});
    for (int number = 0; number < 1000; ++number) {
      EXPECT_TRUE(short_lived.publish("numbers", std::to_string(number)));
    }
  }
  expect_all(1000);
}

TEST_F(Connection, EndsWhileTheServerDoesNotAnswer) {
  const std::string padding(100'000, ' ');
  auto stuck = std::make_unique<host::connection>(
      host::connection::settings{.url = server_.url(), .name = "stuck"});
  suspend(server_);
  for (int number = 0; number < 100; ++number) {
    EXPECT_TRUE(stuck->publish("elsewhere", padding));
  }
  stuck.reset();
  ::kill(server_.id(), SIGCONT);
  publish(0);
  expect_all(1);
}

class Bursts : public Connection {
 protected:
  void open(std::vector<const char*> subjects) {
    auto opened = receiver_.subscribe_to_bursts(
        subjects, "test", [this](const std::vector<host::inbound_message>& burst) {
          const std::lock_guard lock(mutex_);
          ++calls_;
          for (const host::inbound_message& each : burst) handed_over_.emplace_back(each.subject());
          arrived_.notify_one();
        });
    ASSERT_TRUE(opened);
    bursts_ = std::move(*opened);
    ASSERT_TRUE(receiver_.flush(patience));
  }

  void send(const std::string& subject) { EXPECT_TRUE(sender_.publish(subject, "")); }

  void expect_handed_over(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(arrived_.wait_for(lock, patience, [&] { return handed_over_.size() >= count; }));
    EXPECT_EQ(handed_over_.size(), count);
  }

  std::unique_ptr<host::burst_subscription> bursts_;
  std::vector<std::string> handed_over_;
  std::size_t calls_ = 0;
};

TEST_F(Bursts, BringWhatArrivesTogether) {
  open({"one", "other.*"});
  suspend(server_);
  for (int i = 0; i < 100; ++i) {
    send("one");
    send("other.a");
  }
  ::kill(server_.id(), SIGCONT);
  expect_handed_over(200);
  EXPECT_EQ(std::count(handed_over_.begin(), handed_over_.end(), "one"), 100);
  EXPECT_LT(calls_, 100U);
}

// What the server had sent before it heard of the end, and nothing after.
TEST_F(Bursts, EndWithWhatHasArrived) {
  open({"one"});
  for (int i = 0; i < 1000; ++i) send("one");
  ASSERT_TRUE(sender_.flush(patience));
  bursts_.reset();
  expect_handed_over(1000);
  send("one");
  ASSERT_TRUE(sender_.flush(patience));
  ASSERT_TRUE(receiver_.flush(patience));
  expect_handed_over(1000);
}

TEST_F(Bursts, EndWhileTheServerDoesNotAnswer) {
  open({"one"});
  suspend(server_);
  bursts_.reset();
  ::kill(server_.id(), SIGCONT);
}

}  // namespace
}  // namespace rosey::tests
