// The fuzzers' rules for all that reads what comes from outside, on good inputs, on every beginning
// of those, and on mutations that are the same in every run.
#include "fuzz/readers.hpp"

#include <gtest/gtest.h>

#include <string>

#include "fuzz/mutator.hpp"

namespace rosey::tests {
namespace {

class Readers : public testing::TestWithParam<const reader_under_test*> {
 protected:
  const reader_under_test& reader_ = *GetParam();
};

TEST_P(Readers, KeepTheirRulesOnGoodInputsAndTheirBeginnings) {
  for (const std::string& seed : reader_.seeds()) {
    EXPECT_EQ(reader_.broken(seed), "") << seed;
    for (std::size_t length = 0; length < seed.size(); length += 7) {
      ASSERT_EQ(reader_.broken(seed.substr(0, length)), "") << seed.substr(0, length);
    }
  }
}

TEST_P(Readers, KeepTheirRulesOnMutations) {
  const auto seeds = reader_.seeds();
  mutator mutate(20'240'229);
  for (int round = 0; round < 800; ++round) {
    const std::string& seed = seeds[mutate.below(seeds.size())];
    const std::string text = mutate(seed, seeds[mutate.below(seeds.size())]);
    ASSERT_EQ(reader_.broken(text), "") << testing::PrintToString(text);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Readers,
                         testing::Values(&wire_reader, &config_reader, &migration_reader,
                                         &import_reader),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace
}  // namespace rosey::tests
