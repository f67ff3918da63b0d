// The fuzzer's invariants, on its seeds and on mutations of them that are the same in every run.
#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

#include "fuzz/media_link_invariants.hpp"
#include "fuzz/media_link_seeds.hpp"

namespace rosey::playlist::testing {
namespace {

constexpr std::string_view pieces[] = {"/",
                                       ":",
                                       "://",
                                       "?",
                                       "#",
                                       "@",
                                       "%",
                                       "%2F",
                                       "%00",
                                       ";",
                                       ".",
                                       "..",
                                       "//",
                                       "\\",
                                       "[",
                                       "]",
                                       "&v=",
                                       "=",
                                       ".mp4",
                                       "https://",
                                       "yt:",
                                       "fi:",
                                       "\n",
                                       " ",
                                       "\xC3",
                                       "\xFF",
                                       "\xE2\x80\xAE",
                                       "ф",
                                       ":65536",
                                       "accounts/",
                                       "events",
                                       "http://",
                                       "youtube.com",
                                       "www.twitch.tv/"};

class mutator {
 public:
  explicit mutator(unsigned seed) : random_(seed) {}

  std::string operator()(std::string_view seed) {
    std::string text(seed);
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) change(text);
    return text;
  }

 private:
  // Not a std distribution: those may differ between standard libraries.
  std::size_t below(std::size_t bound) { return random_() % bound; }

  void change(std::string& text) {
    const std::size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.insert(at, pieces[below(std::size(pieces))]);
        break;
      case 1:
        text.erase(at, 1 + below(4));
        break;
      case 2:
        text.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 3: {
        const std::string_view other = media_link_seeds[below(media_link_seeds.size())];
        text = text.substr(0, at) + std::string(other.substr(below(other.size() + 1)));
        break;
      }
      default:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
    }
  }

  std::mt19937 random_;
};

TEST(media_link_invariants, hold_on_the_seeds) {
  for (const std::string_view seed : media_link_seeds)
    EXPECT_EQ(broken_invariant(seed), "") << seed;
}

TEST(media_link_invariants, hold_on_every_beginning_of_the_seeds) {
  for (const std::string_view seed : media_link_seeds) {
    for (std::size_t length = 0; length < seed.size(); ++length)
      EXPECT_EQ(broken_invariant(seed.substr(0, length)), "") << seed.substr(0, length);
  }
}

TEST(media_link_invariants, hold_on_mutations) {
  mutator mutate(20'240'229);
  for (int round = 0; round < 600; ++round) {
    for (const std::string_view seed : media_link_seeds) {
      const std::string text = mutate(seed);
      ASSERT_EQ(broken_invariant(text), "") << ::testing::PrintToString(text);
    }
  }
}

}  // namespace
}  // namespace rosey::playlist::testing
