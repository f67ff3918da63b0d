// rosey import: what it takes, what it refuses, and that it imports all or nothing, once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
namespace json = boost::json;

constexpr char three[] = R"([
  {"uid": 1, "temp": true, "queueby": "ann",
   "media": {"type": "yt", "id": "dQw4w9WgXcQ", "title": "One", "seconds": 212}},
  {"uid": 2, "temp": false, "queueby": "bob",
   "media": {"type": "vi", "id": "76979871", "title": "Two", "seconds": 62}},
  {"uid": 3, "temp": false, "queueby": "ann",
   "media": {"type": "yt", "id": "video000003", "title": "", "seconds": 0}}
])";

class Import : public testing::Test {
 protected:
  void write(std::string_view text) const { std::ofstream(folder_.path() / "list") << text; }

  std::vector<std::string> command(std::vector<std::string> more) const {
    more.insert(more.begin(), {"import", "list"});
    return folder_.command(std::move(more));
  }

  finished import(std::vector<std::string> more = {"--channel", "#lobby"}) const {
    return run(command(std::move(more)), folder_.path());
  }

  void expect_refusal(std::string_view text, std::string_view sentence) const {
    write(text);
    const finished ended = import();
    EXPECT_EQ(ended.status, 1) << ended.log;
    EXPECT_THAT(ended.log, HasSubstr(std::string(sentence)));
    EXPECT_EQ(ended.output, "");
  }

  // How many rows there are, of a channel or of imports that were not completed.
  std::string rows() const {
    return run({"/usr/bin/sqlite3", folder_.database().string(),
                "SELECT count(*) FROM playlist_queue"},
               folder_.path())
        .output;
  }

  static std::string many(int count) {
    std::string text = "# all of them\n";
    for (int number = 0; number < count; ++number) {
      std::string id = std::to_string(number);
      id.insert(0, 11 - id.size(), 'v');
      text += "https://youtu.be/" + id + "\n";
    }
    return text;
  }

  bot_folder folder_;
};

json::object ask(running_bot& bot, std::string_view service, std::string_view channel) {
  return json::parse(bot.request("service.playlist." + std::string(service),
                                 json::serialize(json::object{{"channel", channel}})))
      .as_object();
}

TEST_F(Import, GivesTheBotThatIsRunAfterwardsItsQueue) {
  write(three);
  folder_.configure(R"({"announce": true})");
  const finished ended = import();
  EXPECT_EQ(ended.status, 0) << ended.log;
  EXPECT_EQ(ended.output, "#lobby: 3 items imported\n");
  running_bot bot(folder_);
  EXPECT_EQ(bot.child().read_line(), "▶️ Now playing: One [3:32] - ann");
  // What plays was imported first; its title, length and user came with it.
  EXPECT_THAT(bot.say("!queue"),
              testing::AllOf(HasSubstr("Now: One [3:32]"), HasSubstr("Added by: ann"),
                             HasSubstr("1. Two [1:02] - bob"),
                             HasSubstr("2. [yt] video000003 [??:??] - ann")));
  // And the queue is one like any other.
  EXPECT_THAT(bot.say("!add https://youtu.be/video000004"), HasSubstr("video000004"));
  EXPECT_THAT(bot.say("!remove q2"), HasSubstr("Two"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(Import, IsAnnouncedAlsoWhileAnotherPluginIsStillBeingLoaded) {
  write(three);
  folder_.configure(R"({"announce": true})");
  EXPECT_EQ(import().status, 0);
  std::filesystem::copy_file(HOSTILE_PLUGINS "/libstarts_slowly.so",
                             folder_.plugins() / "libslow.so");
  running_bot bot(folder_);
  EXPECT_EQ(bot.child().read_line(), "▶️ Now playing: One [3:32] - ann");
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(Import, AsksABotThatRuns) {
  running_bot bot(folder_);
  bot.say("!add https://youtu.be/video000001");
  bot.say("!add https://youtu.be/video000002");
  write(three);
  const finished ended = import({"--channel", "#lobby", "--nats-url", bot.nats_url()});
  EXPECT_EQ(ended.status, 0) << ended.log;
  const json::object queue = ask(bot, "get_queue", "#lobby");
  EXPECT_EQ(queue.at("current").at("media_id"), "video000001");
  std::vector<std::string> titles;
  for (const json::value& item : queue.at("items").as_array()) {
    titles.emplace_back(item.at("title").as_string());
  }
  EXPECT_THAT(titles, testing::ElementsAre("[yt] video000002", "One", "Two", "[yt] video000003"));
  EXPECT_THAT(bot.say("!add https://youtu.be/video000009"), HasSubstr("video000009"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(Import, StartsToPlayInAChannelThatIsSilent) {
  running_bot bot(folder_);
  const auto started = std::make_shared<std::promise<std::string>>();
  const auto listening = bot.bus().subscribe(
      "playlist.item.playing", "",
      [started](host::inbound_message event) { started->set_value(std::string(event.payload())); });
  ASSERT_TRUE(listening && bot.bus().flush(patience));
  write(three);
  EXPECT_EQ(import({"--channel", "#quiet", "--nats-url", bot.nats_url()}).status, 0);
  auto event = started->get_future();
  ASSERT_EQ(event.wait_for(patience), std::future_status::ready);
  EXPECT_THAT(event.get(), HasSubstr("dQw4w9WgXcQ"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(Import, TakesListsByChannelAndTheOneThatIsNamed) {
  write("{\"#a\": " + std::string(three) + ", \"#b\": " + std::string(three) + ", \"#c\": []}");
  const finished one = import({"--channel", "#b"});
  EXPECT_EQ(one.output, "#b: 3 items imported\n") << one.log;
  const finished all = import({});
  EXPECT_THAT(all.output, StartsWith("#a: 3 items imported\n#b: nothing to do, this was imported"));
  EXPECT_THAT(all.output, HasSubstr("#c: 0 items imported\n"));
  EXPECT_EQ(rows(), "6\n");
  const finished none = import({"--channel", "#d"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.log, HasSubstr("list: there is no channel '#d'; it holds #a, #b, #c"));
}

TEST_F(Import, TakesALinkALine) {
  write("\xef\xbb\xbf# old songs\r\n\r\n  https://youtu.be/dQw4w9WgXcQ\r\n#no\nvi:76979871");
  const finished ended = import({"--channel", "#lobby", "--user", "cat"});
  EXPECT_EQ(ended.output, "#lobby: 2 items imported\n") << ended.log;
  folder_.configure(R"({"paused": true})");
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!queue"), HasSubstr("2. [vi] 76979871 [??:??] - cat"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(Import, RefusesAllForOneBadEntryAndNamesIt) {
  expect_refusal("https://youtu.be/dQw4w9WgXcQ\n# x\nhttps://example.org/\nvi:76979871\nyt:no\n",
                 "list: nothing was imported\nline 3: \"https://example.org/\": Unrecognized media "
                 "URL");
  expect_refusal("vi:76979871\nyt:no\n", "line 2: \"yt:no\": Unrecognized media URL: what follows");
  expect_refusal(R"([{"media": {"type": "yt", "id": "dQw4w9WgXcQ"}}, {"media": {"type": "yt"}}])",
                 "entry 2 of #lobby: of 'media', 'id' is missing");
  expect_refusal(R"([{"media": {"type": "yt", "id": "dQw4w9WgXcQ", "seconds": -1}}])",
                 "'seconds' must be a number from 0");
  expect_refusal(R"([{"queueby": "", "media": {"type": "yt", "id": "dQw4w9WgXcQ"}}])",
                 "entry 1 of #lobby: 'queueby' must not be empty");
  expect_refusal("[7]", "entry 1 of #lobby: it must be an object");
  EXPECT_EQ(rows(), "0\n");
}

TEST_F(Import, NamesWhatIsWrongWithAFile) {
  expect_refusal("[\n{,\n]", "list: line 2: not valid JSON");
  expect_refusal("[] x", "list: line 1: not valid JSON");
  expect_refusal("{\"#lobby\": 7}", "list: what '#lobby' has is not a list");
  expect_refusal("vi:1\n\xff\n", "list: line 2: not valid UTF-8");
  write(three);
  const finished nowhere = import({});
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_THAT(nowhere.log, HasSubstr("name one with --channel"));
  const finished missing =
      run(folder_.command({"import", "none", "--channel", "#a"}), folder_.path());
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.log, HasSubstr("none: cannot be read: No such file or directory"));
  write("{}");
  EXPECT_EQ(import().output, "list: it holds no list, nothing was imported\n");
  const finished both = import({"--nats-url", "nats://127.0.0.1:1", "--database", "sqlite:x.db"});
  EXPECT_EQ(both.status, 1);
  EXPECT_THAT(both.log, HasSubstr("leave out --database, or the URL"));
}

TEST_F(Import, EndsAtALimit) {
  const auto import_of = [this](const std::string& file) {
    return run(folder_.command({"import", file, "--channel", "#lobby"}), folder_.path());
  };
  const finished endless = import_of("/dev/zero");
  EXPECT_EQ(endless.status, 1);
  EXPECT_THAT(endless.log, HasSubstr("/dev/zero: cannot be read: it has more than 33554432 bytes"));
  std::string many;
  for (int i = 0; i < 200'001; ++i) many += "x\n";
  write(many);
  EXPECT_THAT(import().log, HasSubstr("list: it has more than 200000 entries; split it"));
  // A pipe that nobody writes to holds nobody up.
  ASSERT_EQ(::mkfifo((folder_.path() / "pipe").c_str(), 0600), 0);
  process waiting(folder_.command({"import", "pipe", "--channel", "#lobby"}), folder_.path());
  waiting.signal(SIGTERM);
  EXPECT_NE(waiting.wait(std::chrono::seconds(10)), 0);
}

TEST_F(Import, AddsNothingTheSecondTimeUnlessTold) {
  write(three);
  EXPECT_EQ(import().status, 0);
  const finished again = import();
  EXPECT_EQ(again.status, 0) << again.log;
  EXPECT_THAT(again.output, StartsWith("#lobby: nothing to do, this was imported at 20"));
  EXPECT_EQ(rows(), "3\n");
  EXPECT_EQ(import({"--channel", "#lobby", "--again"}).output, "#lobby: 3 items imported\n");
}

TEST_F(Import, ImportsNothingWhenItIsKilledAndAllTheNextTime) {
  constexpr int count = 5000;
  write(many(count));
  {
    process killed(command({"--channel", "#lobby", "--log-level", "debug"}), folder_.path());
    killed.wait_for_log("500 of 5000 written");
    killed.signal(SIGKILL);
    EXPECT_EQ(killed.wait(), 128 + SIGKILL);
  }
  EXPECT_NE(rows(), "0\n");
  {
    running_bot bot(folder_);
    EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
    EXPECT_EQ(bot.finish(), 0);
  }
  EXPECT_EQ(import().output, "#lobby: 5000 items imported\n");
}

TEST_F(Import, EndsWithoutATraceWhenItIsInterrupted) {
  write(many(5000));
  process interrupted(command({"--channel", "#lobby", "--log-level", "debug"}), folder_.path());
  interrupted.wait_for_log("500 of 5000 written");
  interrupted.signal(SIGTERM);
  EXPECT_EQ(interrupted.wait(), 1);
  EXPECT_THAT(interrupted.log(), HasSubstr("rosey: interrupted"));
  running_bot bot(folder_);
  EXPECT_EQ(bot.say("!queue"), "📺 Queue is empty");
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(Import, TakesALongList) {
  write(many(10'000));
  const finished ended = import();
  EXPECT_EQ(ended.output, "#lobby: 10000 items imported\n") << ended.log;
  EXPECT_EQ(rows(), "10000\n");
  folder_.configure(R"({"paused": true})");
  running_bot bot(folder_);
  EXPECT_THAT(bot.say("!queue"), HasSubstr("... and 9995 more"));
  EXPECT_EQ(bot.finish(), 0);
}

}  // namespace
}  // namespace rosey::tests
