// What the contract's headers promise, asked of the real host by a plugin in plain C
// (tests/fixtures/contract_plugin.c), which writes into the log what it sees.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "host_stub/plugins/admin.hpp"
#include "host_stub/plugins/check.hpp"
#include "integration/support/hostile_host.hpp"
#include "rosey/wire/decode.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::tests {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

// Of those that are used up here.
constexpr std::chrono::milliseconds soon{300};

struct contract_host {
  explicit contract_host(const char* mode, host::plugin_deadlines limits = deadlines,
                         const std::string& library = "libcontract.so")
      : plugins(bus, {folder.path(), [](const std::string&) { return result<std::string>("{}"); },
                      limits}) {
    ::setenv("CONTRACT_MODE", mode, 1);
    std::filesystem::copy_file(HOSTILE_PLUGINS "/" + library, folder.path() / library);
  }

  // What the plugin itself said, without its name.
  std::vector<std::string> said() const {
    std::vector<std::string> lines;
    for (const std::string& line : captured.lines->last_formatted()) {
      EXPECT_TRUE(wire::is_valid_utf8(line)) << line;
      const auto name = line.find("[contract");
      const auto text = name == line.npos ? line.npos : line.find("] ", name);
      if (text != line.npos) lines.push_back(line.substr(text + 2, line.size() - text - 3));
    }
    return lines;
  }

  bool says(const std::string& wanted) const {
    const auto latest = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < latest) {
      for (const std::string& line : said()) {
        if (line == wanted) return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  void send_event(std::string_view payload) {
    ASSERT_TRUE(bus.publish("contract.event", payload));
    ASSERT_TRUE(bus.flush(patience));
  }

  std::string ask(const char* subject) {
    const auto reply = bus.request(subject, "{}", soon);
    return reply ? *reply : reply.error().code;
  }

  captured_log captured;
  temporary_directory folder;
  host::nats_server server;
  host::connection bus{{.url = server.url(), .name = "host"}};
  host::plugin_manager plugins;
};

// One whose plugin never goes stays until the process ends.
contract_host& contract_host_that_stays(const char* mode, host::plugin_deadlines limits) {
  static std::vector<contract_host*> kept;
  return *kept.emplace_back(new contract_host(mode, limits));
}

TEST(AbiContract, AFailedCreateRunsNothingAndIsNotDestroyed) {
  contract_host host("fails_in_create");
  const auto loaded = host.plugins.load("contract");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("create failed: no instance today"));
  EXPECT_THAT(host.said(),
              ElementsAre("post: 0", "unsubscribe: 0", "unsubscribe: 0", "dropped", "done", "done"))
      << "neither run, nor a message, nor request_stop, nor destroy";
  ASSERT_EQ(host.plugins.list().size(), 1u);
  EXPECT_EQ(host.plugins.list()[0].phase, host::plugin_phase::refused) << "no instance is left";
  EXPECT_EQ(host.ask("contract.event"), "no_responders");
}

TEST(AbiContract, AnUnknownStatusIsAFailureAndNamedWithoutASentence) {
  contract_host host("fails_with_an_unknown_status");
  const auto loaded = host.plugins.load("contract");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message,
              HasSubstr("create failed: status 99 (failed), without a sentence"));
}

TEST(AbiContract, AFailedStartIsTakenDownLikeAnyOther) {
  contract_host host("fails_in_start");
  const auto loaded = host.plugins.load("contract");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("1.0\uFFFD: no work today"));
  EXPECT_THAT(host.said(), IsSupersetOf({"ran", "request_stop", "stopped in a task", "destroyed"}));
  EXPECT_THAT(host.said(), Contains("event of 11 bytes: 66 72 6f 6d 20 6d 79 73"));
  EXPECT_EQ(host.said().back(), "destroyed");
  ASSERT_EQ(host.plugins.list().size(), 1u);
  EXPECT_EQ(host.plugins.list()[0].phase, host::plugin_phase::refused) << "no instance is left";
  EXPECT_EQ(host.ask("rosey.command.contract.act"), "no_responders");
}

TEST(AbiContract, AFailedStartMayHaveStoppedAlready) {
  contract_host host("fails_in_start_and_stops");
  const auto loaded = host.plugins.load("contract");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, Not(HasSubstr("cannot be unloaded")));
  EXPECT_THAT(host.said(), Contains("request_stop"));
  EXPECT_EQ(host.said().back(), "destroyed");
}

TEST(AbiContract, AFailedStartOwesStoppedAsWell) {
  host::plugin_deadlines limits = deadlines;
  limits.stop = soon;
  contract_host& host = contract_host_that_stays("fails_in_start_and_never_stops", limits);
  const auto loaded = host.plugins.load("contract");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message,
              HasSubstr("no work today; it cannot be unloaded either: did not stop within 300 ms"));
  EXPECT_THAT(host.said(), Not(Contains("destroyed")));
  ASSERT_EQ(host.plugins.list().size(), 1u);
  EXPECT_THAT(host.plugins.list()[0].state, testing::StartsWith("quarantined"));
}

TEST(AbiContract, StoppedInAdvanceChangesNothingUntilThePluginHasToGo) {
  contract_host host("stops_before_it_is_asked");
  ASSERT_TRUE(host.plugins.load("contract"));
  EXPECT_EQ(host.plugins.list()[0].state, "running");
  host.send_event("on");
  EXPECT_TRUE(host.says("event after stopped"));
  ASSERT_TRUE(host.bus.publish("rosey.command.contract.act", "{}"));
  EXPECT_TRUE(host.says("command"));
  EXPECT_TRUE(host.plugins.unload("contract"));
  EXPECT_THAT(host.said(), Contains("request_stop"));
  EXPECT_EQ(host.said().back(), "destroyed");
  for (const std::string& line : host.captured.lines->last_formatted()) {
    EXPECT_THAT(line, Not(HasSubstr("it stopped with status"))) << "the second call is ignored";
  }
}

TEST(AbiContract, TheStatusOfStoppedIsForTheLog) {
  contract_host host("stops_with_a_status");
  ASSERT_TRUE(host.plugins.load("contract"));
  ASSERT_TRUE(host.plugins.unload("contract"));
  EXPECT_THAT(host.said(), Contains("it stopped with status 5 (refused)"));
}

TEST(AbiContract, DestroyIsTheLastAndNothingBeginsInIt) {
  contract_host host("");
  ASSERT_TRUE(host.plugins.load("contract"));
  ASSERT_TRUE(host.plugins.unload("contract"));
  EXPECT_THAT(host.said(),
              ElementsAre("request_stop", "post in destroy: 3", "subscribe in destroy: 3",
                          "unsubscribe in destroy: 2", "unsubscribe in destroy: 2", "destroyed"));
}

TEST(AbiContract, EachFunctionReturnsTheStatusesThatItsHeaderNames) {
  contract_host host("tries_statuses");
  ASSERT_TRUE(host.plugins.load("contract"));
  EXPECT_TRUE(host.says("ran"));
  EXPECT_TRUE(host.says("done"));
  const auto said = host.said();
  EXPECT_THAT(
      said,
      IsSupersetOf({"post: 0", "post without run: 2", "post without drop: 2",
                    "subscribe without handler: 2", "subscribe to all: 5", "subscribe in bytes: 5",
                    "subscribe to a long one: 5", "subscribe to what libnats refuses: 1",
                    "subscribe in a group of blanks: 5", "subscribe: 0", "unsubscribe: 0",
                    "unsubscribe again: 2", "unsubscribe a stranger: 2", "no future", "level 77"}));
  EXPECT_THAT(said, Contains("bytes \uFFFD\uFFFD"));
  EXPECT_THAT(said, Contains(HasSubstr("'contract.\uFFFD' cannot be subscribed to")));
  // There is room for 511 bytes, and the last one would be half of a character.
  EXPECT_THAT(said, Contains(testing::AllOf(testing::StartsWith("'xéé"), testing::EndsWith("éé"),
                                            testing::SizeIs(510u))));
  EXPECT_TRUE(host.plugins.unload("contract"));
}

TEST(AbiContract, PublishTellsTooLargeNowhereAndNotConnectedApart) {
  contract_host host("tries_publishing");
  ASSERT_TRUE(host.plugins.load("contract"));
  const auto said = host.said();
  EXPECT_THAT(
      said, IsSupersetOf({"publish: 0", "publish nothing: 0", "publish with reply: 0",
                          "publish all that is carried: 0", "publish too much: 5",
                          "publish nowhere: 2", "publish to blanks: 2", "publish to a wildcard: 2",
                          "publish with a reply in blanks: 2", "publish without error: 5"}));
  EXPECT_THAT(said, Contains("a message on contract.nobody has 1048577 bytes; NATS carries at most "
                             "1048576"));
  EXPECT_THAT(said, Contains("'contract.a b' is not a subject to publish on"));
  EXPECT_THAT(said, Contains("'b 4\\r\\nPUB c' is not a subject to answer on"));
  EXPECT_TRUE(host.says("event of 4 bytes: 66 69 6e 65"));
  EXPECT_TRUE(host.plugins.unload("contract"));
}

TEST(AbiContract, PublishFailsWhenTooMuchWaitsAndNeverWaitsItself) {
  host::plugin_deadlines limits = deadlines;
  limits.drain = std::chrono::seconds(1);  // the first one is used up: NATS is silent
  contract_host host("publishes_without_end", limits);
  ASSERT_TRUE(host.plugins.load("contract"));
  ASSERT_EQ(::kill(host.server.id(), SIGSTOP), 0);
  std::thread unloading([&] { EXPECT_TRUE(host.plugins.unload("contract")); });
  EXPECT_TRUE(host.says("publish to a silent NATS: 1"));
  ::kill(host.server.id(), SIGCONT);
  unloading.join();
  EXPECT_THAT(host.said(), Contains(testing::AllOf(HasSubstr("cannot publish on contract.nobody"),
                                                   HasSubstr("too much waits to be sent"))));
}

TEST(AbiContract, PayloadsAreBytes) {
  contract_host host("");
  ASSERT_TRUE(host.plugins.load("contract"));
  host.send_event(std::string_view("\xff\0\n\xc3", 4));
  EXPECT_TRUE(host.says("event of 4 bytes: ff 00 0a c3"));
  EXPECT_TRUE(host.plugins.unload("contract"));
}

// One plugin's text must not keep an admin from the list of all.
TEST(AbiContract, TextForPeopleIsUtf8WhateverThePluginGives) {
  contract_host host("");
  const host::plugin_admin admin(host.bus, host.plugins);
  ASSERT_TRUE(host.plugins.load("contract"));
  ::setenv("CONTRACT_MODE", "fails_in_bytes", 1);
  const auto reloaded = host.plugins.reload("contract");
  ASSERT_FALSE(reloaded);
  EXPECT_TRUE(wire::is_valid_utf8(reloaded.error().message));
  const auto status = host.plugins.list().at(0);
  EXPECT_EQ(status.version, "1.0\uFFFD");
  EXPECT_EQ(status.build, "\uFFFD\uFFFD");
  EXPECT_TRUE(wire::is_valid_utf8(status.state)) << status.state;
  EXPECT_THAT(status.state, HasSubstr("create failed: x\uFFFD"));
  const auto verb = host.plugins.verbs()->at("act");
  EXPECT_EQ(verb.arguments, "<\uFFFD>");
  EXPECT_EQ(verb.help, "Acts \uFFFD");
  const auto list = host.bus.request("rosey.admin.plugin.list", "{}", patience);
  ASSERT_TRUE(list);
  EXPECT_TRUE(wire::parse_object(*list)) << *list;
  EXPECT_TRUE(host.plugins.unload("contract"));
}

TEST(AbiContract, TheNameOfAFileIsNoReasonForAListThatNobodyCanRead) {
  contract_host host("");
  const host::plugin_admin admin(host.bus, host.plugins);
  std::filesystem::rename(host.folder.path() / "libcontract.so",
                          host.folder.path() / "libcontract\xff.so");
  const auto loaded = host.plugins.load("libcontract\xff.so");
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto list = host.bus.request("rosey.admin.plugin.list", "{}", patience);
  ASSERT_TRUE(list);
  EXPECT_TRUE(wire::parse_object(*list)) << *list;
  EXPECT_TRUE(host.plugins.unload("contract"));
}

TEST(AbiContract, ASubjectThatIsNoTextIsRefusedAtLoad) {
  rosey_verb verb{};
  verb.header = {sizeof verb, ROSEY_ABI_MAJOR, ROSEY_ABI_MINOR};
  verb.name = "act";
  verb.arguments = verb.help = "";
  const rosey_verb* const verbs[] = {&verb};
  rosey_plugin plugin{};
  plugin.header = {sizeof plugin, ROSEY_ABI_MAJOR, ROSEY_ABI_MINOR};
  plugin.id = "contract";
  plugin.version = plugin.build = "";
  plugin.verbs = verbs;
  plugin.verb_count = 1;
  plugin.create = [](const rosey_host*, rosey_instance**, rosey_error*) noexcept -> rosey_status {
    return ROSEY_FAILED;
  };
  plugin.start = [](rosey_instance*, rosey_string, rosey_error*) noexcept -> rosey_status {
    return ROSEY_FAILED;
  };
  plugin.request_stop = plugin.destroy = [](rosey_instance*) noexcept {};
  verb.subject = "rosey.command.contract.act";
  EXPECT_EQ(host::problem_with(&plugin), "");
  for (const char* subject : {"rosey.command.contract.\xff", "rosey.command.contract.a b",
                              "rosey.command.contract.", "rosey.command.contract.*"}) {
    verb.subject = subject;
    EXPECT_THAT(host::problem_with(&plugin),
                HasSubstr("the subject of verb 'act' must be one without wildcards"))
        << subject;
  }
  verb.subject = "rosey.command.contract.act";
  verb.name = "\xff";
  EXPECT_THAT(host::problem_with(&plugin), HasSubstr("a verb's name must be"));
  plugin.id = "\xff";
  EXPECT_THAT(host::problem_with(&plugin), HasSubstr("its id must be"));
}

TEST(AbiContract, AQuarantinedInstanceKeepsItsHostTable) {
  host::plugin_deadlines limits = deadlines;
  limits.stop = soon;
  contract_host& host = contract_host_that_stays("never_stops", limits);
  ASSERT_TRUE(host.plugins.load("contract"));
  ASSERT_FALSE(host.plugins.unload("contract"));
  EXPECT_TRUE(host.says("ran in quarantine"));
  EXPECT_THAT(host.said(), IsSupersetOf({"subscribe in quarantine: 3", "publish in quarantine: 0",
                                         "post in quarantine: 0"}));
  EXPECT_THAT(host.said(), Not(Contains("destroyed")));
  EXPECT_EQ(host.ask("contract.event"), "no_responders");
}

TEST(AbiContract, ThreadsAreNamedAfterThePlugin) {
  contract_host host("says_its_names");
  ASSERT_TRUE(host.plugins.load("contract"));
  EXPECT_THAT(host.said(), Contains(testing::MatchesRegex("plugin-thread is called contract#.*")));
  EXPECT_THAT(host.said(), Contains(testing::MatchesRegex("helper is called contract#.*")));
  EXPECT_TRUE(host.plugins.unload("contract"));
}

TEST(AbiContract, OfALongNameLinuxKeepsFifteenBytes) {
  const std::string id = "contract-under-the-longest-id-32";
  ASSERT_EQ(id.size(), 32u);
  contract_host host("says_its_names", deadlines, "lib" + id + ".so");
  ASSERT_TRUE(host.plugins.load(id));
  for (const char* which : {"plugin-thread", "helper"}) {
    EXPECT_THAT(host.said(),
                Contains(testing::MatchesRegex(fmt::format("{} is called contract-unde#[0-9]|"
                                                           "{} is called contract-und#[0-9][0-9]",
                                                           which, which))));
  }
  EXPECT_TRUE(host.plugins.unload(id));
}

// The headers say the numbers; they are those of the host.
TEST(AbiContract, TheDeadlinesAreThoseOfTheHeader) {
  std::ifstream in(SOURCE_DIR "/plugin_api/include/rosey/abi/plugin.h");
  const std::string header{std::istreambuf_iterator<char>(in), {}};
  const host::plugin_deadlines limits;
  const auto states = [&](auto limit, std::string_view rest) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
    EXPECT_THAT(header, HasSubstr(fmt::format("{} s{}", seconds, rest)));
  };
  states(limits.start, "  for create() and start() together");
  states(limits.drain, "  for the messages of the queue groups");
  states(limits.stop, "  from request_stop() to stopped()");
  states(limits.hold, " of these");
  states(limits.destroy, "  for destroy()");
  states(limits.grace, " more for the threads");
  states(host::instance::long_call, " has the\n   plugin listed as stuck until it returns");
}

}  // namespace
}  // namespace rosey::tests
