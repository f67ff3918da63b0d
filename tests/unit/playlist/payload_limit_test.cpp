// A NATS server that takes little in one message: what is long comes in pages or says that there is
// more, and what cannot be sent is answered so.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t limit = 8192;
constexpr int items = 300;

class a_small_payload : public ::testing::Test {
 protected:
  a_small_payload() {
    const std::string title(90, 't');
    for (int begin = 1; begin <= items; begin += 10) {
      json::array waiting, played;
      for (int number = begin; number < begin + 10; ++number) {
        const json::object row{{"channel", "#lobby"},
                               {"media_type", "yt"},
                               {"media_id", "video" + std::to_string(100'000 + number)},
                               {"title", title},
                               {"added_by", number % 2 == 0 ? "ann" : "bob"}};
        waiting.push_back(row);
        waiting.back().as_object()["position"] = number;
        waiting.back().as_object()["item_id"] = "q" + std::to_string(number);
        played.push_back(row);
      }
      here.storage("row.playlist.insert", {{"table", "queue"}, {"values", waiting}});
      here.storage("row.playlist.insert", {{"table", "history"}, {"values", played}});
    }
    const json::object row{{"channel", "#lobby"}, {"version", 1}, {"next_item", items + 1}};
    here.storage("row.playlist.insert", {{"table", "channel"}, {"values", row}});
    here.start({{"max_items_per_user", 900}, {"max_queue_size", 900}, {"rate_limit_count", 900}});
  }

  // As it arrives: the fake refuses what is larger.
  json::object ask(const std::string& subject, json::object request) {
    request["channel"] = "#lobby";
    json::object answer = here.ask(subject, json::serialize(request));
    EXPECT_LE(json::serialize(answer).size(), limit) << subject;
    return answer;
  }

  json::object command(const std::string& verb, const std::string& args = "") {
    return ask("rosey.command.playlist." + verb,
               {{"user", "ann"}, {"role", "admin"}, {"args", args}});
  }

  world here{limit};
};

TEST_F(a_small_payload, gets_a_long_queue_in_pages) {
  std::set<std::string> ids;
  std::size_t pages = 0, received = 0;
  for (bool more = true; more; ++pages) {
    const json::object page = ask("service.playlist.get_queue", {{"offset", received}});
    ASSERT_EQ(page.at("success"), true) << page;
    ASSERT_FALSE(page.at("items").as_array().empty());
    for (const json::value& item : page.at("items").as_array()) {
      ids.emplace(item.at("id").as_string());
    }
    received += page.at("items").as_array().size();
    more = page.at("truncated").as_bool();
  }
  EXPECT_EQ(received, items - 1U) << "one plays";
  EXPECT_EQ(ids.size(), received);
  EXPECT_GT(pages, 10U);
  EXPECT_LT(pages, 30U) << "each is as full as may be";
}

TEST_F(a_small_payload, is_answered_whatever_is_shown) {
  EXPECT_THAT(std::string(command("queue").at("message").as_string()), HasSubstr("300 items"));
  const json::object history = command("history", "50");
  EXPECT_EQ(history.at("success"), true);
  EXPECT_GT(history.at("data").at("count").as_int64(), 20);
  const json::object upcoming = command("when");
  EXPECT_EQ(upcoming.at("data").at("truncated"), true);
  EXPECT_GT(upcoming.at("data").at("items").as_array().size(), 20U);
  const json::object told = ask("service.playlist.get_history", {{"limit", 50}});
  EXPECT_EQ(told.at("truncated"), true);
  EXPECT_GT(told.at("items").as_array().size(), 10U);
  EXPECT_EQ(ask("service.playlist.get_history", {{"limit", 2}}).at("truncated"), false);
}

TEST_F(a_small_payload, refuses_what_storage_cannot_be_asked) {
  const json::object shuffled = command("shuffle");
  EXPECT_EQ(shuffled.at("code"), "too_large");
  EXPECT_EQ(shuffled.at("error"), "This is too much for one message to storage");
  EXPECT_EQ(command("clear").at("data").at("count"), items - 1) << "this is one operation";
}

TEST_F(a_small_payload, names_an_item_that_fits_no_page) {
  command("clear");
  here.settle();
  // It came while the server took more.
  here.server().max_payload = 1024 * 1024;
  const std::string link = "https://example.com/" + std::string(1500, 'x') + ".mp4";
  for (int number = 1; number <= 2; ++number) {
    EXPECT_TRUE(here.say("ann", "add", link + "?" + std::to_string(number)).success);
  }
  here.server().max_payload = 3000;
  const json::object page = ask("service.playlist.get_queue", {});
  EXPECT_EQ(page.at("code"), "too_large");
  EXPECT_THAT(std::string(page.at("error").as_string()), HasSubstr("Item 'q301' is too large"));
  EXPECT_EQ(ask("service.playlist.get_history", {{"limit", 5}}).at("success"), true);
}

TEST_F(a_small_payload, answers_what_fits_no_message_with_an_error) {
  here.server().max_payload = 300;
  const json::object told = ask("service.playlist.get_current", {});
  EXPECT_EQ(told.at("code"), "too_large");
  EXPECT_THAT(std::string(told.at("error").as_string()),
              HasSubstr("one message carries at most 300"));
  EXPECT_THAT(here.log(), Contains(HasSubstr("service.playlist.get_current: The answer has")));
}

TEST_F(a_small_payload, keeps_those_who_were_seen_last) {
  for (int user = 0; user < 900; ++user) {
    here.server().deliver(
        {"rosey.chat.users", "",
         R"({"channel":"#lobby","event":"join","user":"someone-)" + std::to_string(user) + "\"}"});
  }
  here.settle();
  here.pass(1);
  const auto kept = here.server().ask_storage("db.kv.playlist.get", R"({"key":"present:#lobby"})");
  EXPECT_THAT(kept, HasSubstr("someone-"));
  EXPECT_THAT(here.log(), Not(Contains(HasSubstr("presence"))));
}

TEST(publishing, says_what_is_wrong) {
  world here(1000);
  fakes::fake_message_bus bus(here.server());
  const auto failure = [&bus](std::string_view subject, std::size_t size) {
    try {
      bus.publish(subject, std::string(size, 'x'));
    } catch (const boost::system::system_error& refused) {
      return refused.code();
    }
    return boost::system::error_code();
  };
  EXPECT_FALSE(failure("a.b", 1000));
  EXPECT_EQ(failure("a.b", 1001), sdk::bus_errc::too_large);
  for (const char* subject :
       {"", ".", "a.", ".a", "a..b", "a b", "a\nb", "a\tb", "*", "a.*", "a.>", ">", "a\x7f"}) {
    EXPECT_EQ(failure(subject, 1), sdk::bus_errc::invalid_subject) << subject;
  }
  EXPECT_EQ(failure(std::string(1025, 'a'), 1), sdk::bus_errc::invalid_subject);
  EXPECT_FALSE(failure("a*.b>.\u00e9", 1)) << "no wildcards: they stand inside of words";
  bus.disconnected = true;
  EXPECT_EQ(failure("a.b", 1), sdk::bus_errc::disconnected);
}

}  // namespace
}  // namespace rosey::playlist::testing
