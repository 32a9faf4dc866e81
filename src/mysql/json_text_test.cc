#include "mysql/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oxbackup::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

std::string LiteralIn(const std::string& number) {
  const JsonContent content = ReadJsonText("[" + number + "]");
  return content.numbers.empty() ? "" : content.numbers[0].literal;
}

TEST(JsonTextTest, NumbersThatComeBackFromTheTextAreLeftToIt) {
  for (const char* const number :
       {"0", "-1", "9223372036854775807", "18446744073709551615", "-9223372036854775808", "0.0",
        "-0.0", "1.5", "100.0", "0.1", "-123456.789", "0.000000000000001", "123456789012345.0",
        "1e22", "2.5e-10", "5.5e20"}) {
    EXPECT_EQ(LiteralIn(number), "") << number;
  }
}

TEST(JsonTextTest, ADecimalIsKnownByHowItIsWritten) {
  for (const char* const number :
       {"1.23456789012345678901234567890",  // more digits than a double has
        "1.10", "0.00", "-5.250",           // a double has no such zeros
        "0.10000000000000001",              // a double prints 0.1
        "18446744073709551616",             // no integer's
        "-9223372036854775809", "1234567890123456.0",
        "0.00000000000000001",  // a double has an exponent there
        "99999999999999999999999999999999999.5"}) {
    EXPECT_EQ(LiteralIn(number), number);
  }
}

TEST(JsonTextTest, DoublesThatTheServersReaderMayMissAreGivenAsSuch) {
  EXPECT_EQ(LiteralIn("0.30000000000000004"), "0.30000000000000004e0");
  EXPECT_EQ(LiteralIn("-1.7976931348623157e308"), "-1.7976931348623157e308");
  EXPECT_EQ(LiteralIn("1.5e300"), "1.5e300");
  EXPECT_EQ(LiteralIn("1234567890123456.5"), "1234567890123456.5e0");
  EXPECT_EQ(LiteralIn("5e-324"), "5e-324");
}

TEST(JsonTextTest, PathsLeadToTheNumbers) {
  const JsonContent content =
      ReadJsonText(R"({"a": [1, 2.50, {"b \"x\" .": {"": [[], 7.70]}}], "c": 1.5, "d": 8.80})");
  EXPECT_THAT(content.numbers,
              ElementsAre(Field(&JsonNumber::path, R"($."a"[1])"),
                          Field(&JsonNumber::path, R"($."a"[2]."b \"x\" .".""[1])"),
                          Field(&JsonNumber::path, R"($."d")")));
  const JsonContent scalar = ReadJsonText("1.10");
  EXPECT_THAT(scalar.numbers, ElementsAre(Field(&JsonNumber::path, "$")));
}

TEST(JsonTextTest, StringsAreCountedWithoutKeys) {
  EXPECT_EQ(ReadJsonText(R"({"a": "b", "c": ["d", "", "e: \"f\", 1.10"], "g": null})").strings, 4U);
  EXPECT_EQ(ReadJsonText(R"("1.10")").strings, 1U);
  EXPECT_EQ(ReadJsonText("[true, false, null, 1]").strings, 0U);
  EXPECT_THAT(ReadJsonText(R"(["1.10", "\\", "1.10\"", {"1.10": 1}])").numbers, IsEmpty());
}

}  // namespace
}  // namespace oxbackup::mysql
