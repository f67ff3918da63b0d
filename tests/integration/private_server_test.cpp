// The private nats-server of the real bot: closed to everybody else, and back when it has died.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
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
using testing::Not;

// The bot under a shell: `before` is what the shell does first.
std::vector<std::string> bot_after(const std::string& before) {
  return {"/bin/sh", "-c", before + "; exec " ROSEY_BINARY " run </dev/null"};
}

// A command of this name stands in for nats-server; $real is the true one.
std::vector<std::string> bot_with_server(const bot_folder& folder, const std::string& script) {
  const std::filesystem::path stand_in = folder.path() / "bin" / "nats-server";
  std::filesystem::create_directory(stand_in.parent_path());
  std::ofstream(stand_in) << "#!/bin/sh\n" << script << "\n";
  std::filesystem::permissions(stand_in, std::filesystem::perms::owner_all);
  return bot_after("real=$(command -v nats-server); export real; PATH=$PWD/bin:$PATH");
}

std::string sentence_of(const finished& bot) {
  EXPECT_EQ(bot.status, 1) << bot.log;
  EXPECT_THAT(bot.log, Not(HasSubstr("rosey ready")));
  return bot.log;
}

// Every write to a file fails, as on a full disk, and in the memory that holds files.
TEST(PrivateServer, DoesNotStartWithoutItsConfiguration) {
  const bot_folder folder;
  const finished bot = run(bot_after("trap '' XFSZ; ulimit -f 0"), folder.path());
  EXPECT_THAT(sentence_of(bot),
              HasSubstr("rosey: cannot write the configuration of the private nats-server: "));
}

TEST(PrivateServer, NeedsNoTemporaryFolder) {
  const host::nats_server server;
  for (const auto& descriptor :
       std::filesystem::directory_iterator("/proc/" + std::to_string(server.id()) + "/fd")) {
    std::error_code ignored;
    const std::string name = std::filesystem::read_symlink(descriptor.path(), ignored).string();
    EXPECT_THAT(name, Not(HasSubstr(std::filesystem::temp_directory_path().string() + "/rosey-")));
  }
  std::ifstream file("/proc/" + std::to_string(server.id()) + "/cmdline");
  const std::string arguments(std::istreambuf_iterator<char>(file), {});
  const std::string token = server.url().substr(7, server.url().find('@') - 7);
  EXPECT_THAT(arguments, HasSubstr("nats-server"));
  EXPECT_THAT(arguments, Not(HasSubstr(token)));
}

TEST(PrivateServer, IsRefusedWhenItListensToTheNetwork) {
  const bot_folder folder;
  const finished bot = run(bot_with_server(folder, "exec $real -a 0.0.0.0 -p -1"), folder.path());
  EXPECT_THAT(sentence_of(bot),
              testing::ContainsRegex("rosey: the private nats-server listens on "
                                     "0\\.0\\.0\\.0:[0-9]+ instead of 127\\.0\\.0\\.1"));
}

TEST(PrivateServer, IsRefusedWhenItNeedsNoToken) {
  const bot_folder folder;
  const finished bot = run(bot_with_server(folder, "exec $real -a 127.0.0.1 -p -1"), folder.path());
  EXPECT_THAT(sentence_of(bot),
              HasSubstr("rosey: the private nats-server admits clients without its token"));
}

pid_t server_of(const process& bot) {
  const std::string task = "/proc/" + std::to_string(bot.id()) + "/task";
  for (const auto& thread : std::filesystem::directory_iterator(task)) {
    std::ifstream children(thread.path() / "children");
    if (pid_t child = 0; children >> child) return child;
  }
  return -1;
}

// 'Z' for a zombie, 0 when it is gone.
char state_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text(std::istreambuf_iterator<char>(file), {});
  const auto name_end = text.rfind(')');
  return name_end == text.npos ? '\0' : text[name_end + 2];
}

constexpr char add_request[] =
    R"({"channel":"#lobby","user":"ann","args":"yt:BBBBBBBBBBB","id":"the-same"})";

// Asks until it succeeds: the answers before that are those of who is still on the way back.
std::string answer_in_time(running_bot& bot, std::string_view subject, std::string_view request) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::string last;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto reply = bot.bus().request(subject, request, std::chrono::seconds(1));
    last = reply ? *reply : reply.error().message;
    if (last.find("\"success\":true") != last.npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return last;
}

TEST(PrivateServer, ThatDiesIsBackOnTheSamePort) {
  const bot_folder folder;
  running_bot bot(folder);
  EXPECT_THAT(bot.say("!add yt:AAAAAAAAAAA"), HasSubstr("Added"));
  const pid_t first = server_of(bot.child());
  ASSERT_GT(first, 0);
  ::kill(first, SIGKILL);
  bot.child().wait_for_log("the private nats-server was ended by signal 9; it is started again");
  bot.child().wait_for_log("the private nats-server is back");
  EXPECT_EQ(state_of(first), '\0') << "it was reaped";
  EXPECT_NE(server_of(bot.child()), first);
  // The plugin, the storage and this client find it by themselves.
  const std::string added = answer_in_time(bot, add_subject, add_request);
  EXPECT_THAT(added, HasSubstr("\"success\":true"));
  EXPECT_THAT(bot.say("!queue"), HasSubstr("BBBBBBBBBBB"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST(PrivateServer, ThatDiesAgainAndAgainEndsTheBot) {
  const bot_folder folder;
  process bot(bot_with_server(folder,
                              "if [ -e started ]; then echo no more >&2; exit 3; fi\n"
                              "touch started; exec $real \"$@\""),
              folder.path());
  bot.wait_for_log("rosey ready");
  ::kill(server_of(bot), SIGKILL);
  EXPECT_EQ(bot.wait(), 1);
  EXPECT_THAT(bot.log(), HasSubstr("error the private nats-server ended 5 times within a minute"));
}

}  // namespace
}  // namespace rosey::tests
