// Messages of commands: what is sent is what is read, and each mistake is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "rosey/wire/command.hpp"
#include "rosey/wire/subjects.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::wire {
namespace {

using testing::HasSubstr;

TEST(Command, SurvivesTheTrip) {
  const command_request sent{.channel = "#lobby",
                             .user = "änn",
                             .args = "https://youtu.be/x \"quoted\"",
                             .id = "A1",
                             .sender_role = role::moderator,
                             .attempt = 3};
  const auto read = decode_command(encode(sent));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->channel, sent.channel);
  EXPECT_EQ(read->user, sent.user);
  EXPECT_EQ(read->args, sent.args);
  EXPECT_EQ(read->id, sent.id);
  EXPECT_EQ(read->sender_role, sent.sender_role);
  EXPECT_EQ(read->attempt, sent.attempt);
}

TEST(Command, NeedsOnlyThreeFieldsAndIgnoresUnknownOnes) {
  const auto read = decode_command(R"({"channel":"#a","user":"b","args":"c","colour":"red"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sender_role, role::user);
  EXPECT_EQ(read->id, "");
  EXPECT_EQ(read->attempt, 1);
}

TEST(Command, NamesTheFieldThatIsWrong) {
  const auto problem = [](std::string_view payload) {
    const auto read = decode_command(payload);
    return read ? std::string() : read.error().code + ": " + read.error().message;
  };
  EXPECT_EQ(problem(R"({"user":"b"})"), "bad_request: 'channel' is missing");
  EXPECT_EQ(problem(R"({"channel":null,"user":"b"})"), "bad_request: 'channel' is missing");
  EXPECT_EQ(problem(R"({"channel":"#a","user":1})"), "bad_request: 'user' must be a string");
  EXPECT_EQ(problem(R"({"channel":"#a","user":"b","attempt":0})"),
            "bad_request: 'attempt' must be a whole number from 1 to 1000");
  EXPECT_EQ(problem(R"({"channel":"#a","user":"b","attempt":1.5})"),
            "bad_request: 'attempt' must be a whole number from 1 to 1000");
  const std::string long_name(max_name + 1, 'x');
  EXPECT_EQ(problem("{\"channel\":\"" + long_name + "\",\"user\":\"b\"}"),
            "bad_request: 'channel' is longer than 256 bytes");
  EXPECT_EQ(problem("{\"channel\":\"#a\",\"user\":\"b\",\"id\":\"" + long_name + "\"}"),
            "bad_request: 'id' is longer than 256 bytes");
  EXPECT_THAT(problem(std::string(max_payload + 1, ' ')), HasSubstr("at most 65536 are accepted"));
}

TEST(FieldReader, ReadsNumbersAndFlagsWithinBounds) {
  const auto object = *parse_object(R"({"n": 5, "x": 0.5, "b": true, "s": "text"})");
  field_reader in(object);
  EXPECT_EQ(in.integer("n", 1, 9), 5);
  EXPECT_EQ(in.number_or("x", 1, 0, 1), 0.5);
  EXPECT_EQ(in.number_or("n", 1, 0, 9), 5);
  EXPECT_EQ(in.number_or("absent", 0.25, 0, 1), 0.25);
  EXPECT_TRUE(in.boolean_or("b", false));
  EXPECT_TRUE(in.boolean_or("absent", true));
  EXPECT_EQ(in.optional_text("s"), "text");
  EXPECT_EQ(in.optional_text("absent"), std::nullopt);
  ASSERT_FALSE(in.failed());

  const auto failure = [&](auto read) {
    field_reader fresh(object);
    read(fresh);
    return fresh.failed() ? fresh.failure().message : "";
  };
  EXPECT_EQ(failure([](auto& in) { in.integer("n", 6); }),
            "'n' must be a whole number of at least 6");
  EXPECT_EQ(failure([](auto& in) { in.integer("s"); }), "'s' must be a whole number");
  EXPECT_EQ(failure([](auto& in) { in.integer("absent"); }), "'absent' is missing");
  EXPECT_EQ(failure([](auto& in) { in.number_or("n", 1, 0, 1.5); }),
            "'n' must be a number from 0 to 1.5");
  EXPECT_EQ(failure([](auto& in) { in.number_or("s", 1, 0, 1); }),
            "'s' must be a number from 0 to 1");
  EXPECT_EQ(failure([](auto& in) { in.boolean_or("n", true); }), "'n' must be true or false");
}

TEST(CommandReply, SurvivesTheTrip) {
  const auto good = decode_reply(json::serialize(to_json(succeeded("📺 ok", {{"n", 1}}))));
  ASSERT_TRUE(good);
  EXPECT_TRUE(good->success);
  EXPECT_EQ(good->message, "📺 ok");
  EXPECT_EQ(good->data.at("n"), 1);

  const auto bad = decode_reply(json::serialize(to_json(failed({"busy", "Not now"}))));
  ASSERT_TRUE(bad);
  EXPECT_FALSE(bad->success);
  EXPECT_EQ(bad->message, "❌ Not now");
  EXPECT_EQ(bad->error, "Not now");
  EXPECT_EQ(bad->code, "busy");

  EXPECT_FALSE(decode_reply(std::string_view(R"({"message":"x"})")));
  EXPECT_FALSE(decode_reply(std::string_view(R"({"success":true})")));
  EXPECT_FALSE(decode_reply(std::string_view("no")));
}

TEST(command_reply_texts, are_fit_to_be_shown_on_both_sides) {
  const json::object sent = to_json(succeeded("one\ntwo\x1b[31m\u009b\u202e\xff"));
  EXPECT_EQ(sent.at("message"), "one\ntwo [31m  \uFFFD");
  const json::object refused = to_json(failed({"not_found", "no 'a\nb\u2028'"}));
  EXPECT_EQ(refused.at("error"), "no 'a\\nb\\u{2028}'");
  EXPECT_EQ(refused.at("message"), "❌ no 'a\nb '");
  const auto foreign = decode_reply(std::string_view(
      R"({"success": false, "message": "a\u009bb\nc", "error": "a\u009bb\nc", "code": "x"})"));
  ASSERT_TRUE(foreign);
  EXPECT_EQ(foreign->message, "a b\nc");
  EXPECT_EQ(foreign->error, "a\\x9bb\\nc");
}

TEST(Result, ThrowsItsErrorWhenAskedForAValueItDoesNotHave) {
  const result<int> failure = error{"busy", "not now"};
  EXPECT_THROW(static_cast<void>(failure.value()), std::runtime_error);
}

TEST(Utf8, KnowsTextFromBytes) {
  for (const char* text : {"", "plain", "ä€😀", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_valid_utf8(text)) << text;
  }
  for (const char* bytes : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xe2\x82",
                            "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"}) {
    EXPECT_FALSE(is_valid_utf8(bytes));
  }
}

TEST(Subjects, AreThoseOfTheStorageApi) {
  EXPECT_EQ(subjects::row("playlist", "insert"), "db.row.playlist.insert");
  EXPECT_EQ(subjects::kv("playlist", "get"), "db.kv.playlist.get");
  EXPECT_EQ(subjects::batch("playlist"), "db.batch.playlist");
  EXPECT_EQ(subjects::migrate("playlist", "apply"), "db.migrate.playlist.apply");
  EXPECT_EQ(subjects::admin_plugin("reload"), subjects::admin_plugin_reload);
}

}  // namespace
}  // namespace rosey::wire
