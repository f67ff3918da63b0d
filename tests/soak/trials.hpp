// How long a soak program runs, from which seed, and the row that it leaves in the table.
#pragma once

#include <chrono>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace rosey::tests {

// A short form with a fixed number of trials; or as long as ROSEY_SOAK_SECONDS says, and at least
// ROSEY_SOAK_TRIALS. From the seed ROSEY_SOAK_SEED, or always the same one.
class trials {
 public:
  explicit trials(int short_form);

  // True until enough were made; counts.
  bool another();
  int made() const { return made_; }
  unsigned seed() const { return seed_; }

  // The same in every run from the same seed.
  std::mt19937& random() { return random_; }
  int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  bool one_in(int many) { return below(many) == 0; }

 private:
  const int least_;
  const unsigned seed_;
  const std::chrono::seconds most_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::mt19937 random_;
  int made_ = 0;
};

// What a program has found.
struct findings {
  std::size_t commands = 0;  // or messages
  std::size_t losses = 0;    // effects that were acknowledged and are not there
  std::size_t doubles = 0;   // effects that are there twice, or that were refused
  std::size_t silent = 0;    // requests without an answer
  std::vector<double> heal_seconds;
};

// Prints the row, and appends it to the file ROSEY_SOAK_TABLE if that is set.
void report(const std::string& program, const trials& made, const findings& found);

}  // namespace rosey::tests
