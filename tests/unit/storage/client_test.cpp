// The SDK's storage client against a real service, over a bus that lives in this process.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <map>

#include "rosey/sdk/storage_client.hpp"
#include "unit/storage/storage_test.hpp"

namespace rosey::storage {
namespace {

namespace asio = boost::asio;

// Hands requests to the service; or, told so, answers with a failure or a text, or not at all.
class service_bus final : public sdk::message_bus {
 public:
  service_bus(asio::io_context& context, service& behind) : context_(context), behind_(behind) {}

  std::optional<boost::system::error_code> failure;
  std::optional<std::string> answer;
  bool silent = false;
  int busy = 0;  // requests that are going to be refused as BUSY, each after:
  std::chrono::milliseconds busy_after{0};
  int requests = 0;

  void publish(std::string_view, std::string_view) override { throw std::logic_error("publish"); }
  subscription_id subscribe(std::string_view, std::string_view, message_handler) override {
    throw std::logic_error("subscribe");
  }
  void unsubscribe(subscription_id) override { throw std::logic_error("unsubscribe"); }

 private:
  void start_request(std::string subject, std::string payload, sdk::request_patience,
                     std::unique_ptr<reply_handler> handler) override {
    reply_handler* const id = handler.get();
    waiting_.emplace(id, pending{std::move(handler), asio::make_work_guard(context_)});
    ++requests;
    if (silent) return;
    if (busy > 0) {
      --busy;
      const auto timer = std::make_shared<asio::steady_timer>(context_, busy_after);
      timer->async_wait([this, id, timer](boost::system::error_code) {
        complete(id, boost::system::error_code(), db::encode(db::failure({db::codes::busy, "m"})));
      });
      return;
    }
    if (failure || answer) {
      asio::post(context_, [this, id] {
        complete(id, failure.value_or(boost::system::error_code()), answer.value_or(""));
      });
      return;
    }
    behind_.handle(subject, std::move(payload), [this, id](std::string text) {
      asio::post(context_, [this, id, text = std::move(text)] {
        complete(id, boost::system::error_code(), text);
      });
    });
  }

  void cancel_request(reply_handler* handler) override {
    asio::post(context_,
               [this, handler] { complete(handler, asio::error::operation_aborted, ""); });
  }

  void complete(reply_handler* id, boost::system::error_code why, const std::string& text) {
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) return;
    const auto owner = std::move(found->second.handler);
    waiting_.erase(found);
    owner->complete(why, text);
  }

  struct pending {
    std::unique_ptr<reply_handler> handler;
    asio::executor_work_guard<asio::io_context::executor_type> keeps_running;
  };

  asio::io_context& context_;
  service& behind_;
  std::map<reply_handler*, pending> waiting_;
};

class storage_client : public storage_test {
 protected:
  storage_client() {
    storage();
    sql(R"(CREATE TABLE demo_queue (id INTEGER PRIMARY KEY, title TEXT UNIQUE, n INTEGER))");
    bus_ = std::make_unique<service_bus>(context_, storage());
    client_ = std::make_unique<sdk::storage_client>(*bus_, "demo", std::chrono::seconds(5));
  }

  // The service's threads may still be leaving the context's post().
  ~storage_client() override { close(); }

  // The value that the coroutine gives.
  template <class T>
  T run(asio::awaitable<T> task) {
    std::optional<T> value;
    std::exception_ptr failure;
    asio::co_spawn(context_, std::move(task), [&](std::exception_ptr thrown, T given) {
      failure = thrown;
      value = std::move(given);
    });
    context_.restart();
    context_.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*value);
  }

  // Storage is not available, and has said something all the same.
  void expect_refused_without_silence() {
    try {
      run(client_->kv_get("k"));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const sdk::storage_timed_out& wrong) {
      ADD_FAILURE() << wrong.what();
    } catch (const sdk::storage_unavailable&) {
    }
  }

  asio::io_context context_;
  std::unique_ptr<service_bus> bus_;
  std::unique_ptr<sdk::storage_client> client_;
};

TEST_F(storage_client, rows) {
  const auto inserted = run(client_->insert("queue", {{"title", "a"}, {"n", 1}}));
  ASSERT_TRUE(inserted);
  EXPECT_EQ(inserted->ids, std::vector<std::int64_t>{1});
  const auto more = run(client_->insert_many("queue", {{{"title", "b"}}, {{"title", "c"}}}));
  EXPECT_EQ(more->ids, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(more->created, 2);
  const auto updated = run(client_->update("queue", {{"title", "b"}}, {{"$inc", {{"n", 5}}}}));
  EXPECT_EQ(updated->affected, 1);
  const auto upserted =
      run(client_->update("queue", {{"title", "d"}}, {{"$inc", {{"n", 5}}}}, true));
  EXPECT_TRUE(upserted->upserted);
  db::select_request request;
  request.table = "queue";
  request.filter = {{"n", 5}};
  request.order = {{"title", true}};
  request.columns = {"title"};
  const auto selected = run(client_->select(request));
  EXPECT_EQ(json::serialize(selected->rows), R"([{"title":"d"},{"title":"b"}])");
  EXPECT_EQ(run(client_->remove("queue", {{"n", 5}}))->deleted, 2);
}

TEST_F(storage_client, keys) {
  const auto set = run(client_->kv_set("k", {1, 2}, 60, 0));
  ASSERT_TRUE(set);
  const auto got = run(client_->kv_get("k"));
  EXPECT_TRUE(got->exists);
  EXPECT_EQ(json::serialize(got->value), "[1,2]");
  EXPECT_EQ(got->revision, set->revision);
  EXPECT_EQ(run(client_->kv_set("k", 3, {}, 0)).error().code, db::codes::conflict);
  db::kv_list_request list;
  list.prefix = "k";
  EXPECT_EQ(run(client_->kv_list(list))->entries.at(0).key, "k");
  EXPECT_TRUE(run(client_->kv_delete("k"))->deleted);
  EXPECT_FALSE(run(client_->kv_get("k"))->exists);
}

TEST_F(storage_client, batches) {
  db::batch ops;
  ops.insert("queue", {{"title", "a"}}).kv_set("k", "v").request_id("r").reply("done");
  const auto done = run(client_->batch(ops));
  ASSERT_TRUE(done);
  EXPECT_FALSE(done->replayed);
  EXPECT_EQ(std::get<db::insert_reply>(done->results.at(0)).ids.at(0), 1);
  EXPECT_EQ(std::get<db::kv_set_reply>(done->results.at(1)).revision, 1);
  const auto again = run(client_->batch(ops));
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->reply, "done");
  EXPECT_EQ(std::get<db::insert_reply>(again->results.at(0)).ids.at(0), 1);
  EXPECT_EQ(std::get<db::kv_set_reply>(again->results.at(1)).revision, 1);
  // Other operations under the same id: what was applied is not in their terms.
  db::batch others;
  others.kv_set("k", "w").request_id("r").reply("other");
  const auto other = run(client_->batch(others));
  EXPECT_TRUE(other->replayed);
  EXPECT_EQ(other->reply, "done");
  EXPECT_TRUE(other->results.empty());
  EXPECT_EQ(other->stored_results.size(), 2U);
  EXPECT_TRUE(run(client_->find_request("r"))->replayed);
  EXPECT_FALSE(run(client_->find_request("other"))->replayed);
}

TEST_F(storage_client, refusals_are_values) {
  db::batch ops;
  ops.kv_set("k", 1);
  ops.update("queue", {{"id", 9}}, {{"$set", {{"n", 1}}}}).expect_affected(1);
  const auto refused = run(client_->batch(ops));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, db::codes::conflict);
  EXPECT_EQ(refused.error().op, std::optional<std::size_t>(1));
  EXPECT_EQ(run(client_->remove("queue", {})).error().code, db::codes::validation_error);
  EXPECT_EQ(run(client_->insert("nope", {})).error().code, db::codes::unknown_table);
  const json::string huge(db::max_request, 'x');
  EXPECT_EQ(run(client_->insert("queue", {{"title", huge}})).error().code,
            db::codes::value_too_large);
}

TEST_F(storage_client, no_answer_throws) {
  for (const auto failure : {sdk::bus_errc::timed_out, sdk::bus_errc::no_responders,
                             sdk::bus_errc::disconnected, sdk::bus_errc::stopped}) {
    bus_->failure = failure;
    EXPECT_THROW(run(client_->kv_get("k")), sdk::storage_unavailable);
    EXPECT_THROW(run(client_->batch(db::batch())), sdk::storage_unavailable);
  }
}

TEST_F(storage_client, says_where_nobody_listens) {
  bus_->failure = sdk::bus_errc::no_responders;
  try {
    run(client_->kv_get("k"));
    FAIL() << "no exception";
  } catch (const sdk::storage_unavailable& why) {
    EXPECT_STREQ(why.what(), "Storage: nobody listens on db.kv.demo.get");
  }
}

TEST_F(storage_client, an_answer_of_no_use_throws) {
  for (const char* answer :
       {R"({"success": false, "error": {"code": "DATABASE_ERROR", "message": "m"}})", "gibberish",
        R"({"success": true})"}) {
    bus_->answer = answer;
    EXPECT_THROW(run(client_->kv_get("k")), sdk::storage_unavailable) << answer;
    EXPECT_THROW(run(client_->batch(db::batch())), sdk::storage_unavailable) << answer;
  }
}

TEST_F(storage_client, busy_storage_is_asked_again) {
  bus_->busy = 3;
  EXPECT_TRUE(run(client_->kv_set("k", 1)));
  bus_->busy = 3;
  db::batch ops;
  ops.kv_set("k", 2);
  EXPECT_TRUE(run(client_->batch(ops)));
  EXPECT_EQ(run(client_->kv_get("k"))->value, json::value(2));
}

TEST_F(storage_client, storage_that_stays_busy_throws_before_the_timeout) {
  sdk::storage_client hasty(*bus_, "demo", std::chrono::seconds(1));
  bus_->busy = 1000;
  EXPECT_THROW(run(hasty.kv_get("k")), sdk::storage_busy);
  EXPECT_GT(bus_->requests, 1);
  EXPECT_LT(bus_->requests, 100) << "without pauses";
}

// As while another process locks the database: a second answer would come too late.
TEST_F(storage_client, storage_that_is_busy_for_long_is_not_asked_again) {
  sdk::storage_client hasty(*bus_, "demo", std::chrono::milliseconds(100));
  bus_->busy = 1000;
  bus_->busy_after = std::chrono::milliseconds(60);
  EXPECT_THROW(run(hasty.kv_get("k")), sdk::storage_busy);
  EXPECT_EQ(bus_->requests, 1);
}

TEST_F(storage_client, storage_that_was_busy_has_not_kept_silent) {
  bus_->busy = 1;
  bus_->failure = sdk::bus_errc::timed_out;
  expect_refused_without_silence();
}

TEST_F(storage_client, silence_is_told_from_a_refusal) {
  bus_->failure = sdk::bus_errc::timed_out;
  EXPECT_THROW(run(client_->kv_get("k")), sdk::storage_timed_out);
  bus_->failure = sdk::bus_errc::no_responders;
  expect_refused_without_silence();
}

TEST_F(storage_client, cancellation_is_not_a_failure_of_storage) {
  bus_->silent = true;
  asio::cancellation_signal cancel;
  std::exception_ptr thrown;
  asio::co_spawn(context_, client_->kv_get("k"),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](std::exception_ptr failure, auto) { thrown = failure; }));
  asio::post(context_, [&] { cancel.emit(asio::cancellation_type::terminal); });
  context_.run();
  ASSERT_TRUE(thrown);
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& failure) {
    EXPECT_EQ(failure.code(), asio::error::operation_aborted);
  }
}

}  // namespace
}  // namespace rosey::storage
