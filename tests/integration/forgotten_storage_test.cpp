// NATS may go on for minutes dealing requests to a connection of storage that is dead.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "integration/support/bot.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::tests {
namespace {

TEST(ForgottenStorage, CostsASecondAndNoCommand) {
  const bot_folder folder;
  folder.configure(R"({"metadata": "none", "max_items_per_user": 100, "rate_limit_count": 900})");
  running_bot bot(folder);
  // What NATS sees of a forgotten connection: members of the group that never answer.
  std::vector<host::subscription> dead;
  for (const char* subject : wire::subjects::storage_all) {
    auto opened = bot.bus().subscribe(subject, wire::subjects::storage_queue_group,
                                      [](const host::inbound_message&) {});
    ASSERT_TRUE(opened);
    dead.push_back(std::move(*opened));
  }
  ASSERT_TRUE(bot.bus().flush(patience));
  for (int number = 10; number < 16; ++number) {
    const std::string id = std::to_string(number);
    const std::string answer =
        bot.request(add_subject, R"({"channel":"#lobby","user":"ann","args":"yt:AAAAAAAAA)" + id +
                                     R"(","role":"user","id":")" + id + "\"}");
    EXPECT_NE(answer.find("\"success\":true"), std::string::npos) << answer;
    EXPECT_NE(bot.say("!queue").find("AAAAAAAAA" + id), std::string::npos);
  }
  EXPECT_EQ(bot.finish(), 0);
}

}  // namespace
}  // namespace rosey::tests
