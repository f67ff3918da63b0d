// Whatever arrives, the answer is one clear sentence and the plugin goes on.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class bad_input_test : public ::testing::Test {
 protected:
  bad_input_test() { here.start(); }

  json::object answer(const std::string& payload) {
    return here.ask("rosey.command.playlist.add", payload);
  }
  std::string refusal(const std::string& payload) {
    const json::object reply = answer(payload);
    EXPECT_EQ(reply.at("success"), false);
    EXPECT_EQ(reply.at("code"), "bad_request");
    EXPECT_EQ(reply.at("message").as_string(), "❌ " + std::string(reply.at("error").as_string()));
    return std::string(reply.at("error").as_string());
  }

  world here;
};

TEST_F(bad_input_test, that_is_no_json) {
  EXPECT_THAT(refusal(""), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("{\"channel\":"), HasSubstr("not valid JSON"));
  EXPECT_EQ(refusal("[1,2]"), "The request must be a JSON object");
  EXPECT_THAT(refusal(std::string(5000, '[')), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("{\"channel\":\"\xff\xfe\",\"user\":\"a\"}"), HasSubstr("not valid JSON"));
}

TEST_F(bad_input_test, with_fields_missing_or_of_another_type) {
  EXPECT_EQ(refusal("{}"), "'channel' is missing");
  EXPECT_EQ(refusal(R"({"channel":"#lobby"})"), "'user' is missing");
  EXPECT_EQ(refusal(R"({"channel":7,"user":"ann"})"), "'channel' must be a string");
  EXPECT_EQ(refusal(R"({"channel":"#lobby","user":"ann","args":[]})"), "'args' must be a string");
  EXPECT_THAT(refusal(R"({"channel":"#lobby","user":"ann","role":"king"})"), HasSubstr("'role'"));
  EXPECT_THAT(refusal(R"({"channel":"#lobby","user":"ann","attempt":0})"), HasSubstr("'attempt'"));
  EXPECT_THAT(refusal(R"({"channel":"#lobby","user":"ann","id":"a\u0000b"})"), HasSubstr("'id'"));
}

TEST_F(bad_input_test, with_names_that_are_none) {
  EXPECT_EQ(refusal(R"({"channel":"","user":"ann"})"), "'channel' must not be empty");
  EXPECT_EQ(refusal(R"({"channel":"#lobby","user":""})"), "'user' must not be empty");
  EXPECT_EQ(refusal(R"({"channel":"#lo\nbby","user":"ann"})"),
            "'channel' must not contain control characters");
  EXPECT_EQ(refusal(R"({"channel":"#lobby","user":"a\u0007nn"})"),
            "'user' must not contain control characters");
  EXPECT_THAT(refusal(R"({"channel":")" + std::string(257, 'c') + R"(","user":"ann"})"),
              HasSubstr("longer than 256 bytes"));
}

TEST_F(bad_input_test, that_is_too_long) {
  EXPECT_THAT(refusal(std::string(1024 * 1024, 'x')), HasSubstr("at most 65536 are accepted"));
  const json::object long_url{{"channel", "#lobby"},
                              {"user", "ann"},
                              {"args", "https://youtu.be/" + std::string(100'000, 'a')}};
  EXPECT_THAT(refusal(json::serialize(long_url)), HasSubstr("at most 65536"));
  const auto refused = here.say("ann", "add", "https://youtu.be/" + std::string(60'000, 'a'));
  EXPECT_EQ(refused.code, "unrecognized_media");
  EXPECT_LT(refused.message.size(), 500u);
}

TEST_F(bad_input_test, in_arguments_is_not_repeated_into_chat) {
  const auto refused = here.say("ann", "remove", "x\x1b[2J\x07" + std::string(5000, 'y'));
  EXPECT_EQ(refused.code, "not_found");
  EXPECT_EQ(refused.message.find_first_of("\x1b\x07"), std::string::npos);
  EXPECT_LT(refused.message.size(), 200u);
}

TEST_F(bad_input_test, never_changes_anything) {
  refusal("{}");
  refusal(R"({"channel":"","user":"ann"})");
  EXPECT_THAT(here.rows("queue"), IsEmpty());
  EXPECT_THAT(here.rows("channel"), IsEmpty());
  EXPECT_TRUE(here.say("ann", "add", video(1)).success);
}

TEST_F(bad_input_test, without_a_reply_subject_is_dropped) {
  here.server().deliver({"rosey.command.playlist.add", "", "{"});
  here.settle();
  EXPECT_TRUE(here.say("ann", "add", video(1)).success);
}

}  // namespace
}  // namespace rosey::playlist::testing
