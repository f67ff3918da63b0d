// A wall clock that is set while the service runs, or between two runs: what is to last a while
// lasts about as long, and nothing lasts for ever.
#include "contract/contract_test.hpp"

namespace rosey::storage {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class storage_clock : public contract_test {
 protected:
  void keep_for_ten_seconds() { kv("set", R"({"key": "k", "value": 1, "ttl_seconds": 10})"); }
  // Each service of the suite is asked.
  bool is_kept() {
    const bool first = kv("get", R"({"key": "k"})").at("exists").as_bool();
    EXPECT_EQ(kv("get", R"({"key": "k"})").at("exists").as_bool(), first);
    return first;
  }
  // Whether it is known already.
  bool apply_once(const std::string& id) {
    return batch(R"({"request_id": ")" + id + R"(", "ops": [{"op": "kv.set", "key": "x",)" +
                 R"( "value": 1}]})")
        .at("replayed")
        .as_bool();
  }
  // Until what is swept is swept.
  void pass(std::chrono::milliseconds time) {
    clock_.advance(time);
    for (int i = 0; i < 4; ++i) kv("set", R"({"key": "y", "value": 1})");
  }
};

TEST_P(storage_clock, that_is_set_back_keeps_nothing_for_long) {
  is_kept();
  keep_for_ten_seconds();
  clock_.step(-hours(1));
  clock_.advance(seconds(9));
  EXPECT_TRUE(is_kept());
  clock_.advance(seconds(11));
  EXPECT_FALSE(is_kept());
  keep_for_ten_seconds();
  clock_.advance(seconds(21));
  EXPECT_FALSE(is_kept());
}

TEST_P(storage_clock, that_is_set_forward_lets_nothing_go_at_once) {
  is_kept();
  keep_for_ten_seconds();
  clock_.step(hours(1));
  EXPECT_TRUE(is_kept());
  clock_.advance(seconds(4));
  EXPECT_TRUE(is_kept());
  clock_.advance(seconds(7));
  EXPECT_FALSE(is_kept());
}

TEST_P(storage_clock, that_is_set_does_not_apply_a_request_again) {
  EXPECT_FALSE(apply_once("a"));
  pass(hours(10));
  clock_.step(hours(20));
  pass(seconds(61));
  EXPECT_TRUE(apply_once("a"));
  clock_.step(-hours(100));
  pass(seconds(61));
  EXPECT_TRUE(apply_once("a"));
}

TEST_P(storage_clock, that_is_set_back_forgets_requests_all_the_same) {
  EXPECT_FALSE(apply_once("a"));
  clock_.step(-hours(100));
  pass(seconds(61));
  pass(2 * hours(24));
  pass(seconds(61));
  EXPECT_FALSE(apply_once("a"));
}

ON_EVERY_BACKEND(storage_clock);

// On a file, which has one machine's clock.
class storage_clock_between_runs : public ::testing::Test, protected storage_fixture {
 protected:
  storage_clock_between_runs() { use(make_sqlite_database(folder_.path().string())); }
};

TEST_F(storage_clock_between_runs, that_is_set_back_keeps_nothing_for_long) {
  kv("set", R"({"key": "k", "value": 1, "ttl_seconds": 10})");
  kv("set", R"({"key": "for ever", "value": 1})");
  batch(R"({"request_id": "a", "ops": [{"op": "kv.set", "key": "x", "value": 1}]})");
  close();
  clock_.step(-hours(1));
  clock_.advance(seconds(2));
  kv("set", R"({"key": "y", "value": 1})");
  EXPECT_EQ(kv("get", R"({"key": "k"})").at("exists"), true);
  clock_.advance(seconds(11));
  EXPECT_EQ(kv("get", R"({"key": "k"})").at("exists"), false);
  EXPECT_EQ(kv("get", R"({"key": "for ever"})").at("exists"), true);
  clock_.advance(hours(24));
  kv("set", R"({"key": "y", "value": 1})");
  kv("set", R"({"key": "y", "value": 1})");
  EXPECT_EQ(sql_value("SELECT COUNT(*) FROM rosey_request"), "0");
}

}  // namespace
}  // namespace rosey::storage
