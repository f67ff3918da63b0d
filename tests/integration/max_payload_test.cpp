// A real nats-server that takes 8192 bytes in one message: a long queue comes in pages, whatever is
// shown is answered, and a publish says what was wrong with it.
#include <gtest/gtest.h>
#include <nats/nats.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "integration/support/bot.hpp"
#include "integration/support/process.hpp"
#include "rosey/sdk/host_message_bus.hpp"

namespace rosey::tests {
namespace {

namespace json = boost::json;

constexpr std::size_t limit = 8192;  // bytes
constexpr int items = 200;

class SmallMessages : public testing::Test {
 protected:
  SmallMessages() {
    const std::filesystem::path settings = folder_.path() / "nats.conf";
    std::ofstream(settings) << "listen: \"127.0.0.1:-1\"\nmax_payload: " << limit << "\n";
    nats_ = std::make_unique<process>(
        std::vector<std::string>{"/usr/bin/env", "nats-server", "-c", settings.string()},
        folder_.path());
    constexpr std::string_view before = "client connections on ";
    const std::string line = nats_->wait_for_log(before);
    url_ = "nats://" + line.substr(line.find(before) + before.size());
    bus_ = std::make_unique<host::connection>(
        host::connection::settings{.url = url_, .name = "small messages"});
  }

  void start_playlist() {
    storage_ =
        std::make_unique<process>(folder_.command({"storage", "--nats-url", url_, "--database",
                                                   "sqlite:" + folder_.database().string()}),
                                  folder_.path());
    storage_->wait_for_log("rosey ready");
    constexpr char config[] = R"({"metadata": "none", "max_items_per_user": 900,
        "max_queue_size": 900, "rate_limit_count": 900, "max_duration_per_user": 1000000})";
    host_ = std::make_unique<process>(
        std::vector<std::string>{SEVERAL_INSTANCES, url_, folder_.plugins().string(), "1", config},
        folder_.path());
    host_->wait_for_log("ready");
  }

  json::object ask(const std::string& subject, json::object fields) {
    fields["channel"] = "#lobby";
    const auto reply = bus_->request(subject, json::serialize(fields), patience);
    EXPECT_TRUE(reply) << subject << ": " << (reply ? "" : reply.error().message);
    return reply ? json::parse(*reply).as_object() : json::object();
  }

  json::object command(const std::string& verb, const std::string& args = "") {
    return ask("rosey.command.playlist." + verb,
               {{"user", "ann"}, {"role", "admin"}, {"args", args}});
  }

  const bot_folder folder_;
  std::unique_ptr<process> nats_;
  std::string url_;
  std::unique_ptr<host::connection> bus_;
  std::unique_ptr<process> storage_;
  std::unique_ptr<process> host_;
};

TEST_F(SmallMessages, AreEnoughForALongQueue) {
  start_playlist();
  for (int number = 1; number <= items; ++number) {
    const std::string link =
        "https://example.com/" + std::string(100, 'x') + std::to_string(number) + ".mp4";
    ASSERT_EQ(ask("service.playlist.add_item", {{"user", "ann"}, {"url", link}}).at("success"),
              true);
  }
  std::size_t received = 0, pages = 0;
  for (bool more = true; more; ++pages) {
    const json::object page = ask("service.playlist.get_queue", {{"offset", received}});
    ASSERT_EQ(page.at("success"), true) << page;
    ASSERT_FALSE(page.at("items").as_array().empty());
    received += page.at("items").as_array().size();
    more = page.at("truncated").as_bool();
  }
  EXPECT_EQ(received, items - 1U);
  EXPECT_GT(pages, 5U);
  EXPECT_EQ(command("queue").at("data").at("total_items"), items);
  EXPECT_EQ(command("when").at("data").at("truncated"), true);
  for (int number = 0; number < 60; ++number) {
    ASSERT_EQ(command("skip").at("success"), true);
  }
  const json::object history = command("history", "50");
  EXPECT_EQ(history.at("success"), true) << history;
  const json::object told = ask("service.playlist.get_history", {{"limit", 50}});
  EXPECT_EQ(told.at("truncated"), true);
  const json::object shuffled = command("shuffle");
  EXPECT_EQ(shuffled.at("code"), "too_large") << "in one batch, as it must be: " << shuffled;
  EXPECT_EQ(command("clear").at("success"), true);
}

// The host's table, as far as a bus needs it.
class bare_host {
 public:
  explicit bare_host(host::connection& bus) {
    table_.nats = bus.native();
    table_.subscribe = [](void*, rosey_string, rosey_string, rosey_message_fn, void*, uint64_t* id,
                          rosey_error*) noexcept -> rosey_status {
      *id = 1;
      return ROSEY_OK;
    };
  }
  const rosey_host& table() const { return table_; }

 private:
  rosey_host table_{};
};

TEST_F(SmallMessages, ArePublishedOrSaidToBeWrong) {
  const bare_host host(*bus_);
  boost::asio::io_context io;
  sdk::host_message_bus bus(host.table(), io.get_executor(), sdk::logger());
  EXPECT_EQ(bus.max_payload(), limit);
  const auto failure = [&bus](std::string_view subject, std::size_t size) {
    try {
      bus.publish(subject, std::string(size, 'x'));
    } catch (const boost::system::system_error& refused) {
      EXPECT_NE(std::string(refused.what()).find(std::to_string(size) + " bytes on '"),
                std::string::npos)
          << refused.what();
      return refused.code();
    }
    return boost::system::error_code();
  };
  const auto requested = [&](std::string subject, std::size_t size) {
    boost::system::error_code outcome;
    bus.async_request(std::move(subject), std::string(size, 'x'), patience,
                      [&](boost::system::error_code why, const std::string&) { outcome = why; });
    io.restart();
    io.poll();
    return outcome;
  };
  EXPECT_FALSE(failure("small.one", limit));
  EXPECT_EQ(failure("small.one", limit + 1), sdk::bus_errc::too_large);
  EXPECT_EQ(failure("small one", 1), sdk::bus_errc::invalid_subject);
  EXPECT_EQ(failure("small.one\r\nPUB x 0", 1), sdk::bus_errc::invalid_subject);
  EXPECT_EQ(failure("small.*", 1), sdk::bus_errc::invalid_subject);
  EXPECT_EQ(requested("small.one", limit + 1), sdk::bus_errc::too_large);
  EXPECT_EQ(requested("small..one", 1), sdk::bus_errc::invalid_subject);
  EXPECT_TRUE(bus_->flush(patience)) << "nothing of it has broken the connection";
  natsConnection_Close(bus_->native());
  EXPECT_EQ(failure("small.one", 1), sdk::bus_errc::disconnected);
  EXPECT_EQ(requested("small.one", 1), sdk::bus_errc::disconnected);
}

}  // namespace
}  // namespace rosey::tests
