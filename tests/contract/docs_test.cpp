// docs/storage-api.md is true, on every database, and leaves nothing out.
#include <sstream>

#include "contract/contract_test.hpp"
#include "host_stub/plugin_id.hpp"
#include "host_stub/storage/filter.hpp"
#include "host_stub/storage/plan.hpp"
#include "rosey/wire/subjects.hpp"
#include "storage/storage_page.hpp"

namespace rosey::storage {
namespace {

const std::filesystem::path page = ROSEY_DOCS "/storage-api.md";

class storage_docs : public ::testing::TestWithParam<backend>, protected storage_fixture {
 protected:
  storage_docs() : storage_fixture(GetParam() == backend::two_services ? 2 : 1) {
    options_.busy_timeout = std::chrono::milliseconds(200);  // a request meets a lock on purpose
    auto database = GetParam() == backend::sqlite ? make_sqlite_database(folder_.path().string())
                                                  : make_postgresql_database();
    database_ = database.get();
    use(std::move(database));
    open();
  }

  test_database* database_;
};

TEST_P(storage_docs, has_examples_that_are_true) {
  tests::storage_page{page, options_.migrations, *database_,
                      [this](const std::string& subject, const std::string& payload) {
                        if (subject == wire::subjects::monitoring_storage) {
                          return storage().monitor();
                        }
                        return json::serialize(ask(subject, payload));
                      }}
      .run();
}

ON_EVERY_BACKEND(storage_docs);

TEST(storage_api_page, leaves_nothing_out) {
  std::ifstream in(page);
  std::stringstream text;
  text << in.rdbuf();
  const auto expect = [text = text.str()](const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  };
  const auto expect_request = [&](const std::string& subject) {
    expect("```json request " + subject + "\n");
  };
  for (const std::string_view each : db::operation_names) {
    const std::string name(each);
    expect_request(name.starts_with("kv.") ? wire::subjects::kv("demo", name.substr(3))
                                           : wire::subjects::row("demo", name));
    expect(R"({"op": ")" + name + "\"");
  }
  expect_request(wire::subjects::batch("demo"));
  for (const char* action : {"apply", "rollback", "status"}) {
    expect_request(wire::subjects::migrate("demo", action));
  }
  expect_request(wire::subjects::monitoring_storage);
  for (const std::string_view id : host::reserved_ids) expect("`" + std::string(id) + "`");
  for (const std::string_view code : db::codes::all) {
    expect("`" + std::string(code) + "`");
    expect(R"({"code": ")" + std::string(code) + "\"");
  }
  for (const auto& names : {filter_operators(), update_operators(), aggregate_functions()}) {
    EXPECT_GT(names.size(), 4U);
    for (const std::string_view name : names) {
      expect("`" + std::string(name) + "`");
      expect("\"" + std::string(name) + "\": ");
    }
  }
}

TEST(storage_api_page, tells_the_limits) {
  for (const tests::doc_block& block : tests::doc_blocks(page)) {
    if (block.kind != "limits") continue;
    const json::object real{
        {"request_bytes", db::max_request},    {"reply_bytes", db::max_reply},
        {"value_bytes", db::max_value},        {"name_bytes", wire::max_name},
        {"operations", db::max_operations},    {"columns", db::max_columns},
        {"kv_list", db::max_kv_list},          {"ttl_seconds", db::max_ttl_seconds},
        {"filter_conditions", max_conditions}, {"filter_values", max_listed},
        {"pattern_bytes", max_pattern}};
    EXPECT_EQ(json::parse(block.text), json::parse(json::serialize(real)));
    EXPECT_EQ(options().memory, 64U * 1024 * 1024);
    return;
  }
  ADD_FAILURE() << "no limits";
}

}  // namespace
}  // namespace rosey::storage
