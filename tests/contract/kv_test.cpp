// Values by key: revisions, expiry, limits, lists.
#include "contract/contract_test.hpp"

namespace rosey::storage {
namespace {

using std::chrono::seconds;

class storage_kv : public contract_test {
 protected:
  std::int64_t set(const std::string& rest) {
    return kv("set", "{" + rest + "}").at("revision").as_int64();
  }
  std::string set_error(const std::string& rest) {
    return refusal("db.kv.demo.set", "{" + rest + "}");
  }
  std::string get(const std::string& key) {
    return json::serialize(kv("get", R"({"key": ")" + key + R"("})").at("value"));
  }
  bool exists(const std::string& key) {
    return kv("get", R"({"key": ")" + key + R"("})").at("exists").as_bool();
  }
};

TEST_P(storage_kv, keeps_any_json_value) {
  for (const std::string value :
       {R"({"a":[1,2,{"b":null}]})", "[]", "null", "true", R"("x")", "9007199254740993", "1.5E0"}) {
    set(R"("key": "k", "value": )" + value);
    EXPECT_EQ(get("k"), value);
  }
  EXPECT_EQ(get("\xf0\x9f\x8e\xac"), "null");
}

TEST_P(storage_kv, keeps_reals_to_the_last_digit) {
  set(R"("key": "k", "value": [123456789.12345679, 0.30000000000000004])");
  EXPECT_EQ(get("k"), "[1.2345678912345679E8,3.0000000000000004E-1]");
  EXPECT_EQ(set_error(R"("key": "k", "value": [1, 1e400])"), "INVALID_JSON");
  EXPECT_EQ(kv("list", "{}").at("entries").as_array().size(), 1U);
}

TEST_P(storage_kv, what_can_be_set_can_be_listed_however_deep) {
  const auto nested = [](std::size_t depth) {
    return R"("key": "k", "value": )" + std::string(depth, '[') + std::string(depth, ']');
  };
  set(nested(31));
  EXPECT_EQ(kv("list", "{}").at("entries").as_array().size(), 1U);
  EXPECT_EQ(set_error(nested(32)), "INVALID_JSON");
}

TEST_P(storage_kv, an_absent_key_has_no_value_and_revision_0) {
  EXPECT_EQ(json::serialize(kv("get", R"({"key": "none"})")),
            R"({"exists":false,"value":null,"revision":0,"success":true})");
}

TEST_P(storage_kv, every_set_gives_a_greater_revision) {
  const auto first = set(R"("key": "a", "value": 1)");
  const auto second = set(R"("key": "b", "value": 1)");
  const auto third = set(R"("key": "a", "value": 1)");
  EXPECT_GT(first, 0);
  EXPECT_GT(second, first);
  EXPECT_GT(third, second);
  EXPECT_EQ(kv("get", R"({"key": "a"})").at("revision").as_int64(), third);
}

TEST_P(storage_kv, if_revision_guards_a_set) {
  const auto first = set(R"("key": "k", "value": 1, "if_revision": 0)");
  EXPECT_EQ(set_error(R"("key": "k", "value": 2, "if_revision": 0)"), "CONFLICT");
  const auto second = set(R"("key": "k", "value": 2, "if_revision": )" + std::to_string(first));
  EXPECT_EQ(set_error(R"("key": "k", "value": 3, "if_revision": )" + std::to_string(first)),
            "CONFLICT");
  EXPECT_EQ(get("k"), "2");
  EXPECT_GT(second, first);
}

TEST_P(storage_kv, entries_expire) {
  set(R"("key": "k", "value": 1, "ttl_seconds": 10)");
  clock_.advance(std::chrono::milliseconds(9999));
  EXPECT_TRUE(exists("k"));
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_FALSE(exists("k"));
  EXPECT_EQ(kv("delete", R"({"key": "k"})").at("deleted"), false);
  EXPECT_EQ(kv("list", "{}").at("entries").as_array().size(), 0U);
}

TEST_P(storage_kv, an_expired_entry_does_not_exist_for_if_revision) {
  const auto first = set(R"("key": "k", "value": 1, "ttl_seconds": 10)");
  clock_.advance(seconds(10));
  EXPECT_EQ(set_error(R"("key": "k", "value": 2, "if_revision": )" + std::to_string(first)),
            "CONFLICT");
  EXPECT_GT(set(R"("key": "k", "value": 2, "if_revision": 0)"), first);
}

TEST_P(storage_kv, a_set_without_ttl_stays) {
  set(R"("key": "k", "value": 1, "ttl_seconds": 10)");
  set(R"("key": "k", "value": 2)");
  clock_.advance(seconds(1000));
  EXPECT_EQ(get("k"), "2");
}

TEST_P(storage_kv, revisions_never_repeat) {
  const auto first = set(R"("key": "k", "value": 1)");
  kv("delete", R"({"key": "k"})");
  const auto second = set(R"("key": "k", "value": 1, "ttl_seconds": 1)");
  EXPECT_GT(second, first);
  clock_.advance(seconds(100));
  set(R"("key": "other", "value": 1)");  // sweeps
  reopen();
  EXPECT_GT(set(R"("key": "k", "value": 1)"), second);
}

TEST_P(storage_kv, deletes) {
  const auto revision = set(R"("key": "k", "value": 1)");
  EXPECT_EQ(refusal("db.kv.demo.delete", R"({"key": "k", "if_revision": 999})"), "CONFLICT");
  EXPECT_EQ(kv("delete", R"({"key": "k", "if_revision": )" + std::to_string(revision) + "}")
                .at("deleted"),
            true);
  EXPECT_FALSE(exists("k"));
  EXPECT_EQ(kv("delete", R"({"key": "k"})").at("deleted"), false);
}

TEST_P(storage_kv, lists_by_prefix_in_order) {
  for (const std::string key : {"b:2", "a:1", "b:1", "b", "b;", "b:%", "B:1"}) {
    set(R"("value": 1, "key": ")" + key + '"');
  }
  const auto keys = [this](const std::string& request) {
    std::string text;
    const json::object answer = kv("list", request);
    for (const auto& entry : answer.at("entries").as_array()) {
      text += std::string(entry.at("key").as_string()) + " ";
    }
    return text;
  };
  EXPECT_EQ(keys(R"({"prefix": "b:"})"), "b:% b:1 b:2 ");
  EXPECT_EQ(keys(R"({"prefix": "b:", "after": "b:%", "limit": 1})"), "b:1 ");
  EXPECT_EQ(keys("{}"), "B:1 a:1 b b:% b:1 b:2 b; ");
  EXPECT_TRUE(kv("list", R"({"limit": 6})").at("truncated").as_bool());
  EXPECT_FALSE(kv("list", R"({"limit": 7})").at("truncated").as_bool());
}

TEST_P(storage_kv, a_long_list_is_truncated) {
  const std::string value = '"' + std::string(60'000, 'x') + '"';
  for (int i = 0; i < 10; ++i) {
    set(R"("key": "k)" + std::to_string(i) + R"(", "value": )" + value);
  }
  const auto first = kv("list", "{}");
  EXPECT_EQ(first.at("entries").as_array().size(), 8U);
  EXPECT_TRUE(first.at("truncated").as_bool());
  EXPECT_EQ(kv("list", R"({"after": "k7"})").at("entries").as_array().size(), 2U);
}

TEST_P(storage_kv, a_list_gets_past_an_entry_that_fits_no_answer) {
  const std::string key(200, 'a');  // named whole, for whoever goes on after it
  set(R"("key": ")" + key + R"(", "value": ")" + std::string(6000, 'x') + '"');
  set(R"("key": "b", "value": 1)");
  close();
  options_.reply_limit = 4096;
  open();
  const auto endless = ask("db.kv.demo.list", "{}");
  EXPECT_EQ(error_code(endless), "VALUE_TOO_LARGE");
  EXPECT_EQ(error_message(endless), "The entry of key '" + key +
                                        "' is longer than a reply may be; list what is 'after' it");
  EXPECT_EQ(kv("list", R"({"after": ")" + key + "\"}").at("entries").as_array().size(), 1U);
}

TEST_P(storage_kv, values_have_a_limit) {
  const std::string longest(db::max_value - 2, 'x');
  set(R"("key": "k", "value": ")" + longest + '"');
  EXPECT_EQ(set_error(R"("key": "k", "value": "x)" + longest + '"'), "VALUE_TOO_LARGE");
}

TEST_P(storage_kv, requests_that_make_no_sense_are_refused) {
  EXPECT_EQ(set_error(R"("value": 1)"), "MISSING_FIELD");
  EXPECT_EQ(set_error(R"("key": "k")"), "MISSING_FIELD");
  for (const std::string request :
       {R"("key": "", "value": 1)", R"("key": 5, "value": 1)", R"("key": "a\u0000", "value": 1)",
        R"("key": "k", "value": 1, "ttl_seconds": 0)",
        R"("key": "k", "value": 1, "ttl_seconds": 1.5)",
        R"("key": "k", "value": 1, "ttl_seconds": 9223372036854775807)",
        R"("key": "k", "value": 1, "if_revision": -1)"}) {
    EXPECT_EQ(set_error(request), "VALIDATION_ERROR") << request;
  }
  EXPECT_EQ(refusal("db.kv.demo.get", "{}"), "MISSING_FIELD");
  EXPECT_EQ(refusal("db.kv.demo.list", R"({"limit": 0})"), "VALIDATION_ERROR");
  EXPECT_EQ(refusal("db.kv.demo.list", R"({"limit": 1001})"), "VALIDATION_ERROR");
}

TEST_P(storage_kv, expired_entries_are_swept) {
  set(R"("key": "short", "value": 1, "ttl_seconds": 10)");
  set(R"("key": "long", "value": 1, "ttl_seconds": 1000)");
  clock_.advance(seconds(30));
  set(R"("key": "x", "value": 1)");
  EXPECT_EQ(sql_value("SELECT COUNT(*) FROM rosey_kv"), "3");
  clock_.advance(seconds(31));
  set(R"("key": "x", "value": 1)");
  close();  // a service ends behind its sweep
  EXPECT_EQ(sql_value("SELECT COUNT(*) FROM rosey_kv WHERE key = 'short'"), "0");
  EXPECT_EQ(sql_value("SELECT COUNT(*) FROM rosey_kv"), "2");
}

ON_EVERY_BACKEND(storage_kv);

}  // namespace
}  // namespace rosey::storage
