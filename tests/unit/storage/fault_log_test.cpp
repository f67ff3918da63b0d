// What the operator reads of a database at fault, and how often.
#include "host_stub/storage/fault_log.hpp"

#include <gmock/gmock.h>

#include "storage/manual_clock.hpp"

namespace rosey::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class fault_log_test : public ::testing::Test {
 protected:
  void fail(const std::string& why) {
    EXPECT_EQ(faults_.failed(sql_failure(sql_failure_kind::broken, why)).message, why);
  }
  void pass(int seconds) { clock_.advance(std::chrono::seconds(seconds)); }
  std::vector<std::string> told() { return std::exchange(told_, {}); }

  manual_clock clock_;
  std::vector<std::string> told_;
  fault_log faults_{"written", [this] { return clock_.now(); },
                    [this](std::string text) { told_.push_back(std::move(text)); }};
};

TEST_F(fault_log_test, tells_of_a_fault_once_and_of_its_end) {
  faults_.worked();
  for (int i = 0; i < 100; ++i) fail("disk is full");
  EXPECT_THAT(told(), ElementsAre("The database cannot be written: disk is full"));
  pass(10);
  for (int i = 0; i < 100; ++i) faults_.worked();
  EXPECT_THAT(told(), ElementsAre("The database can be written again"));
  fail("disk is full");
  EXPECT_THAT(told(), ElementsAre("The database cannot be written: disk is full"));
}

TEST_F(fault_log_test, a_fault_that_meets_some_requests_only_is_one_fault) {
  for (int second = 0; second < 60; ++second, pass(1)) {
    fail("disk is full");
    faults_.worked();
  }
  EXPECT_THAT(told(), ElementsAre("The database cannot be written: disk is full"));
}

TEST_F(fault_log_test, reminds_of_one_that_lasts_each_minute) {
  for (int second = 0; second <= 120; ++second, pass(1)) fail("disk is full");
  EXPECT_EQ(told().size(), 3U);
}

TEST_F(fault_log_test, another_cause_is_told_but_not_all_the_time) {
  for (int second = 0; second < 20; ++second, pass(1)) {
    fail("connection lost");
    fail("cannot reach the server");
  }
  EXPECT_THAT(told(), ElementsAre("The database cannot be written: connection lost",
                                  "The database cannot be written: cannot reach the server"));
}

TEST_F(fault_log_test, being_busy_is_no_fault) {
  const auto refusal = faults_.failed(sql_failure(sql_failure_kind::busy, "database is locked"));
  EXPECT_EQ(refusal.code, db::codes::busy);
  EXPECT_THAT(told(), IsEmpty());
}

}  // namespace
}  // namespace rosey::storage
