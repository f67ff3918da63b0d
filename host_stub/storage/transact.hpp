// Transactions that are begun again when nothing but bad luck made them fail.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "host_stub/storage/session.hpp"

namespace rosey::storage {

// The more often a transaction lost, the more it gives way; by chance, so that rivals part.
inline void give_way(int attempt) {
  thread_local std::minstd_rand random(std::random_device{}());
  const int most = 500 << std::min(attempt, 6);
  std::this_thread::sleep_for(
      std::chrono::microseconds(std::uniform_int_distribution(0, most)(random)));
}

// Carries out `work` in a transaction, which it is given, and commits unless `work` took it back.
// After a conflict it does so again, for `patience` at most, and then fails as busy. After an
// interruption it does so once more, and again while there is patience (tables that change many
// times); not when that came during the commit, of which nobody knows then whether it happened.
template <class Work>
auto transact(session& in, access mode, std::chrono::milliseconds patience, Work work) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  bool was_interrupted = false;
  for (int attempt = 0;; ++attempt) {
    bool committing = false;
    try {
      transaction current(in, mode);
      auto outcome = work(current);
      committing = true;
      if (!current.done()) current.commit();
      return outcome;
    } catch (const sql_failure& failure) {
      if (failure.kind == sql_failure_kind::conflict) {
        if (std::chrono::steady_clock::now() >= deadline) {
          throw sql_failure(
              sql_failure_kind::busy,
              "The data is locked, or others change it all the time; try again later");
        }
      } else if (failure.kind == sql_failure_kind::interrupted && !committing &&
                 (!was_interrupted || std::chrono::steady_clock::now() < deadline)) {
        was_interrupted = true;
      } else {
        throw;
      }
    }
    give_way(attempt);
  }
}

}  // namespace rosey::storage
