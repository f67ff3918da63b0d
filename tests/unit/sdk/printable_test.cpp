// The table of what is not shown, and the two ways to write the rest.
#include "rosey/wire/printable.hpp"

#include <gmock/gmock.h>

#include <iterator>
#include <set>

namespace rosey::wire {
namespace {

std::string utf8(char32_t c) {
  const auto byte = [](char32_t value) {
    return static_cast<char>(static_cast<unsigned char>(value));
  };
  const auto next = [&](int shift) { return byte(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xc0 | (c >> 6)), next(0)};
  if (c < 0x10000) return {byte(0xe0 | (c >> 12)), next(6), next(0)};
  return {byte(0xf0 | (c >> 18)), next(12), next(6), next(0)};
}

std::set<char32_t> hidden_characters() {
  std::set<char32_t> hidden;
  const auto add = [&hidden](char32_t first, char32_t last) {
    for (char32_t c = first; c <= last; ++c) hidden.insert(c);
  };
  add(0x00, 0x1f);
  add(0x7f, 0x9f);
  add(0x2028, 0x2029);
  add(0x202a, 0x202e);
  add(0x2066, 0x2069);
  add(0x200e, 0x200f);
  add(0x061c, 0x061c);
  return hidden;
}

TEST(Printable, HidesThoseOfTheTableAndNoOthers) {
  const std::set<char32_t> hidden = hidden_characters();
  for (char32_t c = 0; c <= 0x10ffff; ++c) {
    if (c >= 0xd800 && c <= 0xdfff) continue;
    const std::string character = utf8(c);
    ASSERT_EQ(code_point(character), c);
    const bool lines = printable_lines(character) == character;
    const bool line = escaped(character) == character;
    ASSERT_EQ(line, !hidden.contains(c)) << std::hex << static_cast<unsigned>(c);
    ASSERT_EQ(lines, line || c == '\n') << std::hex << static_cast<unsigned>(c);
  }
}

TEST(Printable, LinesStayLines) {
  EXPECT_EQ(printable_lines(""), "");
  EXPECT_EQ(printable_lines("one\ntwo\r\n"), "one\ntwo \n");
  EXPECT_EQ(printable_lines(std::string_view("a\0b\x1b[31m\x7f", 9)), "a b [31m ");
  EXPECT_EQ(printable_lines("a\u009b2Jb\u2028c\u202ed\u200fe"), "a 2Jb c de");
}

TEST(Printable, EscapesAreReadable) {
  EXPECT_EQ(escaped(""), "");
  EXPECT_EQ(escaped("one\ntwo\r\n\t"), "one\\ntwo\\r\\n\\t");
  EXPECT_EQ(escaped(std::string_view("\0\x1b\x7f", 3)), "\\x00\\x1b\\x7f");
  EXPECT_EQ(escaped("\u0085\u009b"), "\\x85\\x9b");
  EXPECT_EQ(escaped("\u2028\u202e\u061c"), "\\u{2028}\\u{202e}\\u{061c}");
  EXPECT_EQ(escaped("שלום 日本 👩\u200d🚀"), "שלום 日本 👩\u200d🚀");
}

TEST(Printable, BytesThatAreNoTextAreReplaced) {
  for (const char* bytes :
       {"\xff", "\xc3", "\x9b", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    EXPECT_TRUE(is_valid_utf8(printable_lines(bytes)));
    EXPECT_TRUE(is_valid_utf8(escaped(bytes)));
    EXPECT_THAT(escaped(bytes), testing::StartsWith("\uFFFD"));
    EXPECT_EQ(escaped(bytes), printable_lines(bytes));
  }
  EXPECT_EQ(escaped("a\xffz"), "a\uFFFDz");
}

TEST(CutUtf8, EndsBetweenCharacters) {
  const std::string text = "aé日👩z";  // 1, 2, 3, 4 and 1 bytes
  const std::size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (std::size_t most = 0; most < std::size(ends); ++most) {
    EXPECT_EQ(cut_utf8(text, most), text.substr(0, ends[most])) << most;
  }
  EXPECT_EQ(cut_utf8("", 0), "");
}

TEST(CutUtf8, TakesBytesThatAreNoTextAsTheyAre) {
  EXPECT_EQ(cut_utf8("\xff\xff\xff", 2), "\xff\xff");
  EXPECT_EQ(cut_utf8("\x80\x80\x80\x80\x80\x80", 5), "\x80\x80\x80\x80\x80");
  EXPECT_EQ(cut_utf8("\xe6\x97", 1), "\xe6");
}

}  // namespace
}  // namespace rosey::wire
