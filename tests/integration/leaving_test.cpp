// SIGTERM ends the real bot and the storage service within 3 s, whatever does not answer.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "host_stub/bus/nats_server.hpp"
#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;

constexpr char add_line[] = "!add yt:AAAAAAAAAAA\n";

// What it takes from the signal to the end, as a supervisor sees it.
int leaves_in_time(process& child) {
  const auto begin = std::chrono::steady_clock::now();
  child.signal(SIGTERM);
  const int status = child.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3)) << child.log();
  return status;
}

// Waits until a plugin has its thread, which the host names after it.
bool has_thread_of(pid_t child, std::string_view plugin) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const std::string tasks = "/proc/" + std::to_string(child) + "/task";
  while (std::chrono::steady_clock::now() < deadline) {
    std::error_code gone;
    for (std::filesystem::directory_iterator at(tasks, gone), end; !gone && at != end;
         at.increment(gone)) {
      std::ifstream file(at->path() / "comm");
      std::string name;
      if (std::getline(file, name) && name.starts_with(plugin)) return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

// Returns when all its threads stand still.
void suspend(pid_t child) {
  ::kill(child, SIGSTOP);
  siginfo_t stopped;
  ::waitid(P_PID, static_cast<id_t>(child), &stopped, WSTOPPED | WNOWAIT);
}

// The bot at an external NATS that this test can suspend or end.
class Leaving : public testing::Test {
 protected:
  void start(std::string_view storage = R"({"enabled": true})") {
    folder_.configure("{}", {.storage = storage});
    bot_ = std::make_unique<running_bot>(folder_,
                                         std::vector<std::string>{"--nats-url", server_->url()});
  }
  process& bot() { return bot_->child(); }

  const bot_folder folder_;
  std::unique_ptr<host::nats_server> server_ = std::make_unique<host::nats_server>();
  std::unique_ptr<running_bot> bot_;
};

TEST_F(Leaving, WithoutAnythingToDo) {
  start();
  EXPECT_EQ(leaves_in_time(bot()), 0);
}

TEST_F(Leaving, WhenNatsIsSuspendedAndACommandWaits) {
  start();
  EXPECT_THAT(bot_->say("!queue"), HasSubstr("Queue is empty"));
  suspend(server_->id());
  bot().write(add_line);
  EXPECT_EQ(leaves_in_time(bot()), 0) << bot().log();
}

TEST_F(Leaving, WhenNatsIsAwayAndACommandWaits) {
  start();
  EXPECT_THAT(bot_->say("!queue"), HasSubstr("Queue is empty"));
  server_.reset();
  bot().wait_for_log("lost the connection to NATS");
  bot().write(add_line);
  EXPECT_EQ(leaves_in_time(bot()), 0) << bot().log();
}

TEST_F(Leaving, WhenTheInputHasEndedAndACommandWaits) {
  start();
  EXPECT_THAT(bot_->say("!queue"), HasSubstr("Queue is empty"));
  suspend(server_->id());
  bot().write(add_line);
  bot().close_input();
  EXPECT_EQ(leaves_in_time(bot()), 0) << bot().log();
}

TEST_F(Leaving, WhenTheStorageIsSuspendedAndACommandWaits) {
  process storage(folder_.command({"storage", "--nats-url", server_->url()}), folder_.path());
  storage.wait_for_log("rosey ready");
  start(R"({"enabled": false})");
  EXPECT_THAT(bot_->say("!queue"), HasSubstr("Queue is empty"));
  suspend(storage.id());
  bot().write(add_line);
  EXPECT_EQ(leaves_in_time(bot()), 0) << bot().log();
  // And the storage, when NATS is.
  ::kill(storage.id(), SIGCONT);
  suspend(server_->id());
  EXPECT_EQ(leaves_in_time(storage), 0) << storage.log();
}

TEST_F(Leaving, WhenSomebodyElseHasLockedTheDatabase) {
  start();
  EXPECT_THAT(bot_->say("!queue"), HasSubstr("Queue is empty"));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(folder_.database().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  bot().write(add_line);
  EXPECT_EQ(leaves_in_time(bot()), 0) << bot().log();
  sqlite3_close(other);
}

// It really is stuck: a supervisor sees it, and the log says which.
TEST_F(Leaving, WhenAPluginIsInACallThatDoesNotReturn) {
  std::filesystem::copy_file(HOSTILE_PLUGINS "/libbusy_loop.so",
                             folder_.plugins() / "libhostile.so");
  start();
  ASSERT_TRUE(bot_->bus().publish("rosey.command.hostile.act", "{}"));
  ASSERT_TRUE(bot_->bus().flush(patience));
  bot().wait_for_log("the plugin hostile 1.0.0 is stuck");
  EXPECT_EQ(leaves_in_time(bot()), 1);
  EXPECT_THAT(bot().log(), HasSubstr("hostile 1.0.0 destroy did not return within"));
  EXPECT_THAT(bot().log(), HasSubstr("unloaded playlist")) << "the others are stopped in order";
}

// The contract's headers say so: what must be kept has to be in storage before.
TEST_F(Leaving, WithoutTheEndOfAPluginThatDoesNotStop) {
  std::filesystem::copy_file(HOSTILE_PLUGINS "/libcontract.so",
                             folder_.plugins() / "libcontract.so");
  ::setenv("CONTRACT_MODE", "never_stops", 1);
  start();
  ::unsetenv("CONTRACT_MODE");
  leaves_in_time(bot());
  EXPECT_THAT(bot().log(), HasSubstr("[contract] request_stop"));
  EXPECT_THAT(bot().log(), testing::Not(HasSubstr("[contract] destroyed")));
  EXPECT_THAT(bot().log(), testing::Not(HasSubstr("static destructor")));
}

TEST_F(Leaving, WithTheEndOfAPluginThatStops) {
  std::filesystem::copy_file(HOSTILE_PLUGINS "/libcontract.so",
                             folder_.plugins() / "libcontract.so");
  start();
  EXPECT_EQ(leaves_in_time(bot()), 0);
  EXPECT_THAT(bot().log(), HasSubstr("[contract] destroyed"));
  EXPECT_THAT(bot().log(), HasSubstr("static destructor"));
}

// A bot that hears nothing any more must not live on: a supervisor starts another one.
TEST_F(Leaving, WhenItsConnectionIsClosedForGood) {
  std::filesystem::copy_file(HOSTILE_PLUGINS "/libcontract.so",
                             folder_.plugins() / "libcontract.so");
  ::setenv("CONTRACT_MODE", "closes_nats", 1);
  start();
  ::unsetenv("CONTRACT_MODE");
  ASSERT_TRUE(bot_->bus().publish("rosey.command.contract.act", "{}"));
  ASSERT_TRUE(bot_->bus().flush(patience));
  EXPECT_EQ(bot().wait(), 1);
  bot().drain(std::chrono::milliseconds(10));
  EXPECT_THAT(bot().log(), HasSubstr("the connection to NATS has ended for good"));
}

TEST_F(Leaving, WhenAPluginDoesNotStart) {
  // Behind the playlist, in the order of names.
  std::filesystem::copy_file(HOSTILE_PLUGINS "/libhangs_in_start.so",
                             folder_.plugins() / "libstarts_last.so");
  folder_.configure("{}", {.storage = R"({"enabled": true})"});
  process starting(folder_.command({"run", "--nats-url", server_->url()}), folder_.path());
  starting.wait_for_log("loaded playlist");
  ASSERT_TRUE(has_thread_of(starting.id(), "hostile")) << "its start has not begun";
  EXPECT_EQ(leaves_in_time(starting), 1);
  EXPECT_THAT(starting.log(), HasSubstr("the start did not come to an end in time"));
}

// A pipe that is full, as standard output: the first answer is being written for ever.
TEST_F(Leaving, WhenNobodyReadsItsOutput) {
  constexpr int output = 9;
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const std::string filling(65536, '.');
  while (::write(ends[1], filling.data(), filling.size()) > 0) {
  }
  ::fcntl(ends[1], F_SETFL, 0);
  ASSERT_EQ(::dup2(ends[1], output), output);
  process full(
      {"/bin/sh", "-c", "exec " ROSEY_BINARY " run --nats-url " + server_->url() + " >&9 9>&-"},
      folder_.path());
  ::close(output);
  full.wait_for_log("rosey ready");

  host::connection bus({.url = server_->url(), .name = "test"});
  std::promise<void> spoken;
  const auto heard = bus.subscribe("rosey.chat.users", "", [&](const host::inbound_message& what) {
    if (what.payload().find("talk") != std::string_view::npos) spoken.set_value();
  });
  ASSERT_TRUE(heard && bus.flush(patience));
  full.write("!help\n");
  spoken.get_future().wait();

  EXPECT_EQ(leaves_in_time(full), 1);
  EXPECT_THAT(full.log(), HasSubstr("a command of the console did not come to an end in time"));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(Leaving, OfAPluginCommandThatWaits) {
  start();
  suspend(bot().id());
  process reload(folder_.command({"plugin", "reload", "playlist", "--nats-url", server_->url()}),
                 folder_.path());
  EXPECT_EQ(leaves_in_time(reload), 128 + SIGTERM);
}

}  // namespace
}  // namespace rosey::tests
