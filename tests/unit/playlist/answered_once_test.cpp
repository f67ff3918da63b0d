// What an id was answered stands, also where that changed nothing: an earlier attempt that comes
// late, to another instance, is answered alike and does nothing.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct line {  // of chat
  std::string user;
  std::string verb;
  std::string args;
};

// A request that changes nothing at first, and what would let it change something.
struct asked_in_vain {
  std::string name;
  std::string subject;
  std::string request;  // without an id
  std::string answer;   // part of it
  std::vector<line> before;
  std::vector<line> between;
};

void PrintTo(const asked_in_vain& asked, std::ostream* out) {
  *out << asked.subject;
}

std::vector<asked_in_vain> cases() {
  const std::string verb = "rosey.command.playlist.", service = "service.playlist.";
  const std::vector<line> three{
      {"ann", "add", video(1)}, {"ann", "add", video(2)}, {"ann", "add", video(3)}};
  const std::vector<line> skipped{{"ann", "skip", ""}};
  const std::string by_ann = R"({"channel":"#lobby","user":"ann","role":"admin","args":")";
  const std::string bare = R"({"channel":"#lobby")";
  const std::string add_a_fourth = R"(,"user":"ann","url":")" + video(4) + "\"}";
  const std::string q1_at = R"(,"item_id":"q1","position":)";
  return {
      {"clear", verb + "clear", by_ann + "\"}", "Cleared 0 items", {}, three},
      {"skip", verb + "skip", by_ann + "\"}", "nothing_playing", {}, three},
      {"voteskip", verb + "voteskip", by_ann + "\"}", "nothing_playing", {}, three},
      {"remove", verb + "remove", by_ann + "\"}", "You have nothing", {}, three},
      {"shuffle", verb + "shuffle", by_ann + "\"}", "too_few_items", {}, three},
      {"move", verb + "move", by_ann + "q3 start\"}", "not_found", {}, three},
      {"add", verb + "add", by_ann + video(4) + "\"}", "quota_items", three, skipped},
      {"add_item", service + "add_item", bare + add_a_fourth, "quota_items", three, skipped},
      {"remove_item",
       service + "remove_item",
       bare + R"(,"item_id":"q2"})",
       "not_found",
       {},
       three},
      {"vote_skip",
       service + "vote_skip",
       bare + R"(,"user":"bob"})",
       "nothing_playing",
       {},
       three},
      {"service_skip", service + "skip", bare + "}", "nothing_playing", {}, three},
      {"service_shuffle", service + "shuffle", bare + "}", "too_few_items", {}, three},
      {"service_clear", service + "clear", bare + "}", R"("count":0)", {}, three},
      {"finished",
       "playlist.player.finished",
       bare + R"(,"item_id":"q1"})",
       "not_found",
       {},
       three},
      {"position", "playlist.player.position", bare + q1_at + "9}", "not_found", {}, three},
      {"same_position",
       "playlist.player.position",
       bare + q1_at + "0}",
       R"("playing":{)",
       three,
       {{"ann", "passes", "9"}}},
  };
}

std::string with_id(const std::string& request, int attempt = 1) {
  json::object object = json::parse(request).as_object();
  object["id"] = "id-1";
  if (attempt > 1) object["attempt"] = attempt;
  return json::serialize(object);
}

class an_answer_without_effect : public ::testing::TestWithParam<asked_in_vain> {
 protected:
  an_answer_without_effect() {
    const json::object config{{"max_items_per_user", 3}, {"rate_limit_count", 100}};
    first_ = &here.start(config);
    second_ = &here.start(config);
    type(GetParam().before);
  }

  void type(const std::vector<line>& lines) {
    for (const line& each : lines) {
      if (each.verb == "passes") {
        here.pass(std::stoi(each.args));
      } else {
        EXPECT_TRUE(here.say(each.user, each.verb, each.args).success) << each.verb;
      }
    }
    here.settle();
  }

  json::object ask(instance& whom, int attempt) {
    here.server().chosen = &whom.bus;
    return here.ask(GetParam().subject, with_id(GetParam().request, attempt));
  }

  world here;
  instance* first_ = nullptr;
  instance* second_ = nullptr;
};

TEST_P(an_answer_without_effect, stands_for_a_first_attempt_that_comes_late) {
  const json::object told = ask(*second_, 2);
  EXPECT_THAT(json::serialize(told), HasSubstr(GetParam().answer));
  type(GetParam().between);
  const std::int64_t version = here.stored_version();
  EXPECT_EQ(ask(*first_, 1), told);
  EXPECT_EQ(ask(*second_, 3), told);
  here.settle();
  EXPECT_EQ(here.stored_version(), version) << "and does nothing";
}

TEST_P(an_answer_without_effect, stands_for_the_same_id_sent_again) {
  const json::object told = ask(*first_, 1);
  EXPECT_THAT(json::serialize(told), HasSubstr(GetParam().answer));
  type(GetParam().between);
  const std::int64_t version = here.stored_version();
  EXPECT_EQ(ask(*first_, 1), told);
  EXPECT_EQ(here.stored_version(), version);
}

TEST_P(an_answer_without_effect, is_no_answer_for_another_id) {
  ask(*second_, 1);
  type(GetParam().between);
  const std::int64_t version = here.stored_version();
  here.ask(GetParam().subject, GetParam().request);
  EXPECT_GT(here.stored_version(), version) << "the case shows nothing";
}

INSTANTIATE_TEST_SUITE_P(every, an_answer_without_effect, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST(a_refusal, that_is_stored_late_gives_way_to_what_was_done) {
  world here;
  instance& first = here.start(generous);
  instance& second = here.start(generous);
  const std::string skip = with_id(R"({"channel":"#lobby","user":"ann"})");
  // The first instance has decided to refuse, and hangs before that is stored.
  std::string late;
  here.server().chosen = &first.bus;
  here.server().before_storage = [&](const std::string&, const std::string& payload) {
    const bool hangs = late.empty() && payload.find("nothing_playing") != std::string::npos;
    if (hangs) late = payload;
    here.server().storage = hangs ? fakes::storage_mode::stalled : fakes::storage_mode::serving;
  };
  const auto refused = here.begin("rosey.command.playlist.skip", skip);
  here.settle();
  ASSERT_THAT(late, ::testing::Not(IsEmpty()));
  here.server().chosen = &second.bus;
  here.say("ann", "add", video(1));
  const auto skipped = here.ask("rosey.command.playlist.skip", skip);
  EXPECT_EQ(skipped.at("success"), true);
  EXPECT_THAT(here.server().ask_storage("db.batch.playlist", late), HasSubstr("\"replayed\":true"));
  here.server().expire();
  EXPECT_THAT(here.finish(refused), HasSubstr("storage_unavailable"));
  here.server().chosen = &first.bus;
  EXPECT_EQ(here.ask("rosey.command.playlist.skip", skip), skipped);
  EXPECT_EQ(here.stored_version(), 2);
}

TEST(refusals, of_a_crowd_are_stored_together) {
  world here;
  here.start(generous);
  here.say("bob", "queue");  // the channel is known
  std::size_t under_way = 0, most = 0;
  here.server().before_storage = [&](const std::string&, const std::string&) {
    most = std::max(most, ++under_way);
    here.server().storage = fakes::storage_mode::stalled;
  };
  std::vector<std::shared_ptr<said>> asked;
  for (int number = 0; number < 20; ++number) {
    const std::string user = "user" + std::to_string(number);
    asked.push_back(here.begin("rosey.command.playlist.skip",
                               with_id(R"({"channel":"#lobby","user":")" + user + "\"}")));
  }
  here.settle();
  EXPECT_EQ(most, asked.size()) << "nobody waits for another's refusal to be stored";
  here.server().expire();
  for (const auto& each : asked) EXPECT_THAT(here.finish(each), HasSubstr("storage_unavailable"));
}

TEST(refusals, without_an_id_or_that_say_to_try_again_are_not_stored) {
  world here;
  here.start({{"rate_limit_count", 1}});
  const std::string add = "rosey.command.playlist.add";
  const std::string request = R"({"channel":"#lobby","user":"ann","args":"yt:video000002"})";
  here.say("ann", "add", video(1));
  EXPECT_EQ(here.ask(add, with_id(request)).at("code"), "rate_limited");
  here.server().storage_subjects.clear();
  EXPECT_EQ(here.say("bob", "skip").code, "forbidden");
  EXPECT_THAT(here.server().storage_subjects, IsEmpty());
  here.pass(10);
  EXPECT_EQ(here.ask(add, with_id(request)).at("success"), true) << "as it was told to try again";
}

TEST(a_request_that_only_reads, stores_nothing_under_its_id) {
  world here;
  here.start(generous);
  here.say("ann", "add", video(1));
  std::vector<std::string> recorded;
  here.server().before_storage = [&](const std::string&, const std::string& payload) {
    if (payload.find("id-1") != std::string::npos) recorded.push_back(payload);
  };
  const std::string request = with_id(R"({"channel":"#lobby","user":"ann","args":""})");
  for (const char* verb : {"queue", "nowplaying", "when", "history", "mystats"}) {
    here.ask(std::string("rosey.command.playlist.") + verb, request);
  }
  for (const char* name :
       {"get_queue", "get_current", "get_stats", "get_history", "get_user_stats"}) {
    here.ask(std::string("service.playlist.") + name, request);
  }
  EXPECT_THAT(recorded, IsEmpty());
}

}  // namespace
}  // namespace rosey::playlist::testing
