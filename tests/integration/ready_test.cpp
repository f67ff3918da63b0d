// "Ready" is said when NATS has taken the subscriptions and the plugins that must run do so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

// A nats-server whose users may not subscribe to everything.
class strict_server {
 public:
  explicit strict_server(std::string_view denied) {
    configure(denied);
    process_.emplace(std::vector<std::string>{"/bin/sh", "-c", "exec nats-server -c nats.conf"},
                     folder_.path());
    const std::string line = process_->wait_for_log("Listening for client connections on ");
    address_ = line.substr(line.rfind(' ') + 1);
    process_->wait_for_log("Server is ready");
  }

  void permit_all() {
    configure("nothing");
    process_->signal(SIGHUP);
    process_->wait_for_log("Reloaded");
  }

  std::string url() const { return "nats://bot:secret@" + address_; }

 private:
  void configure(std::string_view denied) const {
    std::ofstream(folder_.path() / "nats.conf")
        << "listen: \"127.0.0.1:-1\"\n"
        << "authorization { users: [{user: bot, password: secret, permissions: "
        << "{subscribe: {deny: [\"" << denied << "\"]}}}] }\n";
  }

  const temporary_directory folder_;
  std::optional<process> process_;
  std::string address_;
};

class Ready : public testing::Test {
 protected:
  void add_plugin(const std::filesystem::path& library, const std::string& name) const {
    std::filesystem::copy_file(library, folder_.plugins() / ("lib" + name + ".so"));
  }
  void require(std::string_view ids) const {
    std::ofstream(folder_.path() / "rosey.json")
        << R"({"plugins": {"directory": "plugins", "watch": false, "required": [)" << ids
        << R"(], "config": {"playlist": {"metadata": "none"}}}, "storage": {"enabled": true}})";
  }
  finished start(std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), "run");
    return run(folder_.command(std::move(arguments)), folder_.path());
  }
  std::string refusal_of_start(std::vector<std::string> arguments = {}) const {
    const finished bot = start(std::move(arguments));
    EXPECT_EQ(bot.status, 1);
    EXPECT_THAT(bot.log, Not(HasSubstr("rosey ready")));
    return bot.log;
  }

  const bot_folder folder_;
};

TEST_F(Ready, WhenEveryRequiredPluginRuns) {
  require(R"("playlist")");
  const finished bot = start();
  EXPECT_EQ(bot.status, 0);
  EXPECT_THAT(bot.log, HasSubstr("rosey ready"));
  EXPECT_THAT(bot.log, Not(HasSubstr("refused")));
}

TEST_F(Ready, NotWhenARequiredPluginIsNotThere) {
  require(R"("playlist", "hello")");
  EXPECT_THAT(refusal_of_start(), HasSubstr("rosey: the plugin 'hello' must run "
                                            "(plugins.required), but there is no libhello.so"));
}

TEST_F(Ready, NotWhenARequiredPluginIsRefused) {
  add_plugin(HOSTILE_PLUGINS "/libfails_in_create.so", "hostile");
  require(R"("hostile")");
  EXPECT_THAT(refusal_of_start(),
              HasSubstr("rosey: the plugin 'hostile' must run (plugins.required), but was refused: "
                        "hostile 1.0.0: create failed: "));
}

TEST_F(Ready, SaysInOneLineWhichPluginsWereRefused) {
  add_plugin(HOSTILE_PLUGINS "/libfails_in_create.so", "hostile");
  const finished bot = start();
  EXPECT_EQ(bot.status, 0);
  const auto line = bot.log.find("1 of 2 plugins was refused: hostile (hostile 1.0.0: create");
  ASSERT_NE(line, bot.log.npos) << bot.log;
  EXPECT_EQ(bot.log.find("rosey ready"), bot.log.find('\n', line) + 1) << "at the end of the start";
}

TEST_F(Ready, NamesTheSubjectThatAPluginMayNotHave) {
  add_plugin(HELLO_PLUGIN, "hello");
  require("");
  strict_server server("rosey.command.hello.>");
  running_bot bot(folder_, {"--nats-url", server.url()});
  EXPECT_THAT(
      bot.child().log(),
      HasSubstr("1 of 2 plugins was refused: hello (hello 1.0.0: NATS does not permit it to "
                "subscribe to 'rosey.command.hello.hello'; allow it in the server's "
                "permissions)"));
  EXPECT_THAT(bot.say("!queue"), HasSubstr("Queue is empty"));
  // A refusal of before does not count when it is loaded again.
  server.permit_all();
  EXPECT_THAT(bot.say("!plugin load hello"), HasSubstr("Loaded hello 1.0.0"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(Ready, NotWhenARequiredPluginMayNotHaveItsSubject) {
  require(R"("playlist")");
  const strict_server server("rosey.command.playlist.add");
  EXPECT_THAT(refusal_of_start({"--nats-url", server.url()}),
              HasSubstr("NATS does not permit it to subscribe to 'rosey.command.playlist.add'"));
}

TEST_F(Ready, NotWhenTheHostItselfMayNotHaveItsSubjects) {
  require("");
  const auto refused = [this](std::string_view subject) {
    const strict_server server(subject);
    return refusal_of_start({"--nats-url", server.url()});
  };
  EXPECT_THAT(refused("rosey.admin.plugin.load"),
              HasSubstr("rosey: NATS does not permit the administration of plugins to subscribe to "
                        "'rosey.admin.plugin.load'"));
  EXPECT_THAT(refused("rosey.chat.send"),
              HasSubstr("rosey: NATS does not permit the console to subscribe to "
                        "'rosey.chat.send'"));
  EXPECT_THAT(refused("db.kv.>"),
              HasSubstr("rosey: NATS does not permit the storage service to subscribe to "
                        "'db.kv.*.*'"));
}

}  // namespace
}  // namespace rosey::tests
