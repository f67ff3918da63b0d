// A command to a table of verbs is answered exactly once, whatever its function does.
#include "rosey/sdk/verbs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <map>
#include <stdexcept>

#include "rosey/sdk/plugin.hpp"

namespace rosey::sdk {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::IsEmpty;

// Keeps what is published, and hands a command to its subscriber.
class recording_bus final : public message_bus {
 public:
  void publish(std::string_view subject, std::string_view payload) override {
    if (disconnected) throw boost::system::system_error(bus_errc::disconnected);
    published.emplace_back(subject, payload);
  }
  std::size_t max_payload() const override { return 300; }
  subscription_id subscribe(std::string_view subject, std::string_view group,
                            message_handler handler) override {
    EXPECT_EQ(group, "tried");
    handlers.emplace(subject, std::move(handler));
    return handlers.size();
  }
  void unsubscribe(subscription_id) override {}

  std::vector<std::pair<std::string, std::string>> published;
  std::map<std::string, message_handler, std::less<>> handlers;
  bool disconnected = false;

 private:
  void start_request(std::string, std::string, request_patience,
                     std::unique_ptr<reply_handler>) override {}
  void cancel_request(reply_handler*) override {}
};

class tried {
 public:
  static constexpr char id[] = "tried";
  static constexpr char version[] = "1.0.0";

  explicit tried(sdk::context context) : context_(std::move(context)) {}
  void start(const boost::json::object&) { serve_verbs(context_, *this); }

  std::optional<reply> before(command& asked, const handled_verb<tried>&) {
    if (asked.user == "nobody") return error{"unknown", "Who are you?"};
    return std::nullopt;
  }

  asio::steady_timer* alarm = nullptr;

 private:
  reply count(const command& asked) const {
    return wire::succeeded(std::to_string(asked.words.size()) + " words");
  }
  reply refuse(const command&) { return error{"not_today", "Not today"}; }
  reply fail(const command&) { throw std::runtime_error("no such table"); }
  reply fail_oddly(const command&) { throw 7; }
  reply say_much(const command&) { return wire::succeeded(std::string(1000, 'x')); }
  void nothing(const command&) {}
  asio::awaitable<void> nothing_later(const command&) { co_return; }
  asio::awaitable<reply> wait(const command& asked) {
    co_await alarm->async_wait(asio::use_awaitable);
    co_return wire::succeeded(asked.user + " waited");
  }
  asio::awaitable<reply> fail_later(const command&) {
    throw std::runtime_error("no such row");
    co_return wire::succeeded("");
  }
  asio::awaitable<reply> lose_storage(const command&) {
    throw storage_timed_out("Storage: no answer in time");
    co_return wire::succeeded("");
  }

  sdk::context context_;

 public:
  static constexpr handled_verb<tried> verbs[] = {
      {.name = "count",
       .arguments = "<a> [b]",
       .words = {1, 2},
       .help = "Counts",
       .handle = &tried::count},
      {.name = "refuse", .help = "", .handle = &tried::refuse},
      {.name = "fail", .help = "", .handle = &tried::fail},
      {.name = "fail-oddly", .help = "", .handle = &tried::fail_oddly},
      {.name = "much", .help = "", .handle = &tried::say_much},
      {.name = "nothing", .help = "", .handle = &tried::nothing},
      {.name = "nothing-later", .help = "", .handle = &tried::nothing_later},
      {.name = "wait", .help = "", .handle = &tried::wait},
      {.name = "fail-later", .help = "", .handle = &tried::fail_later},
      {.name = "lose-storage", .help = "", .handle = &tried::lose_storage},
      {.name = "moderate",
       .least_role = wire::role::moderator,
       .help = "Moderates",
       .handle = &tried::nothing},
      {.name = "rule",
       .least_role = wire::role::admin,
       .help = "",
       .handle = &tried::nothing_later},
  };
};

class Verbs : public testing::Test {
 protected:
  Verbs() {
    plugin_.alarm = &alarm_;
    plugin_.start({});
  }

  void send(const std::string& verb, const std::string& args = {}, const std::string& user = "ann",
            const std::string& role = "user") {
    const wire::command_request request{.channel = "#lobby",
                                        .user = user,
                                        .args = args,
                                        .id = {},
                                        .sender_role = *wire::role_from(role),
                                        .attempt = 1};
    send_text(verb, wire::encode(request));
  }
  void send_text(const std::string& verb, std::string payload) {
    const std::string subject = "rosey.command.tried." + verb;
    bus_.handlers.at(subject)({subject, "_INBOX.1", std::move(payload)});
    run();
  }
  void run() {
    io_.restart();
    io_.poll();
  }

  // "code: message" of each answer so far; "" is the code of a success.
  std::vector<std::string> answers() const {
    std::vector<std::string> all;
    for (const auto& [subject, payload] : bus_.published) {
      EXPECT_EQ(subject, "_INBOX.1");
      const auto read = wire::decode_reply(std::string_view(payload));
      EXPECT_TRUE(read) << payload;
      if (read) all.push_back(read->code + ": " + read->message);
    }
    return all;
  }
  std::string answer(const std::string& verb, const std::string& args = {},
                     const std::string& user = "ann", const std::string& role = "user") {
    bus_.published.clear();
    send(verb, args, user, role);
    const auto all = answers();
    EXPECT_EQ(all.size(), 1u) << verb;
    return all.empty() ? std::string() : all.front();
  }

  asio::io_context io_;
  asio::steady_timer alarm_{io_, asio::steady_timer::time_point::max()};
  std::vector<std::string> log_;
  logger logger_{[this](log_level, std::string_view text) { log_.emplace_back(text); }};
  recording_bus bus_;
  task_scope tasks_{io_.get_executor(), logger_};
  tried plugin_{context{io_.get_executor(), bus_, tasks_, logger_}};
};

TEST_F(Verbs, AreAnsweredWithWhatTheFunctionReturns) {
  EXPECT_EQ(answer("count", " one\ttwo "), ": 2 words");
  EXPECT_EQ(answer("refuse"), "not_today: ❌ Not today");
  EXPECT_EQ(answer("nothing"), ": Done");
  EXPECT_EQ(answer("nothing-later"), ": Done");
}

TEST_F(Verbs, WaitForACoroutine) {
  send("wait");
  EXPECT_THAT(answers(), IsEmpty());
  bool stopped = false;
  tasks_.stop([&] { stopped = true; });
  run();
  EXPECT_FALSE(stopped) << "it has not been answered yet";
  alarm_.expires_at(asio::steady_timer::time_point::min());
  alarm_.cancel();
  run();
  EXPECT_THAT(answers(), ElementsAre("busy: ❌ The plugin is stopping; try again in a moment"));
  EXPECT_TRUE(stopped);
}

TEST_F(Verbs, RefuseWordsThatAreTooFewOrTooMany) {
  EXPECT_EQ(answer("count"), "usage: ❌ Usage: !count <a> [b]");
  EXPECT_EQ(answer("count", "a b c"), "usage: ❌ Usage: !count <a> [b]");
  EXPECT_EQ(answer("nothing", "a b c"), ": Done") << "any number unless the row says otherwise";
}

TEST_F(Verbs, RefuseWhoMayNot) {
  EXPECT_EQ(answer("moderate"), "forbidden: ❌ Only a moderator or an admin may do that");
  EXPECT_EQ(answer("moderate", "", "ann", "admin"), ": Done");
  EXPECT_EQ(answer("rule", "", "ann", "moderator"), "forbidden: ❌ Only an admin may do that");
}

TEST_F(Verbs, RefuseWhatCannotBeRead) {
  send_text("nothing", "no JSON");
  send_text("nothing", R"({"channel":"#a"})");
  const auto all = answers();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_THAT(all[0], testing::StartsWith("bad_request: "));
  EXPECT_EQ(all[1], "bad_request: ❌ 'user' is missing");
}

TEST_F(Verbs, AreShownToTheClassFirst) {
  EXPECT_EQ(answer("moderate", "", "nobody"), "unknown: ❌ Who are you?");
}

TEST_F(Verbs, AreAnsweredAtOnceWhenTheFunctionThrows) {
  const std::string internal = "internal: ❌ Something went wrong; the log says what";
  EXPECT_EQ(answer("fail"), internal);
  EXPECT_EQ(answer("fail-oddly"), internal);
  EXPECT_EQ(answer("fail-later"), internal);
  EXPECT_THAT(log_, ElementsAre("rosey.command.tried.fail: no such table",
                                "rosey.command.tried.fail-oddly: unknown exception",
                                "rosey.command.tried.fail-later: no such row"));
  EXPECT_EQ(answer("lose-storage"),
            "storage_unavailable: ❌ Storage cannot be reached; try again in a moment");
}

TEST_F(Verbs, SayWhenTheAnswerIsTooLarge) {
  EXPECT_EQ(answer("much"),
            "too_large: ❌ The answer has 1029 bytes; one message carries at most 300");
}

TEST_F(Verbs, LogAnAnswerThatCannotBeSent) {
  bus_.disconnected = true;
  send("nothing");
  EXPECT_THAT(bus_.published, IsEmpty());
  EXPECT_THAT(
      log_,
      ElementsAre(testing::StartsWith("an answer on rosey.command.tried.nothing was not sent: ")));
}

TEST_F(Verbs, AreDeclaredToTheHost) {
  const rosey_plugin& table = detail::tables<tried>::plugin;
  ASSERT_EQ(table.verb_count, std::size(tried::verbs));
  EXPECT_STREQ(table.verbs[0]->name, "count");
  EXPECT_STREQ(table.verbs[0]->subject, "rosey.command.tried.count");
  EXPECT_STREQ(table.verbs[0]->arguments, "<a> [b]");
  EXPECT_STREQ(table.verbs[0]->help, "Counts");
  EXPECT_EQ(table.verbs[10]->least_role, ROSEY_ROLE_MODERATOR);
}

}  // namespace
}  // namespace rosey::sdk
