// Plugins that break the contract: each is refused or contained, named, and the host goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "host_stub/bus/nats_server.hpp"
#include "host_stub/chat/command_router.hpp"
#include "host_stub/plugins/admin.hpp"
#include "host_stub/plugins/manager.hpp"
#include "integration/support/process.hpp"
#include "temporary_directory.hpp"

namespace rosey::tests {
namespace {

using host::connection;
using host::plugin_manager;
using testing::HasSubstr;

// Short, since some plugins use them up; long enough for the others on a busy machine.
constexpr host::plugin_deadlines deadlines{.start = std::chrono::seconds(2),
                                           .drain = std::chrono::seconds(2),
                                           .stop = std::chrono::seconds(2),
                                           .destroy = std::chrono::seconds(2),
                                           .hold = std::chrono::milliseconds(500)};

// What is logged, from its making on. First of all: the logger cannot be exchanged when other
// threads use it already.
struct captured_log {
  captured_log() { spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", lines)); }

  std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> lines =
      std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(1000);
};

struct hostile_host {
  explicit hostile_host(const std::string& way) {
    install(way);
    std::filesystem::copy_file(HELLO_PLUGIN, folder.path() / "libhello.so");
    EXPECT_TRUE(plugins.load("hello"));
  }

  void install(const std::string& way) {
    std::filesystem::copy_file(std::string(HOSTILE_PLUGINS) + "/lib" + way + ".so",
                               folder.path() / "libhostile.so",
                               std::filesystem::copy_options::overwrite_existing);
  }

  std::string act() { return ask("rosey.command.hostile.act"); }

  std::string ask(const char* subject) {
    const auto reply = bus.request(subject, "{}", patience);
    return reply ? *reply : reply.error().code;
  }

  std::string log() {
    std::string text;
    for (const std::string& line : captured.lines->last_formatted()) text += line;
    return text;
  }

  // The proof that the host, and its other plugins, go on.
  bool others_are_served() {
    const auto reply =
        bus.request("rosey.command.hello.hello", R"({"channel":"#lobby","user":"ann"})", patience);
    return reply && reply->find("Hello, ann!") != std::string::npos;
  }

  captured_log captured;
  temporary_directory folder;
  host::nats_server server;
  connection bus{{.url = server.url(), .name = "host"}};
  plugin_manager plugins{
      bus,
      {folder.path(), [](const std::string&) { return result<std::string>("{}"); }, deadlines}};
};

struct refusal {
  const char* way;
  const char* sentence;
};

class RefusedPlugin : public testing::TestWithParam<refusal> {};

TEST_P(RefusedPlugin, IsRefusedWithASentence) {
  hostile_host host(GetParam().way);
  const auto loaded = host.plugins.load("hostile");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr(GetParam().sentence));
  EXPECT_TRUE(host.others_are_served());
  ASSERT_EQ(host.plugins.list().size(), 1u) << "nothing is left of it";
  EXPECT_EQ(host.act(), "no_responders") << "not a subscription either";
  EXPECT_EQ(host.ask("hostile.event"), "no_responders");
}

INSTANTIATE_TEST_SUITE_P(
    Ways, RefusedPlugin,
    testing::Values(
        refusal{"without_symbol", "does not export rosey_plugin_query_v1"},
        refusal{"null_table", "its table is null"},
        refusal{"wrong_major", "it speaks contract version 2, this host 1"},
        refusal{"higher_minor", "it needs a host of contract version 1.1, this one has 1.0"},
        refusal{"short_table", "its table has 24 bytes"}, refusal{"bad_id", "its id must be"},
        refusal{"throws_in_query",
                "rosey_plugin_query_v1 threw an exception: thrown from the query"},
        refusal{"null_create", "a function of its table is null"},
        refusal{"null_start", "a function of its table is null"},
        refusal{"null_request_stop", "a function of its table is null"},
        refusal{"null_destroy", "a function of its table is null"},
        refusal{"reserved_not_zero", "a reserved field of its table is not zero"},
        refusal{"short_verb", "a verb's table is too short"},
        refusal{"claims_help", "it claims the verb 'help', which is the host's own"},
        refusal{"claims_plugin", "it claims the verb 'plugin', which is the host's own"},
        refusal{"null_verbs", "its list of verbs is null"},
        refusal{"null_verb_name", "a verb's name must be"},
        refusal{"foreign_subject", "the subject of verb 'act' must begin with"},
        refusal{"unknown_role", "verb 'act' names an unknown role (7)"},
        refusal{"twice_the_verb", "it lists the verb 'act' twice"},
        refusal{"brings_nats", "carries its own copy of libnats"},
        refusal{"hidden_nats", "this plugin carries its own copy of libnats (0.0.1) beside"},
        refusal{"throws_in_create", "threw an exception: thrown from create"},
        refusal{"fails_in_create", "no instance today"}, refusal{"unterminated_error", "xxxxxx"},
        refusal{"null_instance", "create succeeded without an instance"},
        refusal{"throws_in_start", "threw an exception: thrown from start"},
        refusal{"throws_an_int_in_start", "threw an exception"},
        refusal{"subscribes_to_all", "'>' cannot be subscribed to"},
        refusal{"subscribes_in_create_and_throws", "threw an exception: thrown from create"},
        refusal{"subscribes_and_throws", "threw an exception: thrown from start"},
        refusal{"subscribes_and_fails", "no work today"},
        refusal{"subscribes_in_vain", "cannot subscribe to hostile.>.more"}),
    [](const auto& tested) { return std::string(tested.param.way); });

class ContainedPlugin : public testing::TestWithParam<refusal> {};

TEST_P(ContainedPlugin, DoesNoHarmAndCanBeUnloaded) {
  hostile_host host(GetParam().way);
  ASSERT_TRUE(host.plugins.load("hostile"));
  ASSERT_TRUE(host.bus.publish("rosey.command.hostile.act", "{}"));
  EXPECT_TRUE(host.others_are_served());
  const auto unloaded = host.plugins.unload("hostile");
  EXPECT_TRUE(unloaded) << unloaded.error().message;
  EXPECT_THAT(host.log(), HasSubstr(GetParam().sentence));
  EXPECT_TRUE(host.others_are_served());
}

INSTANTIATE_TEST_SUITE_P(
    Ways, ContainedPlugin,
    testing::Values(
        refusal{"throws_in_task", "an exception escaped from the plugin: thrown from a task"},
        refusal{"throws_in_message",
                "an exception escaped from the plugin: thrown from a message handler"},
        refusal{"throws_in_drop", "an exception escaped from the plugin: thrown from a drop"},
        refusal{"throws_in_done", "an exception escaped from the plugin: thrown from a done"},
        refusal{"throws_in_destroy", "an exception escaped from destroy"},
        refusal{"posts_after_stopped", "post refused in destroy"}),
    [](const auto& tested) { return std::string(tested.param.way); });

class RefusedSuccessor : public testing::TestWithParam<refusal> {};

TEST_P(RefusedSuccessor, LeavesTheOldOneServing) {
  hostile_host host("behaves");
  ASSERT_TRUE(host.plugins.load("hostile"));
  host.install(GetParam().way);
  const auto reloaded = host.plugins.reload("hostile");
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().message, HasSubstr(GetParam().sentence));
  EXPECT_THAT(reloaded.error().message, HasSubstr("; hostile 1.0.0 keeps running"));
  EXPECT_THAT(host.plugins.list()[1].state, HasSubstr("running; the newest build was refused: "));
  EXPECT_THAT(host.act(), HasSubstr("still here"));

  host.install("behaves");
  EXPECT_TRUE(host.plugins.reload("hostile")) << "a sound build is taken after all";
  EXPECT_EQ(host.plugins.list()[1].state, "running");
  EXPECT_THAT(host.act(), HasSubstr("still here"));
  EXPECT_TRUE(host.plugins.unload("hostile"));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, RefusedSuccessor,
    testing::Values(refusal{"without_symbol", "does not export rosey_plugin_query_v1"},
                    refusal{"wrong_major", "it speaks contract version 2, this host 1"},
                    refusal{"throws_in_query", "threw an exception: thrown from the query"},
                    refusal{"null_start", "a function of its table is null"},
                    refusal{"fails_in_create", "no instance today"},
                    refusal{"throws_in_create", "threw an exception: thrown from create"},
                    refusal{"throws_in_start", "threw an exception: thrown from start"},
                    refusal{"subscribes_to_all", "'>' cannot be subscribed to"},
                    refusal{"rival", "now holds the plugin 'rival'"}),
    [](const auto& tested) { return std::string(tested.param.way); });

// Asks the hostile plugin without a pause, as several people do.
class crowd {
 public:
  explicit crowd(const std::string& url) {
    for (int person = 0; person < 3; ++person) people_.emplace_back([this, url] { ask(url); });
    while (answered_ == 0 && wrong_ == 0) std::this_thread::yield();
  }
  ~crowd() { finish(); }

  // How many answers were missing, or not those of a plugin that has started.
  int finish() {
    enough_ = true;
    for (std::thread& person : people_) person.join();
    people_.clear();
    return wrong_;
  }

 private:
  void ask(const std::string& url) {
    connection bus({.url = url, .name = "crowd"});
    while (!enough_) {
      const auto reply = bus.request("rosey.command.hostile.act", "{}", patience);
      ++(reply && reply->find("still here") != std::string::npos ? answered_ : wrong_);
    }
  }

  std::atomic<bool> enough_ = false;
  std::atomic<int> answered_ = 0;
  std::atomic<int> wrong_ = 0;
  std::vector<std::thread> people_;
};

// One that subscribes before it fails must not take commands that the old one would have answered.
class FailingSuccessor : public testing::TestWithParam<refusal> {};

TEST_P(FailingSuccessor, CostsNoAnswer) {
  hostile_host host("behaves");
  ASSERT_TRUE(host.plugins.load("hostile"));
  host.install(GetParam().way);
  crowd people(host.server.url());
  for (int attempt = 0; attempt < 10; ++attempt) {
    const auto reloaded = host.plugins.reload("hostile");
    ASSERT_FALSE(reloaded);
    EXPECT_THAT(reloaded.error().message, HasSubstr(GetParam().sentence));
  }
  EXPECT_EQ(people.finish(), 0);
  EXPECT_THAT(host.act(), HasSubstr("still here"));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, FailingSuccessor,
    testing::Values(refusal{"subscribes_in_create_and_throws", "thrown from create"},
                    refusal{"subscribes_and_throws", "thrown from start"},
                    refusal{"subscribes_and_fails", "no work today"},
                    refusal{"subscribes_in_vain", "cannot subscribe to hostile.>.more"}),
    [](const auto& tested) { return std::string(tested.param.way); });

TEST(NewerPlugin, IsAcceptedWithFieldsThatThisHostHasNeverHeardOf) {
  hostile_host host("newer_minor");
  const auto loaded = host.plugins.load("hostile");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(host.act(), HasSubstr("still here"));
  EXPECT_TRUE(host.plugins.unload("hostile"));
}

// The request comes from the thread that the reload has to end.
class SelfReload : public testing::TestWithParam<const char*> {};

TEST_P(SelfReload, WorksFromInsideAHandler) {
  hostile_host host(GetParam());
  const host::plugin_admin admin(host.bus, host.plugins);
  ASSERT_TRUE(host.plugins.load("hostile"));
  EXPECT_THAT(host.act(), HasSubstr("still here"));
  EXPECT_TRUE(host.others_are_served());
  // Requests for one plugin are carried out in the order in which they came.
  const auto unloaded =
      host.bus.request("rosey.admin.plugin.unload", R"({"name":"hostile"})", patience);
  ASSERT_TRUE(unloaded);
  EXPECT_THAT(*unloaded, HasSubstr("Unloaded hostile 1.0.0"));
  EXPECT_THAT(host.log(), HasSubstr("Reloaded hostile 1.0.0 → 1.0.0"));
  EXPECT_EQ(host.plugins.list().size(), 1u) << "neither is in quarantine";
}

INSTANTIATE_TEST_SUITE_P(Ways, SelfReload,
                         testing::Values("reloads_itself", "reloads_itself_and_waits"),
                         [](const auto& tested) { return std::string(tested.param); });

// An admin must get through to a plugin that answers nobody.
TEST(AdminCommands, DoNotWaitBehindThoseOfThePlugin) {
  hostile_host host("behaves");
  ASSERT_TRUE(host.plugins.load("hostile"));
  const host::command_router router(host.bus, [&] { return host.plugins.verbs(); }, {});
  const auto lane = [&](const char* text) {
    return router.lane_of({"#lobby", "ann", wire::role::admin, text});
  };
  EXPECT_EQ(lane("!act"), "hostile");
  EXPECT_EQ(lane("!plugin unload hostile"), "plugin hostile");
  EXPECT_EQ(lane("!plugin list"), "") << "answered at once";
  EXPECT_GT(host::admin_timeout, host::plugin_deadlines().longest_change());
}

TEST(RivalPlugin, IsReachableUnderItsLongName) {
  hostile_host host("rival");
  ASSERT_TRUE(host.plugins.load("hostile")) << "by its file's name";
  EXPECT_THAT(host.log(), HasSubstr("the verb 'hello' of rival belongs to hello already; it is "
                                    "reachable as 'rival.hello'"));
  host::command_router router(host.bus, [&] { return host.plugins.verbs(); }, {});
  const auto say = [&](const char* text) {
    return *router.answer({"#lobby", "ann", wire::role::user, text});
  };
  EXPECT_THAT(say("!hello"), HasSubstr("Hello, ann!"));
  EXPECT_THAT(say("!hello.hello"), HasSubstr("Hello, ann!"));
  EXPECT_EQ(say("!rival.hello"), "The rival greets");
  EXPECT_THAT(say("!help"), HasSubstr("!rival.hello - Says it better"));
  EXPECT_TRUE(host.plugins.reload("rival"));
  EXPECT_THAT(say("!hello"), HasSubstr("Hello, ann!")) << "a reload takes nothing away";
  EXPECT_TRUE(host.plugins.unload("hello"));
  EXPECT_THAT(say("!hello"), HasSubstr("'hello' is not loaded"));
  EXPECT_EQ(say("!rival.hello"), "The rival greets");
}

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

// An outage of NATS is no fault of the plugin.
TEST(NatsOutage, DoesNotKeepAPluginFromBeingUnloaded) {
  hostile_host host("behaves");
  ASSERT_TRUE(host.plugins.load("hostile"));
  ASSERT_EQ(::kill(host.server.id(), SIGSTOP), 0);
  for (const char* id : {"hostile", "hello"}) {
    const auto unloaded = host.plugins.unload(id);
    EXPECT_TRUE(unloaded) << unloaded.error().message;
  }
  EXPECT_FALSE(host.plugins.load("hello")) << "nobody would reach it";
  EXPECT_TRUE(host.plugins.list().empty());
  ::kill(host.server.id(), SIGCONT);
  EXPECT_TRUE(host.plugins.load("hello"));
  EXPECT_TRUE(host.others_are_served());
}

}  // namespace
}  // namespace rosey::tests
