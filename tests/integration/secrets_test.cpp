// Passwords and tokens: no line, message or list of processes shows one, and each may stand in a
// file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

// A NATS that asks for a password, as somebody else runs one.
class secured_nats {
 public:
  explicit secured_nats(const std::filesystem::path& folder) : server_(started(folder), folder) {
    const std::string line = server_.wait_for_log("Listening for client connections on ");
    address_ = line.substr(line.rfind(' ') + 1);
    server_.wait_for_log("Server is ready");
  }

  const std::string& address() const { return address_; }
  std::string url() const { return "nats://ann:s3cret@s3cret@" + address_; }

 private:
  static std::vector<std::string> started(const std::filesystem::path& folder) {
    const std::filesystem::path config = folder / "nats.conf";
    std::ofstream(config) << "listen: \"127.0.0.1:-1\"\n"
                             "authorization { user: \"ann\", password: \"s3cret@s3cret\" }\n";
    return {"/bin/sh", "-c", "exec nats-server -c " + config.string()};
  }

  process server_;
  std::string address_;
};

std::string arguments_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/cmdline");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

void expect_clean(const finished& ended) {
  EXPECT_THAT(ended.log, Not(HasSubstr("s3cret")));
  EXPECT_THAT(ended.output, Not(HasSubstr("s3cret")));
}

class Secrets : public testing::Test {
 protected:
  finished rosey(std::vector<std::string> arguments) const {
    return run(folder_.command(std::move(arguments)), folder_.path());
  }
  void write(const char* name, std::string_view text, mode_t mode = 0600) const {
    const std::string file = folder_.path() / name;
    std::ofstream(file) << text;
    ::chmod(file.c_str(), mode);
  }

  const bot_folder folder_;
};

TEST_F(Secrets, OfAnotherNatsAreNeitherPrintedNorInTheListOfProcesses) {
  folder_.configure("{}", {.storage = R"({"enabled": true})"});
  const secured_nats nats(folder_.path());
  folder_.configure("{}", {.storage = R"({"enabled": true})"});
  for (const char* level : {"debug", "off"}) {
    process bot(folder_.command({"--log-level", level, "run", "--nats-url", nats.url()}),
                folder_.path());
    EXPECT_EQ(bot.wait_for_log("rosey ready"), "rosey ready nats=nats://" + nats.address());
    EXPECT_THAT(arguments_of(bot.id()), HasSubstr("--nats-url nats://" + nats.address()));
    EXPECT_THAT(arguments_of(bot.id()), Not(HasSubstr("s3cret")));
    bot.write("!queue\n");
    EXPECT_EQ(bot.read_line(), "📺 Queue is empty");
    bot.close_input();
    EXPECT_EQ(bot.wait(), 0);
    EXPECT_THAT(bot.log(), Not(HasSubstr("s3cret")));
  }
  process storage(folder_.command({"storage", "--nats-url=" + nats.url()}), folder_.path());
  EXPECT_EQ(storage.wait_for_log("rosey ready"), "rosey ready nats=nats://" + nats.address());
  EXPECT_THAT(arguments_of(storage.id()), Not(HasSubstr("s3cret")));
  storage.signal(SIGTERM);
  EXPECT_EQ(storage.wait(), 0);
}

TEST_F(Secrets, AreNotInErrors) {
  for (const char* url :
       {"nats://s3cret@127.0.0.1:1", "nats://ann:s3cret@127.0.0.1:1",
        "nats://ann:s3@s3cret@127.0.0.1:1", "nats://127.0.0.1:1,nats://ann:s3cret@127.0.0.1:1",
        "nats://ann:s3cret@127.0.0.1:1,nats://ann:s3cret@127.0.0.1:2", "s3cret@127.0.0.1:1",
        "nats://ann:s3cret@127.0.0.1:port", "tls://ann:s3cret@127.0.0.1:1"}) {
    for (const char* command : {"run", "storage"}) {
      const finished ended = rosey({command, "--wait", "0", "--nats-url", url});
      EXPECT_EQ(ended.status, 1) << url;
      EXPECT_THAT(ended.log, HasSubstr("127.0.0.1")) << url;
      expect_clean(ended);
    }
  }
  for (const char* url :
       {"postgresql://ann:s3cret@127.0.0.1:1/x", "postgresql://ann:s@s3cret@127.0.0.1:1/x",
        "postgresql://ann:s3/s3cret@127.0.0.1:1/x", "postgresql://127.0.0.1:1/x?password=s3cret",
        "postgresql://ann:s3cret@127.0.0.1:port/x", "postgresql://ann:s3cret%zz@127.0.0.1:1/x",
        "host=127.0.0.1 password=s3cret", "mysql://ann:s3cret@127.0.0.1/x"}) {
    const finished ended = rosey({"run", "--wait", "0", "--database", url});
    EXPECT_EQ(ended.status, 1) << url;
    expect_clean(ended);
    expect_clean(rosey({"migrate", "--plugin", "playlist", "--action", "up", "--database", url}));
  }
  // In the wrong place: standard error is often kept.
  const finished misplaced = rosey({"run", "nats://ann:s3cret@127.0.0.1:1"});
  EXPECT_EQ(misplaced.status, 2);
  expect_clean(misplaced);
}

TEST_F(Secrets, MayStandInAFile) {
  folder_.configure("{}", {.storage = R"({"enabled": true})"});
  const secured_nats nats(folder_.path());
  folder_.configure("{}", {.storage = R"({"enabled": true})"});
  write("nats-url", nats.url() + "\n");
  write("database-url", "sqlite:elsewhere/x.db\n");
  process bot(folder_.command(
                  {"run", "--nats-url-file", "nats-url", "--database-url-file", "database-url"}),
              folder_.path());
  EXPECT_EQ(bot.wait_for_log("rosey ready"), "rosey ready nats=nats://" + nats.address());
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "elsewhere/x.db"));
  const finished listed = rosey({"plugin", "list", "--nats-url-file", "nats-url"});
  EXPECT_THAT(listed.output, HasSubstr("playlist")) << listed.log;
  bot.close_input();
  EXPECT_EQ(bot.wait(), 0);

  write("rosey.json", R"({"nats": {"url_file": "nats-url"}})");
  EXPECT_THAT(rosey({"plugin", "list"}).log, HasSubstr("No host that runs plugins"));
  const finished missing = rosey({"run", "--nats-url-file", "nowhere"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.log, HasSubstr("nowhere: cannot be read: No such file or directory"));
  write("two", "nats://s3cret@h\nnats://h\n");
  const finished two = rosey({"run", "--nats-url-file", "two"});
  EXPECT_THAT(two.log, HasSubstr("two: it must hold one line, with a URL"));
  expect_clean(two);
}

TEST_F(Secrets, MayStandInTheEnvironment) {
  const finished status = run({"/usr/bin/env", "ROSEY_DATABASE=sqlite:elsewhere/x.db", ROSEY_BINARY,
                               "migrate", "--plugin", "playlist", "--action", "up"},
                              folder_.path());
  EXPECT_EQ(status.status, 0) << status.log;
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "elsewhere/x.db"));
}

TEST_F(Secrets, ThatEverybodyMayReadAreWarnedOf) {
  constexpr std::string_view config = R"({"nats": {"url": "nats://s3cret@127.0.0.1:1"}})";
  constexpr char warning[] =
      "rosey.json may be read by everybody on this machine and holds a secret (nats.url); run: "
      "chmod 600 rosey.json";
  write("rosey.json", config, 0644);
  EXPECT_THAT(rosey({"run", "--wait", "0"}).log, HasSubstr(warning));
  write("rosey.json", config, 0640);
  EXPECT_THAT(rosey({"run", "--wait", "0"}).log, Not(HasSubstr("chmod")));
  write("rosey.json", R"({"nats": {"url": "nats://127.0.0.1:1"}})", 0644);
  EXPECT_THAT(rosey({"run", "--wait", "0"}).log, Not(HasSubstr("chmod")));
  write("rosey.json", R"({"nats": {"url_file": "url"}})", 0644);
  write("url", "nats://s3cret@127.0.0.1:1", 0644);
  EXPECT_THAT(rosey({"run", "--wait", "0"}).log, HasSubstr("chmod 600 url"));
}

// Said once, however often plugins are reloaded.
TEST_F(Secrets, AreWarnedOfOnce) {
  write("rosey.json",
        R"({"plugins": {"directory": "plugins", "config": {"playlist": {"metadata":
            {"source": "none", "youtube_api_key": "s3cret"}}}}})",
        0644);
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!plugin reload playlist"), HasSubstr("Reloaded"));
  EXPECT_EQ(bot.finish(), 0);
  const std::string& log = bot.child().log();
  const auto first = log.find("youtube_api_key");
  EXPECT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("youtube_api_key", first + 1), std::string::npos) << log;
  EXPECT_THAT(log, Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace rosey::tests
