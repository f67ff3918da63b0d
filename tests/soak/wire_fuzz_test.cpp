// Changed messages on every subject: each gets one answer in time, which is a JSON object,
// everybody lives on, and a good command works afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "fuzz/mutator.hpp"
#include "fuzz/wire_seeds.hpp"
#include "rosey/wire/subjects.hpp"
#include "soak/client.hpp"
#include "soak/cluster.hpp"
#include "soak/model.hpp"
#include "soak/trials.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;

constexpr std::size_t volley_size = 50;
// Longer than anything that is asked may take: a request that storage cannot carry out is answered
// after five seconds.
constexpr std::chrono::seconds most_silence{SANITIZED ? 60 : 20};

// Why it is no answer to anything; "" if it is one.
std::string malformed(std::string_view answer) {
  boost::system::error_code failure;
  json::parse_options options;
  options.max_depth = 200;
  const json::value value = json::parse(answer, failure, {}, options);  // also: it is valid UTF-8
  if (failure) return failure.message();
  return value.is_object() ? "" : "no object";
}

// Sends many requests at once, and collects what comes back.
class volley {
 public:
  explicit volley(natsConnection* connection) : connection_(connection) {
    EXPECT_EQ(natsConnection_Subscribe(&inbox_, connection_, "volley.*", &volley::received, this),
              NATS_OK);
  }
  ~volley() {
    natsSubscription_SetOnCompleteCB(
        inbox_,
        [](void* self) {
          auto* ended = static_cast<volley*>(self);
          const std::lock_guard lock(ended->mutex_);
          ended->complete_ = true;
          ended->changed_.notify_all();
        },
        this);
    natsSubscription_Unsubscribe(inbox_);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return complete_; });
    natsSubscription_Destroy(inbox_);
  }
  volley(const volley&) = delete;
  volley& operator=(const volley&) = delete;

  // With `expected`, an answer must come.
  void send(const wire_seed& request, bool expected) {
    const std::lock_guard lock(mutex_);
    const std::size_t number = requests_.size();
    requests_.push_back({request, {}});
    if (expected) unanswered_.insert(number);
    const std::string reply = "volley." + std::to_string(first_ + number);
    EXPECT_EQ(natsConnection_PublishRequest(connection_, request.subject.c_str(), reply.c_str(),
                                            request.payload.data(),
                                            static_cast<int>(request.payload.size())),
              NATS_OK);
  }

  // Waits for the answers. What was wrong: a line each.
  std::string finish(findings& found) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, most_silence, [this] { return unanswered_.empty(); });
    std::string wrong;
    for (std::size_t number = 0; number < requests_.size(); ++number) {
      const auto& [request, answers] = requests_[number];
      std::string problem;
      if (unanswered_.contains(number)) problem = "no answer";
      if (answers.size() > 1) problem = std::to_string(answers.size()) + " answers";
      for (const std::string& answer : answers) {
        if (const auto why = malformed(answer); !why.empty()) problem = why + ": " + answer;
      }
      found.silent += unanswered_.contains(number);
      found.doubles += answers.size() > 1;
      if (!problem.empty()) {
        wrong += problem + " to " + request.subject + " " +
                 json::serialize(json::string(request.payload)) + "\n";
      }
    }
    found.commands += requests_.size();
    first_ += requests_.size();
    requests_.clear();
    unanswered_.clear();
    return wrong;
  }

 private:
  static void received(natsConnection*, natsSubscription*, natsMsg* message, void* self) {
    static_cast<volley*>(self)->note(message);
    natsMsg_Destroy(message);
  }
  void note(natsMsg* message) {
    const std::lock_guard lock(mutex_);
    const std::size_t number = std::stoul(std::string(natsMsg_GetSubject(message)).substr(7));
    if (number < first_ || number - first_ >= requests_.size()) return;  // too late to count
    if (natsMsg_IsNoResponders(message)) return;  // nobody listens: that is no answer
    requests_[number - first_].second.emplace_back(
        natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    unanswered_.erase(number - first_);
    changed_.notify_all();
  }

  natsConnection* connection_;
  natsSubscription* inbox_ = nullptr;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool complete_ = false;
  std::size_t first_ = 0;  // number of the first request
  std::vector<std::pair<wire_seed, std::vector<std::string>>> requests_;
  std::set<std::size_t> unanswered_;
};

// Nobody answers on these; on some that an unloaded plugin has served, nobody may be there.
bool must_be_answered(const std::string& subject) {
  return subject != wire::subjects::chat_send && subject != wire::subjects::chat_users &&
         subject != "rosey.command.hello.hello";
}

// A storage request keeps two or three words and gets others, as storage listens to all of them.
std::string changed_subject(const std::string& subject, mutator& mutate) {
  if (!subject.starts_with("db.") || mutate.below(8) != 0) return subject;
  const auto last = subject.rfind('.');
  static constexpr const char* words[] = {"x", "select", "$SYS", "apply", "\xe2\x80\xae",
                                          "'", "demo"};
  return subject.substr(0, last + 1) + words[mutate.below(std::size(words))];
}

class WireFuzz : public testing::Test {
 protected:
  static void prepare(const bot_folder& folder) {
    std::filesystem::copy_file(HELLO_PLUGIN, folder.plugins() / "libhello.so");
    std::filesystem::create_directory(folder.path() / "migrations" / "demo");
    std::ofstream(folder.path() / "migrations" / "demo" / "001_songs.sql") << demo_migration();
  }

  void expect_a_good_add(int number) {
    const json::object request{{"channel", "#good-" + std::to_string(number)},
                               {"user", "good"},
                               {"args", "yt:dQw4w9WgXcQ"}};
    EXPECT_THAT(client_.ask(add_subject, json::serialize(request)),
                testing::HasSubstr("\"success\":true"));
  }

  cluster all_{{.playlist = R"({"rate_limit_count": 900, "rate_limit_seconds": 1,
                                "max_items_per_user": 900})",
                .prepare = &prepare}};
  soak_client client_{all_.url()};
};

TEST_F(WireFuzz, EveryRequestIsAnsweredAndEverybodyLivesOn) {
  trials made(SANITIZED ? 20 : 200);
  const auto seeds = wire_seeds();
  mutator mutate(made.seed());
  volley requests(client_.native());
  findings found;
  while (made.another() && !HasFailure()) {
    for (std::size_t i = 0; i < volley_size; ++i) {
      const wire_seed& seed = seeds[mutate.below(seeds.size())];
      wire_seed request{changed_subject(seed.subject, mutate), seed.payload};
      if (mutate.below(16) != 0) {
        request.payload = mutate(seed.payload, seeds[mutate.below(seeds.size())].payload);
      }
      requests.send(request, must_be_answered(request.subject));
    }
    EXPECT_EQ(requests.finish(found), "") << "volley " << made.made() << " of seed " << made.seed();
    expect_a_good_add(made.made());
    all_.drain(std::chrono::milliseconds(0));
    EXPECT_EQ(all_.ended_by_itself(), "");
  }
  EXPECT_THAT(query_rows(all_.database(), "PRAGMA integrity_check"), testing::ElementsAre("ok"));
  report("wire", made, found);
}

// A subject that is added without an example here would not be fuzzed.
TEST(WireSeeds, HaveEverySubject) {
  std::set<std::string> known;
  for (const wire_seed& seed : wire_seeds()) known.insert(seed.subject);
  for (const char* subject :
       {"db.batch.demo", "db.row.demo.insert", "db.row.demo.select", "db.row.demo.update",
        "db.row.demo.delete", "db.kv.demo.get", "db.kv.demo.set", "db.kv.demo.delete",
        "db.kv.demo.list", "db.migrate.demo.apply", "db.migrate.demo.rollback",
        "db.migrate.demo.status", "service.playlist.import", "playlist.player.finished",
        "playlist.player.position", wire::subjects::monitoring_storage,
        wire::subjects::chat_users}) {
    EXPECT_TRUE(known.contains(subject)) << subject;
  }
  for (const char* verb : {"add", "queue", "nowplaying", "when", "skip", "voteskip", "remove",
                           "clear", "shuffle", "move", "history", "mystats"}) {
    EXPECT_TRUE(known.contains(std::string("rosey.command.playlist.") + verb)) << verb;
  }
  for (const char* service :
       {"add_item", "get_queue", "get_current", "get_stats", "vote_skip", "skip", "remove_item",
        "shuffle", "clear", "get_history", "get_user_stats"}) {
    EXPECT_TRUE(known.contains(std::string("service.playlist.") + service)) << service;
  }
}

}  // namespace
}  // namespace rosey::tests
