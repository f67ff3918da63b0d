// Durations, bars and titles as chat shows them, and UTF-8 as the standard has it.
#include "playlist_plugin/domain/text.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace rosey::playlist {
namespace {

constexpr auto largest = std::numeric_limits<std::int64_t>::max();
constexpr auto smallest = std::numeric_limits<std::int64_t>::min();

TEST(text, format_duration) {
  EXPECT_EQ(format_duration(225), "3:45");
  EXPECT_EQ(format_duration(3723), "1:02:03");
  EXPECT_EQ(format_duration(7), "0:07");
  EXPECT_EQ(format_duration(59), "0:59");
  EXPECT_EQ(format_duration(60), "1:00");
  EXPECT_EQ(format_duration(3599), "59:59");
  EXPECT_EQ(format_duration(3600), "1:00:00");
  EXPECT_EQ(format_duration(360'000), "100:00:00");
  EXPECT_EQ(format_duration(0), "??:??");
  EXPECT_EQ(format_duration(-1), "??:??");
  EXPECT_EQ(format_duration(smallest), "??:??");
  EXPECT_EQ(format_duration(largest), "2562047788015215:30:07");
}

TEST(text, format_total) {
  EXPECT_EQ(format_total(5100), "1h 25m");
  EXPECT_EQ(format_total(1500), "25m");
  EXPECT_EQ(format_total(3600), "1h 0m");
  EXPECT_EQ(format_total(3599), "59m");
  EXPECT_EQ(format_total(59), "0m");
  EXPECT_EQ(format_total(0), "0m");
  EXPECT_EQ(format_total(-5100), "0m");
}

TEST(text, progress_bar_moves_its_knob) {
  EXPECT_EQ(progress_bar(30, 100, 10), "▬▬▬🔘▬▬▬▬▬▬");
  EXPECT_EQ(progress_bar(0, 100, 4), "🔘▬▬▬");
  EXPECT_EQ(progress_bar(99, 100, 4), "▬▬▬🔘");
  EXPECT_EQ(progress_bar(50, 100, 1), "🔘");
}

TEST(text, progress_bar_keeps_its_knob_inside) {
  EXPECT_EQ(progress_bar(100, 100, 4), "▬▬▬🔘");
  EXPECT_EQ(progress_bar(1000, 100, 4), "▬▬▬🔘");
  EXPECT_EQ(progress_bar(-5, 100, 4), "🔘▬▬▬");
  EXPECT_EQ(progress_bar(5, 0, 4), "🔘▬▬▬");
  EXPECT_EQ(progress_bar(5, -1, 4), "🔘▬▬▬");
  EXPECT_EQ(progress_bar(largest, largest, 4), "▬▬▬🔘");
  EXPECT_EQ(progress_bar(5, 10, 0), "");
  EXPECT_EQ(progress_bar(5, 10, -3), "");
}

TEST(text, truncate_utf8_counts_characters) {
  EXPECT_EQ(truncate_utf8("hello", 5), "hello");
  EXPECT_EQ(truncate_utf8("hello", 4), "hel…");
  EXPECT_EQ(truncate_utf8("hello", 1), "…");
  EXPECT_EQ(truncate_utf8("hello", 0), "");
  EXPECT_EQ(truncate_utf8("", 0), "");
  EXPECT_EQ(truncate_utf8("", 3), "");
  EXPECT_EQ(truncate_utf8("größer", 6), "größer");
  EXPECT_EQ(truncate_utf8("größer", 4), "grö…");
  EXPECT_EQ(truncate_utf8("🔘🔘🔘", 2), "🔘…");
  EXPECT_EQ(truncate_utf8("🔘🔘🔘", 3), "🔘🔘🔘");
}

TEST(text, truncate_utf8_stops_before_what_is_invalid) {
  EXPECT_EQ(truncate_utf8("ab\xFF"
                          "cd",
                          10),
            "ab…");
  EXPECT_EQ(truncate_utf8("ab\xF0\x9F", 10), "ab…");
  EXPECT_EQ(truncate_utf8("abcdef\xFF", 3), "ab…");
}

TEST(text, printable_is_one_trimmed_line) {
  EXPECT_EQ(printable("a title"), "a title");
  EXPECT_EQ(printable("  a \t title\r\n"), "a title");
  EXPECT_EQ(printable("one\ntwo\n\n\nthree"), "one two three");
  EXPECT_EQ(printable(std::string_view("a\0b\x1B[31mc\x7F", 11)), "a b [31mc");
  EXPECT_EQ(printable("a\u0085b\u009Bc"), "a b c");     // C1
  EXPECT_EQ(printable("a\u2028b\u2029c"), "a b c");     // line and paragraph separators
  EXPECT_EQ(printable("a\u202Egpj.exe"), "a gpj.exe");  // right-to-left override
  EXPECT_EQ(printable("a\u2066b\u2069"), "a b");        // isolates
  EXPECT_EQ(printable("a\u200E\u200Fb\u061C"), "ab");   // marks of direction
  EXPECT_EQ(printable("שלום 日本 🔘"), "שלום 日本 🔘");
  EXPECT_EQ(printable(" \n "), "");
  EXPECT_EQ(printable(""), "");
}

TEST(text, printable_replaces_each_run_of_invalid_bytes) {
  EXPECT_EQ(printable("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(printable("a\xFF\xFE\xFFz\x80"), "a\uFFFDz\uFFFD");
  EXPECT_EQ(printable("\xC3("), "\uFFFD(");
  EXPECT_EQ(printable("\xF0\x9F\x94"), "\uFFFD");  // cut short
  EXPECT_EQ(printable("\xED\xA0\x80"), "\uFFFD");  // a surrogate
  EXPECT_EQ(printable("\xF0\x9F \xE2\x82"), "\uFFFD \uFFFD");
}

TEST(text, is_valid_utf8) {
  const std::vector<std::string_view> valid{"",
                                            "abc",
                                            std::string_view("\0", 1),
                                            "\x7F",
                                            "\u0080",
                                            "\u07FF",
                                            "\u0800",
                                            "\uFFFF",
                                            "\uD7FF",
                                            "\uE000",
                                            "\U00010000",
                                            "\U0010FFFF",
                                            "größer 日本 🔘"};
  for (const std::string_view text : valid) EXPECT_TRUE(is_valid_utf8(text)) << text;

  const std::vector<std::string_view> invalid{
      "\x80",              // continuation without a beginning
      "\xC0\x80",          // overlong NUL
      "\xC1\xBF",          // overlong
      "\xE0\x9F\xBF",      // overlong
      "\xF0\x8F\xBF\xBF",  // overlong
      "\xED\xA0\x80",      // first surrogate
      "\xED\xBF\xBF",      // last surrogate
      "\xF4\x90\x80\x80",  // above U+10FFFF
      "\xF5\x80\x80\x80",
      "\xFF",
      "\xC3",
      "\xE2\x82",
      "\xF0\x9F\x94",
      "a\xC3z",
      "\xE2\x28\xA1",
  };
  for (const std::string_view text : invalid) EXPECT_FALSE(is_valid_utf8(text)) << text;
}

}  // namespace
}  // namespace rosey::playlist
