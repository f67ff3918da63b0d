// Timestamps: what is accepted, and the two forms in which they are written.
#include "host_stub/storage/timestamp.hpp"

#include <gtest/gtest.h>

namespace rosey::storage {
namespace {

std::string stored(std::string_view text) {
  const auto time = parse_timestamp(text);
  return time ? stored_form(*time) : "refused";
}

TEST(timestamp, accepts_iso_8601_and_the_database_form) {
  EXPECT_EQ(stored("2024-05-01T12:00:00Z"), "2024-05-01 12:00:00");
  EXPECT_EQ(stored("2024-05-01 12:00:00"), "2024-05-01 12:00:00");
  EXPECT_EQ(stored("2024-05-01t12:00:00z"), "2024-05-01 12:00:00");
  EXPECT_EQ(stored("2024-02-29T23:59:59"), "2024-02-29 23:59:59");
}

TEST(timestamp, converts_offsets_to_utc) {
  EXPECT_EQ(stored("2024-05-01T01:30:00+02:00"), "2024-04-30 23:30:00");
  EXPECT_EQ(stored("2024-05-01T01:30:00-0530"), "2024-05-01 07:00:00");
  EXPECT_EQ(stored("2024-05-01T01:30:00+02"), "2024-04-30 23:30:00");
  EXPECT_EQ(stored("2024-05-01T01:30:00+23:59"), "2024-04-30 01:31:00");
}

TEST(timestamp, cuts_fractions_to_milliseconds_and_drops_zero_ones) {
  EXPECT_EQ(stored("2024-05-01T12:00:00.5Z"), "2024-05-01 12:00:00.500");
  EXPECT_EQ(stored("2024-05-01T12:00:00.123456789Z"), "2024-05-01 12:00:00.123");
  EXPECT_EQ(stored("2024-05-01T12:00:00.000Z"), "2024-05-01 12:00:00");
}

TEST(timestamp, refuses_everything_else) {
  for (const char* text : {"",
                           "now",
                           "2024-05-01",
                           "2024-05-01T12:00",
                           "2024-13-01T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "2024-05-01T24:00:00Z",
                           "2024-05-01T12:60:00Z",
                           "2024-05-01T12:00:60Z",
                           "2024-05-01T12:00:00.Z",
                           "2024-05-01T12:00:00 Z",
                           "2024-05-01T12:00:00Zx",
                           "2024-05-01T12:00:00+",
                           "2024-05-01T12:00:00+24:00",
                           "2024-05-01T12:00:00-24:00",
                           "2024-05-01T12:00:00+23:60",
                           "2024-05-01T12:00:00+99:99",
                           "24-05-01T12:00:00Z",
                           "0000-01-01T00:00:00Z",
                           "0001-01-01T00:00:00+01:00"}) {
    EXPECT_EQ(stored(text), "refused") << text;
  }
}

TEST(timestamp, takes_seconds_since_1970) {
  EXPECT_EQ(iso_form(*timestamp_from_seconds(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(iso_form(*timestamp_from_seconds(-1)), "1969-12-31T23:59:59Z");
  EXPECT_EQ(iso_form(*timestamp_from_seconds(1'700'000'000)), "2023-11-14T22:13:20Z");
  EXPECT_FALSE(timestamp_from_seconds(1'700'000'000'000));  // milliseconds by mistake
}

TEST(timestamp, stored_forms_sort_like_times) {
  EXPECT_LT(stored("2024-05-01T12:00:00Z"), stored("2024-05-01T12:00:00.001Z"));
  EXPECT_LT(stored("2024-05-01T12:00:00.999Z"), stored("2024-05-01T12:00:01Z"));
}

}  // namespace
}  // namespace rosey::storage
