// Plugins that break the contract: each is refused or contained, named, and the host goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "host_stub/chat/command_router.hpp"
#include "host_stub/plugins/admin.hpp"
#include "integration/support/hostile_host.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;

class RefusedPlugin : public testing::TestWithParam<refusal> {};

TEST_P(RefusedPlugin, IsRefusedWithASentence) {
  hostile_host host(GetParam().way);
  const auto loaded = host.plugins.load("hostile");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr(GetParam().sentence));
  EXPECT_TRUE(host.others_are_served());
  const auto listed = host.plugins.list();
  ASSERT_EQ(listed.size(), 2u);
  const auto& itself = listed[listed[0].id == "hello" ? 1 : 0];
  EXPECT_EQ(itself.phase, host::plugin_phase::refused) << "nothing is left of it";
  EXPECT_THAT(itself.state, HasSubstr("refused: "));
  EXPECT_THAT(itself.state, HasSubstr(GetParam().sentence));
  EXPECT_EQ(host.act(), "no_responders") << "not a subscription either";
  EXPECT_EQ(host.ask("hostile.event"), "no_responders");
}

INSTANTIATE_TEST_SUITE_P(
    Ways, RefusedPlugin,
    testing::Values(
        refusal{"without_symbol", "does not export rosey_plugin_query_v1"},
        refusal{"null_table", "its table is null"},
        refusal{"wrong_major", "it speaks contract version 2, this host 1"},
        refusal{"higher_minor", "it needs a host of contract version 1.2, this one has 1.1"},
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
        refusal{"wildcard_subject", "the subject of verb 'act' must be one without wildcards"},
        refusal{"reserved_id", "its id must not be 'storage': reserved are db, pg, rosey, schema"},
        refusal{"unknown_role", "verb 'act' names an unknown role (7)"},
        refusal{"twice_the_verb", "it lists the verb 'act' twice"},
        refusal{"has_a_unique_symbol",
                "could never be unloaded: it defines the unique symbol "
                "hostile_unique; compile all of it with -fno-gnu-unique"},
        refusal{"is_never_unloaded", "could never be unloaded: it is linked with -z nodelete"},
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
        refusal{"subscribes_in_vain", "cannot subscribe to hostile.>.more"},
        refusal{"forgets_its_verb",
                "its verb 'act' has no subscription: start must subscribe to "
                "rosey.command.hostile.act"}),
    [](const auto& tested) { return std::string(tested.param.way); });

// A plugin is not in line for what others are asked.
class GreedyPlugin : public testing::TestWithParam<refusal> {};

TEST_P(GreedyPlugin, IsRefusedByNameAndTakesNothing) {
  hostile_host host(GetParam().way);
  const auto loaded = host.plugins.load("hostile");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr(GetParam().sentence));
  EXPECT_THAT(host.log(), HasSubstr("[hostile] a subscription was refused: '"));
  EXPECT_TRUE(host.others_are_served());
}

INSTANTIATE_TEST_SUITE_P(
    Ways, GreedyPlugin,
    testing::Values(
        refusal{"takes_commands",
                "'rosey.command.hello.hello' would take requests of the plugin "
                "'hello'; 'hostile' may subscribe to 'rosey.command.hostile.…'"},
        refusal{"hears_commands", "'rosey.command.hello.hello' would take requests of the plugin"},
        refusal{"hears_all_commands", "'rosey.command.>' would take requests of every plugin"},
        refusal{"hears_any_verb", "'rosey.*.*.hello' would take requests to the host"},
        refusal{"takes_a_service",
                "'service.hello.count' would take requests of the plugin 'hello'"},
        refusal{"takes_requests_to_the_host",
                "'rosey.admin.plugin.list' would take requests to "
                "the host (rosey.admin.>); no plugin may"},
        refusal{"takes_requests_to_storage", "'db.row.*.*' would take requests to storage"},
        refusal{"takes_answers", "'_INBOX.>' would hear the answers to requests of others"},
        refusal{"takes_a_group", "'hello' cannot be a queue group of 'hostile': its own are"}),
    [](const auto& tested) { return std::string(tested.param.way); });

class ContainedPlugin : public testing::TestWithParam<refusal> {};

TEST_P(ContainedPlugin, DoesNoHarmAndCanBeUnloaded) {
  hostile_host host(GetParam().way);
  ASSERT_TRUE(host.plugins.load("hostile"));
  ASSERT_TRUE(host.bus.publish("rosey.command.hostile.act", "{}"));
  ASSERT_TRUE(host.bus.flush(patience));
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
  ASSERT_EQ(host.plugins.list().size(), 1u);
  EXPECT_THAT(host.plugins.list()[0].state, HasSubstr("refused: "));
  ::kill(host.server.id(), SIGCONT);
  EXPECT_TRUE(host.plugins.load("hello"));
  EXPECT_TRUE(host.others_are_served());
}

}  // namespace
}  // namespace rosey::tests
