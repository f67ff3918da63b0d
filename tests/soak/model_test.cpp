// The model finds what is lost and what is doubled.
#include "soak/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "temporary_directory.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

class AnswerModel : public testing::Test {
 protected:
  AnswerModel() {
    sql(R"(CREATE TABLE playlist_queue (channel, media_id);
           CREATE TABLE playlist_channel (channel, now_media_id);
           CREATE TABLE playlist_history (channel, media_id, skipped);
           CREATE TABLE playlist_user_stats (user_id, items_added);
           INSERT INTO playlist_user_stats VALUES ('ann', 4))");
    for (const char* media : {"one", "two", "three", "four"}) note("add", media, item(media));
    note("skip", "", "{}");
    note("remove", "", item("two"));
    sql(R"(INSERT INTO playlist_history VALUES ('#a', 'one', 1);
           INSERT INTO playlist_channel VALUES ('#a', 'three');
           INSERT INTO playlist_queue VALUES ('#a', 'four'))");
  }

  void sql(const char* statements) { query_rows(database(), statements); }
  std::filesystem::path database() const { return folder_.path() / "model.db"; }

  static std::string item(const std::string& media) {
    return R"({"item": {"media_id": ")" + media + "\"}}";
  }
  void note(std::string_view verb, const std::string& media, const std::string& data,
            bool success = true) {
    model_.note({verb, "#a", "ann", media,
                 json::object{{"success", success}, {"data", json::parse(data)}}});
  }

  void expect_loss(const std::string& what) { expect(1, 0, what); }
  void expect_double(const std::string& what) { expect(0, 1, what); }
  void expect(std::size_t losses, std::size_t doubles, const std::string& what) {
    const auto found = model_.compare(database());
    EXPECT_EQ(found.losses, losses) << found.what;
    EXPECT_EQ(found.doubles, doubles) << found.what;
    EXPECT_THAT(found.what, HasSubstr(what));
  }

  temporary_directory folder_;
  answer_model model_;
};

TEST_F(AnswerModel, AgreesWithWhatIsAsItWasAnswered) {
  expect(0, 0, "");
  EXPECT_EQ(model_.compare(database()).what, "");
}

TEST_F(AnswerModel, MissesAnItem) {
  sql("DELETE FROM playlist_queue");
  expect_loss("1 of these are lost, 0 were cleared: four");
  note("clear", "", R"({"count": 1})");
  expect(0, 0, "");
}

TEST_F(AnswerModel, FindsAnItemTwice) {
  sql("INSERT INTO playlist_queue VALUES ('#a', 'three')");
  expect_double("three is in 2 places");
}

TEST_F(AnswerModel, FindsWhatWasRemovedAndWhatWasRefused) {
  sql("INSERT INTO playlist_queue VALUES ('#a', 'two')");
  expect_double("two was removed and is there");
  note("add", "five", "{}", false);
  sql("UPDATE playlist_queue SET media_id = 'five' WHERE media_id = 'two'");
  expect_double("five was refused and is there");
}

TEST_F(AnswerModel, FindsWhatWasNotCleared) {
  note("clear", "", R"({"count": 1})");
  expect_double("1 were said to be cleared, and only 0 are gone");
}

TEST_F(AnswerModel, CountsSkips) {
  note("voteskip", "", R"({"passed": false})");
  expect(0, 0, "");
  note("voteskip", "", R"({"passed": true})");
  expect_loss("2 skips were answered, and 1 are in the history");
  sql("INSERT INTO playlist_history VALUES ('#a', 'four', 1), ('#a', 'three', 1)");
  sql("DELETE FROM playlist_queue; DELETE FROM playlist_channel");
  expect_double("2 skips were answered, and 3 are in the history");
}

TEST_F(AnswerModel, CountsAddsByUser) {
  sql("UPDATE playlist_user_stats SET items_added = 5");
  expect_double("ann has added 4 items, and the statistics say 5");
}

TEST_F(AnswerModel, FindsAnswersThatContradictEachOther) {
  note("remove", "", item("two"));
  expect_double("two was removed twice");
}

}  // namespace
}  // namespace rosey::tests
