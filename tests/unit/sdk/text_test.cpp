// Text is cut between characters, and is UTF-8 afterwards.
#include "rosey/sdk/text.hpp"

#include <gtest/gtest.h>

#include "rosey/sdk/plugin.hpp"

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

TEST(Text, OfAnExceptionFitsIntoAnErrorAsText) {
  rosey_error error{};
  const rosey_status status = detail::guarded(&error, []() -> rosey_status {
    std::string text = "x\xff";
    for (int count = 0; count < 300; ++count) text += "ä";
    throw std::runtime_error(text);
  });
  EXPECT_EQ(status, ROSEY_FAILED);
  EXPECT_TRUE(wire::is_valid_utf8(error.text));
  EXPECT_EQ(std::string_view(error.text).size(), 510u) << "two bytes do not fit into the last one";
}

}  // namespace
}  // namespace rosey::sdk
