// Two hosts on one NATS and one storage; one of them stands still while it has commands at hand,
// and wakes up after the other one has answered their second attempts. What was answered stands,
// for every verb and service that changes a queue.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "host_stub/bus/nats_server.hpp"
#include "integration/support/bot.hpp"
#include "integration/support/process.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

// A request that changes nothing on the channel as it is, and would later.
struct vain_request {
  std::string subject;
  json::object fields;
  std::string told;  // part of the answer
};

std::vector<vain_request> vain_requests() {
  const std::string verb = "rosey.command.playlist.", service = "service.playlist.";
  const json::object lobby{{"channel", "#lobby"}};
  const auto with = [](json::object fields, const json::object& more) {
    for (const auto& field : more) fields[field.key()] = field.value();
    return fields;
  };
  const json::object typed = with(lobby, {{"user", "mod"}, {"role", "moderator"}, {"args", ""}});
  const json::object full{{"channel", "#full"}, {"user", "ann"}};
  return {
      {verb + "clear", typed, "Cleared 0"},
      {verb + "skip", typed, "nothing_playing"},
      {verb + "voteskip", typed, "nothing_playing"},
      {verb + "remove", with(typed, {{"args", "q2"}}), "not_found"},
      {verb + "shuffle", typed, "too_few_items"},
      {verb + "move", with(typed, {{"args", "q3 start"}}), "not_found"},
      {verb + "add", with(full, {{"args", "yt:AAAAAAAAAA1"}}), "quota_items"},
      {service + "add_item", with(full, {{"url", "yt:AAAAAAAAAA2"}}), "quota_items"},
      {service + "remove_item", with(lobby, {{"item_id", "q2"}}), "not_found"},
      {service + "vote_skip", with(lobby, {{"user", "bob"}}), "nothing_playing"},
      {service + "skip", lobby, "nothing_playing"},
      {service + "shuffle", lobby, "too_few_items"},
      {service + "clear", lobby, "\"count\":0"},
      {service + "import",
       with(lobby, {{"step", "commit"}, {"content", "c"}, {"count", 1}, {"import", ""}}),
       "Not all items"},
      {"playlist.player.finished", with(lobby, {{"item_id", "q1"}}), "not_found"},
      {"playlist.player.position", with(lobby, {{"item_id", "q1"}, {"position", 90}}), "not_found"},
  };
}

class LateAttempt : public testing::Test {
 protected:
  LateAttempt() {
    storage_ = std::make_unique<process>(
        folder_.command({"storage", "--nats-url", nats_.url(), "--database",
                         "sqlite:" + folder_.database().string()}),
        folder_.path());
    storage_->wait_for_log("rosey ready");
    for (auto& host : hosts_) {
      constexpr char config[] =
          R"({"metadata": "none", "max_items_per_user": 1, "rate_limit_count": 900})";
      host = std::make_unique<process>(
          std::vector<std::string>{SEVERAL_INSTANCES, nats_.url(), folder_.plugins().string(), "1",
                                   config},
          folder_.path());
    }
    for (auto& host : hosts_) host->wait_for_log("ready");
    auto opened = bus_.subscribe("late.*", "", [this](host::inbound_message answer) {
      const std::lock_guard lock(mutex_);
      answers_[std::string(answer.subject())] = std::string(answer.payload());
      arrived_.notify_all();
    });
    EXPECT_TRUE(opened);
    inbox_ = std::move(*opened);
    EXPECT_TRUE(bus_.flush(patience));
  }

  ~LateAttempt() override { hosts_[0]->signal(SIGCONT); }

  // Returns when all its threads stand still.
  void suspend(process& host) {
    host.signal(SIGSTOP);
    siginfo_t stopped;
    ::waitid(P_PID, static_cast<id_t>(host.id()), &stopped, WSTOPPED | WNOWAIT);
  }

  // The answer on a subject of its own, to which it may come late; nothing if it does not come now.
  std::optional<std::string> send(const vain_request& asked, const std::string& id, int attempt,
                                  std::chrono::milliseconds patience_here) {
    json::object fields = asked.fields;
    fields["id"] = id;
    if (attempt > 1) fields["attempt"] = attempt;
    const std::string inbox = "late." + id + "-" + std::to_string(attempt);
    EXPECT_TRUE(bus_.publish(asked.subject, json::serialize(fields), inbox));
    return answer_at(inbox, patience_here);
  }

  std::optional<std::string> answer_at(const std::string& inbox, std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, most, [&] { return answers_.contains(inbox); });
    const auto found = answers_.find(inbox);
    if (found == answers_.end()) return std::nullopt;
    return found->second;
  }

  // Sends it again until somebody who is awake takes it.
  std::string insist(const vain_request& asked, const std::string& id, int attempt = 1) {
    for (; attempt < 60; ++attempt) {
      if (auto answer = send(asked, id, attempt, 100ms)) return *answer;
    }
    ADD_FAILURE() << asked.subject << " is never answered";
    return {};
  }

  struct answered {
    std::string first_inbox;  // where the suspended host is going to answer
    std::string told;
  };

  // With an id whose first attempt the suspended host has taken.
  answered ask_in_vain(const vain_request& asked, std::size_t number) {
    for (int tries = 0; tries < 40; ++tries) {
      const std::string id = std::to_string(number) + "-" + std::to_string(tries);
      if (send(asked, id, 1, 100ms)) continue;  // the other one was asked
      return {"late." + id + "-1", insist(asked, id, 2)};
    }
    ADD_FAILURE() << "the suspended host is never asked";
    return {};
  }

  void type(const std::string& verb, const std::string& channel, const std::string& user,
            const std::string& args) {
    const json::object fields{
        {"channel", channel}, {"user", user}, {"role", "moderator"}, {"args", args}};
    const std::string answer =
        insist({"rosey.command.playlist." + verb, fields, ""}, verb + "-" + user);
    EXPECT_NE(answer.find("\"success\":true"), std::string::npos) << answer;
  }

  // The versions of all channels, as they are stored.
  std::string versions() {
    const auto reply = bus_.request("db.row.playlist.select",
                                    R"({"table": "channel", "columns": ["channel", "version"],
                                        "order": {"channel": 1}})",
                                    patience);
    EXPECT_TRUE(reply);
    return reply ? *reply : std::string();
  }

  const bot_folder folder_;
  const host::nats_server nats_;
  std::unique_ptr<process> storage_;
  std::array<std::unique_ptr<process>, 2> hosts_;
  std::mutex mutex_;  // guards the answers
  std::condition_variable arrived_;
  std::map<std::string, std::string> answers_;
  host::connection bus_{{.url = nats_.url(), .name = "late attempts"}};
  host::subscription inbox_;
};

TEST_F(LateAttempt, DoesNothingAndIsAnsweredLikeTheOneThatCameBefore) {
  type("add", "#full", "ann", "yt:AAAAAAAAAA0");
  const auto begun = bus_.request("service.playlist.import",
                                  R"({"step": "begin", "channel": "#lobby", "content": "c",
                                      "count": 1})",
                                  patience);
  ASSERT_TRUE(begun);
  const json::object import = json::parse(*begun).as_object();
  std::vector<vain_request> requests = vain_requests();
  for (vain_request& each : requests) {
    if (json::value* id = each.fields.if_contains("import")) *id = import.at("import");
  }

  suspend(*hosts_[0]);
  std::vector<answered> told;
  for (std::size_t number = 0; number < requests.size(); ++number) {
    told.push_back(ask_in_vain(requests[number], number));
    EXPECT_NE(told.back().told.find(requests[number].told), std::string::npos)
        << requests[number].subject << " " << told.back().told;
  }
  // Now each of them would do something.
  type("skip", "#full", "mod", "");
  for (const char* user : {"bob", "cid", "dan"}) {
    type("add", "#lobby", user, "yt:BBBBBBBB" + std::string(user));
  }
  const json::object staged{{"step", "stage"},
                            {"import", import.at("import")},
                            {"number", import.at("number")},
                            {"index", 0},
                            {"user", "old"},
                            {"entries", json::array{json::object{{"url", "yt:CCCCCCCCCCC"}}}}};
  const std::string stage = insist({"service.playlist.import", staged, ""}, "stage");
  EXPECT_NE(stage.find("\"success\":true"), std::string::npos) << stage;
  const std::string before = versions();
  hosts_[0]->signal(SIGCONT);
  for (std::size_t number = 0; number < requests.size(); ++number) {
    const auto late = answer_at(told[number].first_inbox, patience);
    ASSERT_TRUE(late) << requests[number].subject;
    EXPECT_EQ(json::parse(*late), json::parse(told[number].told)) << requests[number].subject;
  }
  EXPECT_EQ(versions(), before);
}

}  // namespace
}  // namespace rosey::tests
