// Tables with rules of their own: what a rule refuses is one request's, whoever waits beside it.
#include "contract/contract_test.hpp"
#include "host_stub/storage/session.hpp"

namespace rosey::storage {
namespace {

class storage_rules : public contract_test {
 protected:
  storage_rules() {
    sql("CREATE TABLE demo_note ({id}, body TEXT); CREATE TABLE demo_log (body TEXT)");
  }

  // All wait for the same lock, and share a transaction where transactions are shared.
  std::vector<std::string> codes_of(const std::vector<std::string>& subjects_and_payloads) {
    std::vector<std::future<json::object>> answers;
    {
      const auto lock = lock_out_writers();
      for (std::size_t i = 0; i < subjects_and_payloads.size(); i += 2) {
        answers.push_back(send(subjects_and_payloads[i], subjects_and_payloads[i + 1]));
      }
    }
    std::vector<std::string> codes;
    for (auto& each : answers) codes.push_back(error_code(each.get()));
    return codes;
  }

  static std::string note(const std::string& body) {
    return R"({"table": "note", "values": {"body": ")" + body + "\"}}";
  }
  std::int64_t count(const std::string& table) {
    return row("select", R"({"table": ")" + table + R"(", "aggregates": {"n": {"$count": "*"}}})")
        .at("rows")
        .at(0)
        .at("n")
        .as_int64();
  }

  static constexpr char insert[] = "db.row.demo.insert";
};

TEST_P(storage_rules, a_deferred_one_refuses_its_request_alone) {
  sql("CREATE TABLE demo_owner (k INTEGER PRIMARY KEY);"
      "CREATE TABLE demo_thing ({id}, owner INTEGER REFERENCES demo_owner(k) "
      "DEFERRABLE INITIALLY DEFERRED)");
  const std::string thing = R"({"table": "thing", "values": {"owner": 7}})";
  EXPECT_EQ(codes_of({insert, note("a"), insert, thing, "db.kv.demo.set",
                      R"({"key": "k", "value": 1})", insert, thing, insert, note("b")}),
            (std::vector<std::string>{"none", "CONSTRAINT", "none", "CONSTRAINT", "none"}));
  EXPECT_EQ(count("note"), 2);
  EXPECT_EQ(count("thing"), 0);
  batch(R"({"ops": [{"op": "insert", "table": "thing", "values": {"owner": 7}},
                    {"op": "insert", "table": "owner", "values": {"k": 7}}]})");
  EXPECT_EQ(count("thing"), 1);
}

// SQLite's triggers may pass a row over, end the statement half-way, or end the transaction.
TEST_P(storage_rules, triggers_refuse_their_request_alone) {
  if (GetParam() == backend::sqlite) {
    sql("CREATE TRIGGER demo_pass BEFORE INSERT ON demo_note WHEN NEW.body = 'pass' "
        "BEGIN SELECT RAISE(IGNORE); END;"
        "CREATE TRIGGER demo_part BEFORE INSERT ON demo_note WHEN NEW.body = 'part' "
        "BEGIN INSERT INTO demo_log VALUES ('left'); SELECT RAISE(FAIL, 'no'); END;"
        "CREATE TRIGGER demo_all BEFORE INSERT ON demo_note WHEN NEW.body = 'all' "
        "BEGIN INSERT INTO demo_log VALUES ('left'); SELECT RAISE(ROLLBACK, 'no'); END;");
  } else {
    sql("CREATE FUNCTION demo_rule() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.body = 'pass' THEN RETURN NULL; END IF;"
        "IF NEW.body IN ('part', 'all') THEN INSERT INTO demo_log VALUES ('left');"
        "RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER demo_rule BEFORE INSERT ON demo_note FOR EACH ROW "
        "EXECUTE FUNCTION demo_rule();");
  }
  EXPECT_EQ(codes_of({insert, note("a"), insert, note("pass"), insert, note("part"), insert,
                      note("all"), insert, note("b")}),
            (std::vector<std::string>{"none", "CONSTRAINT", "CONSTRAINT", "CONSTRAINT", "none"}));
  const std::string ops = R"({"ops": [{"op": "insert", "table": "log", "values": {"body": "x"}},
      {"op": "insert", "table": "note", "values": {"body": "all"}}]})";
  EXPECT_EQ(codes_of({insert, note("c"), "db.batch.demo", ops}),
            (std::vector<std::string>{"none", "CONSTRAINT"}));
  // Of a list the first one tells.
  const auto list = ask(insert, R"({"table": "note", "values": [
      {"body": "d"}, {"body": "pass"}, {"body": "part"}, {"body": "e"}]})");
  EXPECT_EQ(error_code(list), "CONSTRAINT");
  EXPECT_EQ(error_message(list), row_ignored);
  EXPECT_EQ(count("note"), 3);
  EXPECT_EQ(count("log"), 0);
}

ON_EVERY_BACKEND(storage_rules);

}  // namespace
}  // namespace rosey::storage
