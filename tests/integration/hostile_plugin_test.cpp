// Plugins that break the contract: each is refused or contained, named, and the host goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "host_stub/bus/connection.hpp"
#include "host_stub/bus/nats_server.hpp"
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
                                           .drain = std::chrono::seconds(5),
                                           .stop = std::chrono::seconds(2),
                                           .destroy = std::chrono::seconds(2)};

struct hostile_host {
  explicit hostile_host(const std::string& way) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
    std::filesystem::copy_file(std::string(HOSTILE_PLUGINS) + "/lib" + way + ".so",
                               folder.path() / "libhostile.so");
    std::filesystem::copy_file(HELLO_PLUGIN, folder.path() / "libhello.so");
    EXPECT_TRUE(plugins.load("hello"));
  }

  // The proof that the host, and its other plugins, go on.
  bool others_are_served() {
    const auto reply =
        bus.request("rosey.command.hello.hello", R"({"channel":"#lobby","user":"ann"})", patience);
    return reply && reply->find("Hello, ann!") != std::string::npos;
  }

  std::ostringstream log;
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
}

INSTANTIATE_TEST_SUITE_P(
    Ways, RefusedPlugin,
    testing::Values(
        refusal{"without_symbol", "does not export rosey_plugin_query_v1"},
        refusal{"null_table", "its table is null"},
        refusal{"wrong_major", "it speaks contract version 2, this host 1"},
        refusal{"higher_minor", "it needs a host of contract version 1.1, this one has 1.0"},
        refusal{"short_table", "its table has 24 bytes"}, refusal{"bad_id", "its id must be"},
        refusal{"null_start", "a function of its table is null"},
        refusal{"null_verbs", "its list of verbs is null"},
        refusal{"null_verb_name", "a verb's name must be"},
        refusal{"foreign_subject", "the subject of verb 'act' must begin with"},
        refusal{"unknown_role", "verb 'act' names an unknown role (7)"},
        refusal{"twice_the_verb", "it lists the verb 'act' twice"},
        refusal{"brings_nats", "carries its own copy of libnats"},
        refusal{"throws_in_create", "threw an exception: thrown from create"},
        refusal{"fails_in_create", "no instance today"}, refusal{"unterminated_error", "xxxxxx"},
        refusal{"null_instance", "create succeeded without an instance"},
        refusal{"throws_in_start", "threw an exception: thrown from start"},
        refusal{"throws_an_int_in_start", "threw an exception"},
        refusal{"subscribes_to_all", "'>' cannot be subscribed to"}),
    [](const auto& tested) { return std::string(tested.param.way); });

class ContainedPlugin : public testing::TestWithParam<refusal> {};

TEST_P(ContainedPlugin, DoesNoHarmAndCanBeUnloaded) {
  hostile_host host(GetParam().way);
  ASSERT_TRUE(host.plugins.load("hostile"));
  ASSERT_TRUE(host.bus.publish("rosey.command.hostile.act", "{}"));
  EXPECT_TRUE(host.others_are_served());
  const auto unloaded = host.plugins.unload("hostile");
  EXPECT_TRUE(unloaded) << unloaded.error().message;
  EXPECT_THAT(host.log.str(), HasSubstr(GetParam().sentence));
  EXPECT_TRUE(host.others_are_served());
}

INSTANTIATE_TEST_SUITE_P(
    Ways, ContainedPlugin,
    testing::Values(refusal{"throws_in_task",
                            "an exception escaped from the plugin: thrown from a task"},
                    refusal{"throws_in_message",
                            "an exception escaped from the plugin: thrown from a message handler"},
                    refusal{"throws_in_destroy", "an exception escaped from destroy"},
                    refusal{"posts_after_stopped", "post refused in destroy"}),
    [](const auto& tested) { return std::string(tested.param.way); });

// Plugin code that does not come back can be neither destroyed nor waited for: the test's process
// ends with it still inside, as the bot's would.
hostile_host& host_that_stays(const std::string& way) {
  static hostile_host* const kept = new hostile_host(way);
  return *kept;
}

TEST(StuckPlugin, ThatHangsInStartIsQuarantined) {
  hostile_host& host = host_that_stays("hangs_in_start");
  const auto loaded = host.plugins.load("hostile");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("start did not return within 2000 ms"));
  ASSERT_EQ(host.plugins.list().size(), 2u);
  EXPECT_EQ(host.plugins.list()[1].state, "quarantined: did not stop");
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
  EXPECT_EQ(host.plugins.list()[1].state, "quarantined: did not stop");
  EXPECT_TRUE(host.others_are_served());
  EXPECT_TRUE(host.plugins.unload("hello")) << "the others still come and go";
  EXPECT_TRUE(host.plugins.load("hello"));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, StuckAtUnload,
    testing::Values(refusal{"never_stops", "did not stop within 2000 ms"},
                    refusal{"throws_in_request_stop", "did not stop within 2000 ms"},
                    refusal{"busy_loop", "destroy did not return within 2000 ms"},
                    refusal{"hangs_in_destroy", "destroy did not return within 2000 ms"}),
    [](const auto& tested) { return std::string(tested.param.way); });

}  // namespace
}  // namespace rosey::tests
