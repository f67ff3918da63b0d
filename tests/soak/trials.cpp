#include "soak/trials.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace rosey::tests {
namespace {

long from_environment(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text && *text ? std::strtol(text, nullptr, 10) : otherwise;
}

std::string seconds(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

}  // namespace

trials::trials(int short_form)
    : least_(static_cast<int>(from_environment(
          "ROSEY_SOAK_TRIALS", from_environment("ROSEY_SOAK_SECONDS", 0) > 0 ? 1 : short_form))),
      seed_(static_cast<unsigned>(from_environment("ROSEY_SOAK_SEED", 1))),
      most_(from_environment("ROSEY_SOAK_SECONDS", 0)),
      random_(seed_) {}

bool trials::another() {
  const bool more = made_ < least_ || std::chrono::steady_clock::now() - began_ < most_;
  made_ += more;
  return more;
}

void report(const std::string& program, const trials& made, const findings& found) {
  std::vector<double> heals = found.heal_seconds;
  std::sort(heals.begin(), heals.end());
  const std::string median = heals.empty() ? "-" : seconds(heals[heals.size() / 2]);
  const std::string worst = heals.empty() ? "-" : seconds(heals.back());
  std::cout << program << ", seed " << made.seed() << ": " << made.made() << " trials, "
            << found.commands << " commands, " << found.losses << " lost, " << found.doubles
            << " doubled, " << found.silent << " without an answer; healed in " << median
            << " s (median), " << worst << " s (worst)\n";
  if (const char* table = std::getenv("ROSEY_SOAK_TABLE")) {
    std::ofstream(table, std::ios::app)
        << program << '\t' << made.made() << '\t' << found.commands << '\t' << found.losses << '\t'
        << found.doubles << '\t' << found.silent << '\t' << median << '\t' << worst << '\n';
  }
}

}  // namespace rosey::tests
