// Plugins that never come back: named, put into quarantine, and in nobody's way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host_stub/plugins/admin.hpp"
#include "integration/support/hostile_host.hpp"

// A host that stays is still there when main() returns: its nats-server's thread may have logged a
// line, and spdlog's logger goes without having heard of that thread's end. Nothing is read after.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
extern "C" __attribute__((visibility("default"), used)) const char* __tsan_default_suppressions() {
  return "race:rosey::host::nats_server::relay\n";
}
#endif
#endif

namespace rosey::tests {
namespace {

using host::connection;
using testing::HasSubstr;

// Plugin code that does not come back can be neither destroyed nor waited for: the test's process
// ends with it still inside, as the bot's would.
hostile_host& host_that_stays(const std::string& way) {
  static std::vector<hostile_host*> kept;
  return *kept.emplace_back(new hostile_host(way));
}

TEST(StuckPlugin, ThatHangsInStartIsQuarantined) {
  hostile_host& host = host_that_stays("hangs_in_start");
  const auto loaded = host.plugins.load("hostile");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("start did not return within 2000 ms"));
  ASSERT_EQ(host.plugins.list().size(), 2u);
  EXPECT_EQ(host.plugins.list()[1].state, "quarantined: start did not return within 2000 ms");
  EXPECT_TRUE(host.others_are_served());
}

TEST(StuckPlugin, ThatHangsInItsConstructorIsNotSaidToHangInStart) {
  hostile_host& host = host_that_stays("slow_constructor");
  const auto loaded = host.plugins.load("hostile");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("create did not return within 2000 ms"));
}

TEST(StuckPlugin, ThatHangsInStartLeavesTheOldOneServing) {
  hostile_host& host = host_that_stays("behaves");
  ASSERT_TRUE(host.plugins.load("hostile"));
  host.install("hangs_in_start");
  const auto reloaded = host.plugins.reload("hostile");
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().message,
              HasSubstr("start did not return within 2000 ms; hostile 1.0.0 keeps running"));
  EXPECT_THAT(host.act(), HasSubstr("still here"));
  EXPECT_EQ(host.plugins.list().size(), 3u) << "hello, the old one, the one in quarantine";
}

TEST(StuckPlugin, ThatSubscribesAndHangsInStartCostsNoAnswer) {
  hostile_host& host = host_that_stays("behaves");
  ASSERT_TRUE(host.plugins.load("hostile"));
  host.install("subscribes_and_hangs");
  crowd people(host.server.url());
  const auto reloaded = host.plugins.reload("hostile");
  EXPECT_FALSE(reloaded);
  EXPECT_EQ(people.finish(), 0);
  EXPECT_THAT(host.act(), HasSubstr("still here"));
}

// Sends commands whose answers come to one inbox.
class inbox {
 public:
  explicit inbox(connection& bus) : bus_(bus) {
    auto opened = bus.subscribe("inbox", "", [this](const host::inbound_message& reply) {
      const std::lock_guard lock(mutex_);
      replies_.emplace_back(reply.payload());
      arrived_.notify_all();
    });
    subscription_ = std::move(*opened);
    EXPECT_TRUE(bus.flush(patience));
  }
  ~inbox() {
    subscription_.end();
    subscription_.finished().wait();
  }

  void send(std::size_t count) {
    for (std::size_t number = 0; number < count; ++number) {
      natsConnection_PublishRequestString(bus_.native(), "rosey.command.hostile.act", "inbox",
                                          "{}");
    }
    EXPECT_TRUE(bus_.flush(patience));
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, patience, [&] { return replies_.size() >= count; });
    return replies_;
  }

 private:
  connection& bus_;
  host::subscription subscription_;
  std::mutex mutex_;  // guards the next
  std::vector<std::string> replies_;
  std::condition_variable arrived_;
};

TEST(StuckPlugin, IsSparedMoreThanItCanEverAnswer) {
  hostile_host& host = host_that_stays("busy_loop");
  ASSERT_TRUE(host.plugins.load("hostile"));
  connection client({.url = host.server.url(), .name = "client"});
  inbox answers(client);
  // One has it stuck, the others wait.
  answers.send(host::most_waiting + 3);
  const auto replies = answers.wait_for(3);
  EXPECT_THAT(replies,
              testing::Each(R"({"success":false,"error":"The plugin 'hostile' has too much to do",)"
                            R"("code":"busy","message":)"
                            R"("❌ The plugin 'hostile' has too much to do"})"));
  EXPECT_EQ(replies.size(), 3u);
  EXPECT_TRUE(host.others_are_served());
  const std::string log = host.log();
  const auto told = log.find("[hostile] 10000 messages wait for it; what comes now is refused");
  ASSERT_NE(told, log.npos);
  EXPECT_EQ(log.find("wait for it", told + 100), log.npos) << "once";
}

TEST(StuckPlugin, LeavesItsCommandsToItsSuccessor) {
  hostile_host& host = host_that_stays("busy_loop");
  ASSERT_TRUE(host.plugins.load("hostile"));
  ASSERT_TRUE(host.bus.publish("rosey.command.hostile.act", "{}"));
  ASSERT_TRUE(host.bus.flush(patience));
  ASSERT_TRUE(host.bus.flush(patience));  // it is the first
  connection client({.url = host.server.url(), .name = "client"});
  inbox answers(client);
  answers.send(20);
  host.install("behaves");
  const auto reloaded = host.plugins.reload("hostile");
  ASSERT_TRUE(reloaded) << reloaded.error().message;
  EXPECT_THAT(*reloaded, HasSubstr("it is kept in quarantine"));
  const auto replies = answers.wait_for(20);
  EXPECT_EQ(replies.size(), 20u);
  EXPECT_THAT(replies, testing::Each(HasSubstr("still here")));
}

// While one plugin is inside a call, and while it is being unloaded, which takes its deadlines.
TEST(StuckPlugin, HoldsUpNoOtherPluginAndNoAdmin) {
  hostile_host& host = host_that_stays("busy_loop");
  const host::plugin_admin admin(host.bus, host.plugins);
  ASSERT_TRUE(host.plugins.load("hostile"));
  ASSERT_TRUE(host.bus.publish("rosey.command.hostile.act", "{}"));
  ASSERT_TRUE(host.bus.flush(patience));
  std::atomic<bool> unloaded = false;
  std::thread unloading([&] {
    EXPECT_FALSE(host.plugins.unload("hostile"));
    unloaded = true;
  });
  const auto reply = host.bus.request("rosey.admin.plugin.reload", R"({"name":"hello"})", patience);
  ASSERT_TRUE(reply);
  EXPECT_THAT(*reply, HasSubstr("Reloaded hello 1.0.0"));
  EXPECT_FALSE(unloaded) << "the reload did not wait for it";
  unloading.join();
  EXPECT_TRUE(host.others_are_served());
}

class StuckAtUnload : public testing::TestWithParam<refusal> {};

TEST_P(StuckAtUnload, IsQuarantinedAndNamed) {
  hostile_host& host = host_that_stays(GetParam().way);
  ASSERT_TRUE(host.plugins.load("hostile"));
  ASSERT_TRUE(host.bus.publish("rosey.command.hostile.act", "{}"));
  ASSERT_TRUE(host.bus.flush(patience));
  EXPECT_TRUE(host.others_are_served());
  const auto unloaded = host.plugins.unload("hostile");
  ASSERT_FALSE(unloaded);
  EXPECT_THAT(unloaded.error().message, HasSubstr(GetParam().sentence));
  ASSERT_EQ(host.plugins.list().size(), 2u);
  EXPECT_EQ(host.plugins.list()[1].id, "hostile");
  EXPECT_EQ(host.plugins.list()[1].state, std::string("quarantined: ") + GetParam().sentence);
  EXPECT_TRUE(host.others_are_served());
  EXPECT_TRUE(host.plugins.unload("hello")) << "the others still come and go";
  EXPECT_TRUE(host.plugins.load("hello"));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, StuckAtUnload,
    testing::Values(refusal{"never_stops", "did not stop within 2000 ms"},
                    refusal{"throws_in_request_stop", "did not stop within 2000 ms"},
                    refusal{"busy_loop", "destroy did not return within 2000 ms"},
                    refusal{"hangs_in_destroy", "destroy did not return within 2000 ms"},
                    refusal{"leaves_a_thread", "left 1 of its threads running"}),
    [](const auto& tested) { return std::string(tested.param.way); });

// Its thread still calls the host, and finds it.
TEST(StuckPlugin, ThatPinsItsLibraryIsQuarantinedAndRefused) {
  hostile_host& host = host_that_stays("pins_itself");
  std::promise<void> refused;
  auto listening = host.bus.subscribe("hostile.refused", "",
                                      [&](const host::inbound_message&) { refused.set_value(); });
  ASSERT_TRUE(listening);
  ASSERT_TRUE(host.plugins.load("hostile"));
  const auto unloaded = host.plugins.unload("hostile");
  ASSERT_FALSE(unloaded);
  EXPECT_THAT(unloaded.error().message, HasSubstr("the loader still holds it"));
  EXPECT_EQ(refused.get_future().wait_for(patience), std::future_status::ready);
  ASSERT_EQ(host.plugins.list().size(), 2u);
  EXPECT_THAT(host.plugins.list()[1].state, HasSubstr("quarantined: "));
  EXPECT_TRUE(host.others_are_served());
  listening->end();
  listening->finished().wait();
}

}  // namespace
}  // namespace rosey::tests
