// Of many channels those used last are kept, and those that must not go.
#include "playlist_plugin/service/channel_cache.hpp"

#include <gtest/gtest.h>

namespace rosey::playlist {
namespace {

struct something {
  bool is_needed = false;
};

class a_channel_cache : public ::testing::Test {
 protected:
  void use(int first, int count, bool is_needed = false) {
    for (int number = first; number < first + count; ++number) {
      cache.use(std::to_string(number))->is_needed = is_needed;
    }
  }
  bool has(int number) const { return cache.find(std::to_string(number)) != nullptr; }

  channel_cache<something> cache{16, [] { return std::make_shared<something>(); },
                                 [](const something& kept) { return kept.is_needed; }};
};

TEST_F(a_channel_cache, gives_the_same_for_the_same_channel) {
  const auto made = cache.use("#lobby");
  EXPECT_EQ(cache.use("#lobby"), made);
  EXPECT_EQ(cache.find("#lobby"), made.get());
  EXPECT_EQ(cache.find("#other"), nullptr);
  EXPECT_EQ(cache.size(), 1u);
}

TEST_F(a_channel_cache, keeps_those_used_last) {
  use(0, 16);
  use(0, 1);
  use(16, 1);
  EXPECT_TRUE(has(0));
  EXPECT_FALSE(has(1));
  EXPECT_FALSE(has(2));
  EXPECT_TRUE(has(3));
  use(17, 1000);
  EXPECT_LE(cache.size(), 16u);
}

TEST_F(a_channel_cache, keeps_what_somebody_holds) {
  const auto held = cache.use("held");
  use(0, 100);
  EXPECT_EQ(cache.find("held"), held.get());
}

TEST_F(a_channel_cache, keeps_what_is_needed_but_not_without_end) {
  use(0, 1, true);
  use(1, 40);
  EXPECT_TRUE(has(0));
  use(100, 1000, true);
  EXPECT_FALSE(has(0));
  EXPECT_LE(cache.size(), 4 * 16u);
}

}  // namespace
}  // namespace rosey::playlist
