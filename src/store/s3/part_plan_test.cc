#include "store/s3/part_plan.h"

#include <gtest/gtest.h>

namespace oxbackup::s3 {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr uint64_t kTiB = uint64_t{1} << 40;

class PartPlanTest : public testing::TestWithParam<uint64_t> {};

TEST_P(PartPlanTest, TheLargestObjectFits) {
  const PartPlan plan(GetParam());
  uint64_t total = 0;
  for (int number = 1; number <= PartPlan::kMaxParts; ++number) total += plan.PartBytes(number);
  EXPECT_GE(total, 5 * kTiB);
}

TEST_P(PartPlanTest, EveryPartIsWithinTheLimitsAndNoneShrinks) {
  const PartPlan plan(GetParam());
  uint64_t last = 0;
  for (int number = 1; number <= PartPlan::kMaxParts; ++number) {
    const uint64_t size = plan.PartBytes(number);
    EXPECT_GE(size, 5 * kMiB);
    EXPECT_LE(size, 5 * kGiB);
    EXPECT_GE(size, last);
    last = size;
  }
}

INSTANTIATE_TEST_SUITE_P(Budgets, PartPlanTest,
                         testing::Values(64 * kMiB, 256 * kMiB, kGiB, 16 * kGiB));

TEST(PartPlan, TwoPartsFitIntoTheWindowUpTo120GB) {
  const PartPlan plan(256 * kMiB);
  EXPECT_EQ(plan.window_bytes(), 64 * kMiB);
  uint64_t total = 0;
  int number = 1;
  for (; 2 * plan.PartBytes(number) <= plan.window_bytes(); ++number) {
    total += plan.PartBytes(number);
  }
  EXPECT_GE(total, 120'000'000'000u);
}

// A part is in memory as a whole.
TEST(PartPlan, PartsOfLargeArchivesStayAsSmallAsTheyCan) {
  const PartPlan plan(256 * kMiB);
  uint64_t total = 0;
  for (int number = 1; number <= PartPlan::kMaxParts; ++number) {
    const uint64_t size = plan.PartBytes(number);
    if (total < 150 * kGiB) {
      EXPECT_LE(size, 72 * kMiB);
    }
    if (total < 300 * kGiB) {
      EXPECT_LE(size, 256 * kMiB);
    }
    if (total < kTiB) {
      EXPECT_LE(size, kGiB);
    }
    total += size;
  }
}

TEST(PartPlan, EqualPartsAreAsLargeAsTwoFitIntoTheWindow) {
  const PartPlan plan(256 * kMiB, true);
  EXPECT_EQ(plan.PartBytes(1), 32 * kMiB);
  EXPECT_EQ(plan.PartBytes(PartPlan::kMaxParts), 32 * kMiB);
  EXPECT_EQ(plan.TotalBytes(), 10'000 * 32 * kMiB);
  EXPECT_EQ(PartPlan(kMiB, true).PartBytes(1), PartPlan::kFirstPartBytes);
}

TEST(PartPlan, BeginsSmall) { EXPECT_EQ(PartPlan(64 * kMiB).PartBytes(1), 8 * kMiB); }

}  // namespace
}  // namespace oxbackup::s3
