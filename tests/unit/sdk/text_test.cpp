// Text is cut between characters, and is UTF-8 afterwards.
#include "rosey/sdk/text.hpp"

#include <gtest/gtest.h>

namespace rosey::sdk {
namespace {

std::string copied(std::string_view text, std::size_t room) {
  std::string to(room, '\0');
  to.resize(copy_text(text, to.data(), room));
  return to;
}

TEST(Text, IsCutBetweenCharacters) {
  EXPECT_EQ(copied("häuser", 20), "häuser");
  EXPECT_EQ(copied("häuser", 3), "hä");
  EXPECT_EQ(copied("häuser", 2), "h");
  EXPECT_EQ(copied("📺", 3), "");
  EXPECT_EQ(copied("", 0), "");
}

TEST(Text, IsValidAfterwards) {
  EXPECT_EQ(copied("a\xff", 10), "a\xEF\xBF\xBD");
  EXPECT_EQ(copied("a\xff", 3), "a") << "there is no room for the replacement";
  EXPECT_EQ(valid_text("\xff\xfe ü \xc3"), "\xEF\xBF\xBD\xEF\xBF\xBD ü \xEF\xBF\xBD");
  EXPECT_EQ(valid_text(""), "");
}

}  // namespace
}  // namespace rosey::sdk
