// The corpus of injections in every position of every request: a plugin reaches nothing but its
// own, whatever it writes where.
#include <algorithm>
#include <functional>
#include <random>

#include "contract/contract_test.hpp"
#include "fuzz/storage_injections.hpp"

namespace rosey::storage {
namespace {

constexpr char canary[] = "canary-5b1f";

struct request_text {
  std::string subject;
  json::object payload;
};

using position = std::function<request_text(const std::string& injected)>;

// {key: value}, because an initialiser list of two texts would be a list.
json::object entry(const std::string& key, json::value value) {
  json::object object;
  object[key] = std::move(value);
  return object;
}
json::object entry(const std::string& key, const std::string& text) {
  return entry(key, json::value(text));
}
json::object entry(const std::string& key, const char* text) {
  return entry(key, json::value(text));
}

json::array list(const std::string& text) {
  json::array made;
  made.emplace_back(text);
  return made;
}
json::array list(json::object object) {
  json::array made;
  made.emplace_back(std::move(object));
  return made;
}

position in_row(const std::string& operation,
                const std::function<void(json::object&, const std::string&)>& place) {
  return [=](const std::string& injected) {
    json::object payload = entry("table", "note");
    place(payload, injected);
    return request_text{"db.row.demo." + operation, std::move(payload)};
  };
}

position in_key(const std::string& operation, const std::string& field) {
  return [=](const std::string& injected) {
    json::object payload = entry(field, injected);
    if (operation == "set") payload["value"] = "mine";
    return request_text{"db.kv.demo." + operation, std::move(payload)};
  };
}

std::vector<position> positions() {
  std::vector<position> all;
  for (const char* operation : {"select", "insert", "update", "delete"}) {
    all.push_back(in_row(operation, [](json::object& payload, const std::string& injected) {
      payload["table"] = json::value(injected);
      payload["values"] = entry("body", "x");
      payload["update"] = entry("$set", entry("body", "x"));
      payload["all"] = true;
    }));
  }
  const auto filter = [&all](const std::function<json::object(const std::string&)>& made) {
    for (const char* operation : {"select", "update", "delete"}) {
      all.push_back(in_row(operation, [made](json::object& payload, const std::string& injected) {
        payload["filter"] = made(injected);
        payload["update"] = entry("$set", entry("body", "x"));
      }));
    }
  };
  filter([](const std::string& text) { return entry(text, 1); });
  filter([](const std::string& text) { return entry("body", text); });
  filter([](const std::string& text) { return entry("id", entry(text, 1)); });
  filter([](const std::string& text) { return entry("body", entry("$like", text)); });
  filter([](const std::string& text) { return entry("body", entry("$in", list(text))); });
  filter([](const std::string& text) { return entry(text, list(entry("id", 1))); });
  filter([](const std::string& text) { return entry("$not", entry(text, "x")); });
  const auto select = [&all](const std::string& field,
                             const std::function<json::value(const std::string&)>& made) {
    all.push_back(in_row("select", [=](json::object& payload, const std::string& injected) {
      payload[field] = made(injected);
    }));
  };
  select("order", [](const std::string& text) { return entry(text, 1); });
  select("order", [](const std::string& text) { return entry("id", text); });
  select("columns", [](const std::string& text) { return list(text); });
  select("limit", [](const std::string& text) { return json::value(text); });
  select("offset", [](const std::string& text) { return json::value(text); });
  select("aggregates", [](const std::string& text) { return entry(text, entry("$max", "id")); });
  select("aggregates", [](const std::string& text) { return entry("n", entry(text, "id")); });
  select("aggregates", [](const std::string& text) { return entry("n", entry("$max", text)); });
  all.push_back(in_row("insert", [](json::object& payload, const std::string& injected) {
    payload["values"] = entry(injected, "x");
  }));
  all.push_back(in_row("insert", [](json::object& payload, const std::string& injected) {
    payload["values"] = entry("body", injected);
  }));
  for (const std::string change : {"", "$set", "$max"}) {
    all.push_back(in_row("update", [=](json::object& payload, const std::string& injected) {
      payload["filter"] = entry("id", 1);
      payload["update"] = change.empty() ? entry(injected, entry("body", "x"))
                                         : entry(change, entry(injected, "x"));
    }));
  }
  for (const char* operation : {"get", "set", "delete"}) all.push_back(in_key(operation, "key"));
  all.push_back(in_key("list", "prefix"));
  all.push_back(in_key("list", "after"));
  all.push_back([](const std::string& injected) {
    json::object op = entry("op", injected);
    op["table"] = "note";
    op["key"] = "secret";
    json::object payload = entry("ops", list(std::move(op)));
    payload["request_id"] = json::value(injected);
    return request_text{"db.batch.demo", std::move(payload)};
  });
  all.push_back([](const std::string& injected) {
    return request_text{"db.row." + injected + ".select", entry("table", "secret")};
  });
  return all;
}

class storage_isolation : public contract_test {
 protected:
  storage_isolation() {
    sql("CREATE TABLE demo_note ({id}, body TEXT); "
        "CREATE TABLE victim_secret ({id}, canary TEXT); "
        "CREATE VIEW demo_view AS SELECT * FROM victim_secret; "
        "INSERT INTO victim_secret (canary) VALUES ('" +
        std::string(canary) + "')");
    successful("db.batch.victim", R"({"request_id": "secret", "reply": ")" + std::string(canary) +
                                      R"(", "ops": [{"op": "kv.set", "key": "secret", "value": ")" +
                                      canary + R"("}]})");
    before_ = others();
  }

  // What is not the plugin's own.
  std::string others() {
    std::string text;
    for (const char* query :
         {"SELECT COUNT(*) || MAX(canary) FROM victim_secret",
          "SELECT COUNT(*) || MAX(value) || MAX(revision) FROM rosey_kv WHERE plugin <> 'demo'",
          "SELECT COUNT(*) || MAX(reply) FROM rosey_request WHERE plugin <> 'demo'",
          "SELECT COUNT(*) FROM schema_migrations", "SELECT COUNT(*) FROM demo_view"}) {
      text += sql_value(query) + "\n";
    }
    return text;
  }

  void attempt(const position& where, const std::string& injected) {
    const request_text request = where(injected);
    const json::object answer = ask(request.subject, json::serialize(request.payload));
    const std::string shown =
        request.subject + " " + json::serialize(request.payload) + " -> " + json::serialize(answer);
    EXPECT_EQ(shown.find(canary), std::string::npos) << shown;
    // What reached the database as SQL would be an error there.
    EXPECT_NE(error_code(answer), "DATABASE_ERROR") << shown;
    EXPECT_NE(error_code(answer), "BUSY") << shown;
  }

  std::string before_;
};

TEST_P(storage_isolation, holds_against_the_corpus) {
  for (const position& where : positions()) {
    for (const std::string_view injected : storage_injections)
      attempt(where, std::string(injected));
  }
  EXPECT_EQ(others(), before_);
}

TEST_P(storage_isolation, holds_against_mutations_of_it) {
  std::mt19937 random(20240607);  // NOLINT: the same in every run
  const auto below = [&random](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  const auto all = positions();
  for (int i = 0; i < 1000; ++i) {
    const std::string first(storage_injections.at(below(storage_injections.size())));
    const std::string second(storage_injections.at(below(storage_injections.size())));
    std::string injected = first.substr(0, below(first.size() + 1)) +
                           std::string("\"'`;-)(\n\\\0%_", 13).substr(below(13), 1) +
                           second.substr(below(second.size() + 1));
    // Cut characters are no JSON, and would be refused before anything else.
    injected.erase(
        std::remove_if(injected.begin(), injected.end(), [](unsigned char c) { return c >= 0x80; }),
        injected.end());
    attempt(all[below(all.size())], injected);
  }
  EXPECT_EQ(others(), before_);
}

// The fuzzer's own teeth: the canary is found where it may be read.
TEST_P(storage_isolation, the_owner_reads_what_others_cannot) {
  const auto own = successful("db.row.victim.select", R"({"table": "secret"})");
  EXPECT_NE(json::serialize(own).find(canary), std::string::npos);
  EXPECT_EQ(successful("db.kv.victim.get", R"({"key": "secret"})").at("value"), canary);
  EXPECT_FALSE(kv("get", R"({"key": "secret"})").at("exists").as_bool());
  EXPECT_EQ(kv("list", "{}").at("entries").as_array().size(), 0U);
  EXPECT_FALSE(batch(R"({"ops": [], "request_id": "secret"})").at("replayed").as_bool());
}

ON_EVERY_BACKEND(storage_isolation);

}  // namespace
}  // namespace rosey::storage
