// Warnings that many requests give at once: how often they are written.
#include "rosey/sdk/logger.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace rosey::sdk {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Logger : public testing::Test {
 protected:
  void pass(int seconds) { now_ += std::chrono::seconds(seconds); }
  std::vector<std::string> lines() { return std::exchange(lines_, {}); }

  std::chrono::steady_clock::time_point now_{};
  std::vector<std::string> lines_;
  const logger log_{[this](log_level level, std::string_view text) {
                      const char* const name = level == log_level::warning ? "warning: " : "info: ";
                      lines_.push_back(name + std::string(text));
                    },
                    [this] { return now_; }};
};

TEST_F(Logger, WritesTheFirstFaultAndThenOneAMinuteWithACount) {
  for (int number = 0; number < 100; ++number)
    log_.fault("storage", "no " + std::to_string(number));
  EXPECT_THAT(lines(), ElementsAre("warning: no 0"));
  pass(59);
  log_.fault("storage", "no answer");
  EXPECT_THAT(lines(), IsEmpty());
  pass(1);
  log_.fault("storage", "no answer");
  EXPECT_THAT(lines(), ElementsAre("warning: no answer (the last of 101 since the line before of "
                                   "this kind)"));
  pass(60);
  log_.fault("storage", "no answer");
  EXPECT_THAT(lines(),
              ElementsAre("warning: no answer (the last of 1 since the line before of this kind)"));
}

TEST_F(Logger, WritesOnceThatItIsOver) {
  log_.settled("storage", "it answers again");
  for (int number = 0; number < 7; ++number) log_.fault("storage", "no answer");
  static_cast<void>(lines());
  pass(9);
  log_.settled("storage", "it answers again");  // too early: faults come and go
  EXPECT_THAT(lines(), IsEmpty());
  pass(1);
  for (int number = 0; number < 3; ++number) log_.settled("storage", "it answers again");
  EXPECT_THAT(lines(), ElementsAre("info: it answers again (after 7 faults)"));
  log_.fault("storage", "no answer");
  EXPECT_THAT(lines(), ElementsAre("warning: no answer"));
}

TEST_F(Logger, KeepsKindsApartAndCopiesTogether) {
  const logger copy = log_;
  log_.fault("storage", "no answer");
  copy.fault("storage", "no answer");
  copy.fault("site", "away");
  EXPECT_THAT(lines(), ElementsAre("warning: no answer", "warning: away"));
  pass(10);
  copy.settled("storage", "it answers again");
  EXPECT_THAT(lines(), ElementsAre("info: it answers again (after 2 faults)"));
  logger().fault("storage", "nobody listens");
  logger().settled("storage", "nobody listens");
}

}  // namespace
}  // namespace rosey::sdk
