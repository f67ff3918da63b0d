// The plugin in its host asks a site over TLS, and can be unloaded while it waits for one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <fstream>
#include <string>

#include "fakes/https_server.hpp"
#include "integration/support/bot.hpp"

namespace rosey::tests {
namespace {

using fakes::certificate_authority;
using fakes::https_server;
using testing::HasSubstr;

class SiteTest : public testing::Test {
 protected:
  SiteTest() {
    std::ofstream(folder.path() / "ca.pem") << authority.certificate();
    configure(2000);
  }

  // Milliseconds that an answer may wait for the site's.
  void configure(int deadline) {
    folder.configure(R"({"metadata": {"ca_file": ")" + (folder.path() / "ca.pem").string() +
                     R"(", "deadline_ms": )" + std::to_string(deadline) +
                     R"(, "endpoints": {"vi": ")" + site.url("/vi") + R"("}}})");
  }

  https_server::answer song() const {
    return {.body = R"({"title": "A song", "duration": 225})", .held = held};
  }

  const bot_folder folder;
  certificate_authority authority;
  std::atomic<bool> held = false;
  https_server site{authority.issue("localhost"), [this](const std::string&) { return song(); }};
};

TEST_F(SiteTest, TellsTheTitle) {
  configure(8000);
  running_bot bot(folder);
  EXPECT_EQ(bot.say("!add https://vimeo.com/123"), "📺 Added to queue (#1): A song");
  EXPECT_THAT(bot.say("!queue"), HasSubstr("▶️ Now: A song [3:45]"));
  EXPECT_EQ(bot.finish(), 0);
}

TEST_F(SiteTest, ThatIsSlowDelaysTheAnswerAndNotTheUnloading) {
  held = true;
  running_bot bot(folder);
  EXPECT_EQ(bot.say("!add https://vimeo.com/123"), "📺 Added to queue (#1): [vi] 123");
  // The fetch goes on.
  EXPECT_THAT(bot.say("!plugin unload playlist"), HasSubstr("Unloaded"));
  held = false;
  site.release();
  EXPECT_THAT(bot.say("!plugin load playlist"), HasSubstr("Loaded"));
  const auto title = [&bot] { return bot.say("!nowplaying"); };
  while (title().find("A song") == std::string::npos) {
    // Taken up again by the new instance; the test's own deadline ends this.
  }
  EXPECT_EQ(bot.finish(), 0);
}

// Takes queries and never answers.
class silent_name_server {
 public:
  std::string address() const {
    return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
  }

  // Waits for a query, and forgets those that came with it.
  bool was_asked() {
    asked_ = false;
    socket_.async_receive(boost::asio::buffer(query_), [this](boost::system::error_code failure,
                                                              std::size_t) { asked_ = !failure; });
    io_.restart();
    io_.run_for(std::chrono::seconds(20));
    while (socket_.available() > 0) socket_.receive(boost::asio::buffer(query_));
    return asked_;
  }

 private:
  using udp = boost::asio::ip::udp;

  boost::asio::io_context io_;
  udp::socket socket_{io_, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  std::array<char, 512> query_;
  bool asked_ = false;
};

TEST(DeadNameServer, HoldsUpNeitherUnloadingNorReloading) {
  silent_name_server server;
  const bot_folder folder;
  folder.configure(R"({"metadata": {"deadline_ms": 0, "timeout_ms": 120000,
                                    "name_servers": [")" +
                   server.address() + R"("]}})");
  running_bot bot(folder);
  EXPECT_EQ(bot.say("!add https://vimeo.com/123"), "📺 Added to queue (#1): [vi] 123");
  EXPECT_TRUE(server.was_asked());
  EXPECT_THAT(bot.say("!plugin unload playlist"), HasSubstr("Unloaded"));
  EXPECT_THAT(bot.say("!plugin load playlist"), HasSubstr("Loaded"));
  bot.say("!add https://vimeo.com/124");
  EXPECT_TRUE(server.was_asked());
  EXPECT_THAT(bot.say("!plugin reload playlist"), HasSubstr("Reloaded"));
  EXPECT_EQ(bot.finish(), 0);
}

}  // namespace
}  // namespace rosey::tests
