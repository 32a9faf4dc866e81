#include "mysql/key_ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace oxbackup::mysql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kGigabyte = uint64_t{1} << 30;

TEST(KeyRangesTest, ASmallTableIsOneRange) {
  EXPECT_THAT(IntegerBorders("1", "1000000", kRangeBytes), IsEmpty());
  EXPECT_THAT(IntegerBorders("5", "5", kGigabyte), IsEmpty());
}

TEST(KeyRangesTest, BordersAreMultiplesOfAPowerOfTwo) {
  EXPECT_THAT(IntegerBorders("1", "1000", 4 * kRangeBytes),
              ElementsAre("128", "256", "384", "512", "640", "768", "896"));
  EXPECT_THAT(IntegerBorders("-100", "100", 2 * kRangeBytes), ElementsAre("-64", "0", "64"));
}

TEST(KeyRangesTest, BordersStayWhileTheTableGrows) {
  const auto small = IntegerBorders("1", "1000000", kGigabyte);
  const auto large = IntegerBorders("1", "1100000", kGigabyte / 10 * 11);
  ASSERT_GT(large.size(), small.size());
  EXPECT_TRUE(std::equal(small.begin(), small.end(), large.begin()));
}

TEST(KeyRangesTest, TheWidestSpanOfKeysHasBordersToo) {
  const auto borders = IntegerBorders("-9223372036854775808", "9223372036854775807", kGigabyte);
  EXPECT_EQ(borders.size(), 15U);
  EXPECT_THAT(borders, testing::Contains("0"));
  EXPECT_EQ(IntegerBorders("0", "18446744073709551615", kGigabyte).size(), 15U);
}

TEST(KeyRangesTest, ConditionsTakeEveryRowOnce) {
  Table table;
  table.columns.resize(1);
  table.columns[0].name = "a`b";
  table.key = {0};
  EXPECT_THAT(RangeConditions(table, {}), ElementsAre(""));
  EXPECT_THAT(RangeConditions(table, {"8", "16"}),
              ElementsAre("`a``b` < 8", "`a``b` >= 8 AND `a``b` < 16", "`a``b` >= 16"));
}

}  // namespace
}  // namespace oxbackup::mysql
