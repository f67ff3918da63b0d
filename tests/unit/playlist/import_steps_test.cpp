// The steps of an import, repeated, out of order, late, and never begun: each is answered by name.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "unit/playlist/world.hpp"

namespace rosey::playlist::testing {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class import_steps : public ::testing::Test {
 protected:
  import_steps() {
    here.start();
    here.start();  // any instance may be asked
  }

  json::object ask(const std::string& step, json::object fields) {
    fields["step"] = step;
    if (!fields.contains("channel")) fields["channel"] = "#lobby";
    return here.ask("service.playlist.import", json::serialize(fields));
  }

  static json::object job(std::int64_t count, const std::string& content = "c") {
    return {{"content", content}, {"count", count}};
  }

  // For four items, which two parts bring.
  json::object begin(const std::string& content = "c") {
    json::object told = ask("begin", job(4, content));
    EXPECT_EQ(told.at("success"), true) << told;
    return told;
  }

  json::object part(const json::object& begun, std::int64_t index, int first_video) {
    json::array entries{json::object{{"url", video(first_video)}},
                        json::object{{"url", video(first_video + 1)}}};
    return {{"import", begun.at("import")},
            {"number", begun.at("number").as_int64() + index},
            {"index", index},
            {"user", "old"},
            {"entries", entries}};
  }

  json::object commit_of(const json::object& begun, const std::string& content = "c") {
    json::object asked = job(4, content);
    asked["import"] = begun.at("import");
    return asked;
  }

  std::vector<std::string> waiting() {
    std::vector<std::string> media;
    const json::object queue = here.ask("service.playlist.get_queue", R"({"channel":"#lobby"})");
    if (const json::object* now = queue.at("current").if_object()) {
      media.emplace_back(now->at("media_id").as_string());
    }
    for (const json::value& item : queue.at("items").as_array()) {
      media.emplace_back(item.at("media_id").as_string());
    }
    return media;
  }

  world here;
};

TEST_F(import_steps, may_come_in_any_order_and_again) {
  const json::object begun = begin();
  const json::object second = ask("stage", part(begun, 2, 3));
  EXPECT_EQ(second.at("success"), true) << second;
  const json::object first = ask("stage", part(begun, 0, 1));
  EXPECT_EQ(ask("stage", part(begun, 2, 3)), second);
  EXPECT_EQ(ask("stage", part(begun, 0, 1)), first);
  EXPECT_EQ(ask("read", {{"import", begun.at("import")}, {"index", 0}, {"count", 2}}), first);
  const json::object told = ask("commit", commit_of(begun));
  EXPECT_EQ(told.at("version"), 2) << told;
  EXPECT_EQ(ask("commit", commit_of(begun)), told);
  EXPECT_EQ(ask("stage", part(begun, 2, 3)), second) << "late";
  here.settle();
  EXPECT_THAT(waiting(), ElementsAre("video000001", "video000002", "video000003", "video000004"));
  EXPECT_TRUE(here.say("ann", "add", video(9)).success);
  EXPECT_EQ(ask("commit", commit_of(begun)), told) << "whatever came behind it";
  EXPECT_EQ(waiting().size(), 5U);
}

TEST_F(import_steps, replace_what_they_have_staged_before) {
  const json::object begun = begin();
  ask("stage", part(begun, 0, 5));
  ask("stage", part(begun, 2, 7));
  EXPECT_EQ(ask("stage", part(begun, 0, 1)).at("success"), true);
  EXPECT_EQ(ask("stage", part(begun, 1, 2)).at("success"), true) << "across two parts";
  EXPECT_EQ(ask("commit", commit_of(begun)).at("success"), true);
  here.settle();
  EXPECT_THAT(waiting(), ElementsAre("video000001", "video000002", "video000003", "video000008"));
}

TEST_F(import_steps, of_what_was_never_begun_are_refused) {
  const json::object nothing{{"import", "nobody's"}, {"number", 1}};
  for (const json::object& asked :
       {ask("stage", part(nothing, 0, 1)), ask("commit", commit_of(nothing)),
        ask("read", {{"import", "nobody's"}, {"index", 0}, {"count", 1}})}) {
    EXPECT_EQ(asked.at("code"), "not_found");
    EXPECT_EQ(asked.at("error"), "There is no import 'nobody's'; begin again");
  }
  EXPECT_TRUE(here.rows("queue").empty());
}

TEST_F(import_steps, that_do_not_fit_what_was_begun_are_refused) {
  const json::object begun = begin();
  json::object wrong = part(begun, 0, 1);
  wrong["number"] = begun.at("number").as_int64() + 1;
  EXPECT_EQ(ask("stage", wrong).at("error"), "'number' must be that of begin and 'index' more, 1");
  EXPECT_EQ(ask("stage", part(begun, 3, 1)).at("error"),
            "'index' and 'entries' reach beyond the 4 that were begun");
  json::object empty = part(begun, 0, 1);
  empty["entries"] = json::array();
  EXPECT_EQ(ask("stage", empty).at("error"), "'entries' must not be empty");
  ask("stage", part(begun, 0, 1));
  EXPECT_EQ(ask("commit", commit_of(begun)).at("error"),
            "Not all items of this import are there; begin again");
  EXPECT_EQ(ask("commit", commit_of(begun, "other")).at("error"),
            "'channel', 'content', 'count' and 'again' must be as they were begun");
  ask("stage", part(begun, 2, 3));
  EXPECT_EQ(ask("commit", commit_of(begun)).at("success"), true);
  EXPECT_THAT(std::string(ask("read", {{"import", begun.at("import")}, {"index", 0}, {"count", 1}})
                              .at("error")
                              .as_string()),
              HasSubstr("is committed; what it brought is in the queue"));
}

TEST_F(import_steps, with_an_id_have_one_answer) {
  json::object asked = job(4);
  asked["id"] = "id-1";
  const json::object begun = ask("begin", asked);
  EXPECT_EQ(ask("begin", asked), begun);
  EXPECT_NE(ask("begin", job(4)).at("import"), begun.at("import")) << "without one it is another";
  ask("stage", part(begun, 0, 1));
  json::object early = commit_of(begun);
  early["id"] = "id-2";
  const json::object refused = ask("commit", early);
  EXPECT_EQ(refused.at("code"), "bad_request");
  ask("stage", part(begun, 2, 3));
  EXPECT_EQ(ask("commit", early), refused) << "it stands";
  json::object last = commit_of(begun);
  last["id"] = "id-3";
  const json::object told = ask("commit", last);
  EXPECT_EQ(told.at("success"), true);
  EXPECT_EQ(ask("commit", last), told);
  EXPECT_EQ(ask("begin", asked), begun) << "also when it is imported";
  EXPECT_TRUE(ask("begin", job(4)).contains("earlier"));
}

TEST_F(import_steps, of_the_same_content_at_once_bring_it_once) {
  const json::object first = begin();
  const json::object second = begin();
  for (const json::object& begun : {first, second}) {
    ask("stage", part(begun, 0, 1));
    ask("stage", part(begun, 2, 3));
  }
  EXPECT_TRUE(ask("commit", commit_of(first)).contains("version"));
  EXPECT_TRUE(ask("commit", commit_of(second)).contains("earlier"));
  here.settle();
  EXPECT_EQ(waiting().size(), 4U);
}

TEST_F(import_steps, whose_answers_are_lost_are_answered_when_they_come_again) {
  const json::object begun = begin();
  const auto lost_then_again = [&](const std::string& step, const json::object& fields) {
    here.server().storage = fakes::storage_mode::forgetful;
    EXPECT_EQ(ask(step, fields).at("code"), "storage_unavailable");
    here.server().storage = fakes::storage_mode::serving;
    return ask(step, fields);
  };
  EXPECT_EQ(ask("stage", part(begun, 0, 1)).at("success"), true);
  EXPECT_EQ(lost_then_again("stage", part(begun, 2, 3)).at("success"), true);
  EXPECT_EQ(lost_then_again("commit", commit_of(begun)).at("success"), true);
  here.settle();
  EXPECT_EQ(waiting().size(), 4U);
}

}  // namespace
}  // namespace rosey::playlist::testing
