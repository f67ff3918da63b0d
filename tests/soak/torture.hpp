// What the tortures share: a crowd that is served again, and whose answers are true.
#pragma once

#include <gtest/gtest.h>

#include <chrono>

#include "soak/cluster.hpp"
#include "soak/people.hpp"
#include "soak/trials.hpp"

namespace rosey::tests {

// No limit of the playlist is in the way.
inline constexpr char roomy[] = R"({"rate_limit_count": 900, "rate_limit_seconds": 1,
    "max_items_per_user": 900, "max_queue_size": 900})";

// A dead peer is to be found within 15 s; then the connection is made anew.
inline constexpr std::chrono::seconds most_heal{30};

// Seconds from `since` until everybody was served again.
inline double seconds_to_heal(cluster& all, const people& crowd,
                              std::chrono::steady_clock::time_point since) {
  const auto passed = [&] { return std::chrono::steady_clock::now() - since; };
  while (!crowd.served_since(since) && passed() < most_heal)
    all.drain(std::chrono::milliseconds(1));
  EXPECT_TRUE(crowd.served_since(since)) << "not everybody is served again\n" << all.logs();
  return std::chrono::duration<double>(passed()).count();
}

// Pauses the crowd, and compares what it was answered with what is stored.
inline void check(cluster& all, people& crowd, findings& found) {
  crowd.pause();
  EXPECT_EQ(all.ended_by_itself(), "");
  const answer_model::verdict verdict = crowd.model().compare(all.database());
  EXPECT_EQ(verdict.what, "");
  EXPECT_EQ(crowd.gave_up(), 0u);
  EXPECT_EQ(crowd.strange(), "");
  found.losses = verdict.losses;
  found.doubles = verdict.doubles;
  found.commands = crowd.commands();
  found.silent = crowd.gave_up();
}

}  // namespace rosey::tests
