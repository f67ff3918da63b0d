// libFuzzer entry: the reader FUZZED keeps its rules on any bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/mutator.hpp"
#include "fuzz/readers.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const std::string broken = rosey::tests::FUZZED.broken(input); !broken.empty()) {
    std::fprintf(stderr, "broken: %s\n", broken.c_str());
    std::abort();
  }
  return 0;
}

// Now and then a fresh mutation of a good input, which keeps its form; else libFuzzer's own way.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned int seed) {
  static const std::vector<std::string> seeds = rosey::tests::FUZZED.seeds();
  rosey::tests::mutator mutate(seed);
  if (mutate.below(8) != 0) return LLVMFuzzerMutate(data, size, most);
  const std::string& good = seeds[mutate.below(seeds.size())];
  const std::string changed = mutate(good, seeds[mutate.below(seeds.size())]);
  const std::size_t kept = std::min(changed.size(), most);
  std::copy_n(changed.begin(), kept, data);
  return kept;
}
