// Storage messages: what the client writes, the service reads, and the reverse.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "rosey/wire/storage.hpp"

namespace rosey::wire::db {
namespace {

json::object object_of(const char* text) {
  return json::parse(text).as_object();
}

template <class Request, class Decode>
std::string round_trip(const Request& request, Decode decode) {
  const auto decoded = decode(to_json(request));
  return decoded ? json::serialize(to_json(*decoded)) : decoded.error().message;
}

TEST(storage_wire, a_select_survives_the_way) {
  select_request request;
  request.table = "queue";
  request.filter = {{"channel", "#a"}};
  request.order = {{"position", false}, {"id", true}};
  request.limit = 10;
  request.offset = 20;
  request.columns = {"id", "title"};
  request.aggregates = {{"n", "$count", "*", false}, {"users", "$count", "added_by", true}};
  const std::string text = json::serialize(to_json(request));
  EXPECT_EQ(text,
            R"({"table":"queue","filter":{"channel":"#a"},"order":{"position":1,"id":-1},)"
            R"("limit":10,"offset":20,"columns":["id","title"],)"
            R"("aggregates":{"n":{"$count":"*"},"users":{"$count":"added_by","distinct":true}}})");
  EXPECT_EQ(round_trip(request, decode_select), text);
}

TEST(storage_wire, a_batch_survives_the_way) {
  batch ops;
  ops.update("channel", {{"channel", "#a"}, {"version", 7}}, {{"$inc", {{"version", 1}}}})
      .expect_affected(1);
  ops.insert("queue", {{"title", "x"}});
  ops.insert_many("queue", {{{"title", "y"}}, {{"title", "z"}}});
  ops.upsert("stats", {{"user", "ann"}}, {{"$inc", {{"plays", 1}}}});
  ops.remove("queue", {{"id", 4}}).expect_affected(1);
  ops.kv_set("k", {1, 2}, 10, 0).kv_get("k").kv_delete("k", 5);
  ops.request_id("r").reply("done");
  EXPECT_EQ(ops.size(), 8U);
  const std::string text = json::serialize(to_json(ops.request()));
  EXPECT_EQ(text, R"({"ops":[{"table":"channel","filter":{"channel":"#a","version":7},)"
                  R"("update":{"$inc":{"version":1}},"op":"update","expect":{"affected":1}},)"
                  R"({"table":"queue","values":{"title":"x"},"op":"insert"},)"
                  R"({"table":"queue","values":[{"title":"y"},{"title":"z"}],"op":"insert"},)"
                  R"({"table":"stats","filter":{"user":"ann"},"update":{"$inc":{"plays":1}},)"
                  R"("upsert":true,"op":"update"},)"
                  R"({"table":"queue","filter":{"id":4},"op":"delete","expect":{"affected":1}},)"
                  R"({"key":"k","value":[1,2],"ttl_seconds":10,"if_revision":0,"op":"kv.set"},)"
                  R"({"key":"k","op":"kv.get"},{"key":"k","if_revision":5,"op":"kv.delete"}],)"
                  R"("request_id":"r","reply":"done"})");
  EXPECT_EQ(round_trip(ops.request(), decode_batch), text);
}

TEST(storage_wire, names_match_the_alternatives) {
  EXPECT_EQ(name_of(insert_request{}), "insert");
  EXPECT_EQ(name_of(select_request{}), "select");
  EXPECT_EQ(name_of(update_request{}), "update");
  EXPECT_EQ(name_of(delete_request{}), "delete");
  EXPECT_EQ(name_of(kv_get_request{}), "kv.get");
  EXPECT_EQ(name_of(kv_set_request{}), "kv.set");
  EXPECT_EQ(name_of(kv_delete_request{}), "kv.delete");
  EXPECT_EQ(name_of(kv_list_request{}), "kv.list");
}

TEST(storage_wire, refusals_carry_code_sentence_and_position) {
  EXPECT_EQ(encode(failure(error(codes::conflict, "Too late"), 3)),
            R"({"success":false,"error":{"code":"CONFLICT","message":"Too late","op":3}})");
  const auto answer = decode_answer(encode(failure(error(codes::conflict, "Too late"), 3)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "CONFLICT");
  EXPECT_EQ(answer.error().op, std::optional<std::size_t>(3));
}

TEST(storage_wire, the_code_is_read_without_parsing) {
  for (const std::string_view code : codes::all) {
    EXPECT_EQ(refusal_code(encode(failure(error(std::string(code), "m")))), code);
  }
  EXPECT_EQ(refusal_code(encode_success({{"deleted", 1}})), "");
  EXPECT_EQ(refusal_code(""), "");
}

TEST(storage_wire, quotations_end_between_characters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc…");
  EXPECT_EQ(shortened("aäb", 2), "a…");
  EXPECT_EQ(shortened("a🎬b", 4), "a…");
  EXPECT_EQ(shortened("a🎬b", 5), "a🎬…");
  EXPECT_LE(encode(failure(invalid(std::string(1'000'000, 'x')))).size(), 1100U);
}

TEST(storage_wire, answers_that_are_none_are_said_so) {
  for (const char* text : {"", "[]", "{}", R"({"success": 1})", R"({"success": false})",
                           R"({"success": false, "error": {}})", R"({"success": true})",
                           R"({"success": true, "rows": [], "truncated": "no"})",
                           R"({"success": true, "rows": [5], "truncated": false})"}) {
    EXPECT_THROW((void)decode_reply<select_reply>(text), malformed_reply) << text;
  }
  const std::vector<batch_operation> asked{{kv_get_request{"k"}, {}}};
  for (const char* text :
       {R"({"success": true, "replayed": false, "results": []})",
        R"({"success": true, "replayed": false, "results": [5]})",
        R"({"success": true, "replayed": false, "results": [{"deleted": true}]})",
        R"({"success": true, "results": []})"}) {
    EXPECT_THROW((void)decode_batch_reply(text, asked), malformed_reply) << text;
  }
}

TEST(storage_wire, the_first_failure_is_the_one_that_is_told) {
  json::object object = object_of(R"({"number": "x", "text": 5})");
  reader in(object);
  in.optional_integer("number", 0);
  in.text("absent");
  in.text("text");
  EXPECT_EQ(in.failure().code, codes::validation_error);
  EXPECT_EQ(in.failure().message, "'number' must be a whole number of at least 0");
}

}  // namespace
}  // namespace rosey::wire::db
