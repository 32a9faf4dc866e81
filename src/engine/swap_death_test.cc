// A restore of several components dies before each step of its swaps: the next run leaves one whole
// site.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/restore_testing.h"

namespace oxbackup {
namespace {

using testing::IsEmpty;

constexpr char kOld[] = "before|before|before|before";
constexpr char kNew[] = "at first|at first|at first|at first";

class SwapDeathTest : public RestoreFixture {
 protected:
  SwapDeathTest() : archive_(BackUp({"a", "b"}, "archive")) {
    WriteAll("before");
    before_ = BackUp({"a", "b"}, "before");
  }

  // False: it came to its end.
  bool RestoreDyingAt(int step, bool keep_old = false) {
    RestoreFrom(before_, Targets());
    return DiesAt(step, [&](const BeforeStep& before_step) {
      RestoreFrom(archive_, SteppingTargets(before_step), keep_old);
    });
  }

  // Whether every component says that it holds this archive, and does.
  bool AllHold(const std::string& archive) {
    return HeldNow() ==
           std::vector<std::string>{"caddy=" + archive, "media=" + archive, "config=" + archive};
  }

  const std::string archive_;
  std::string before_;
};

TEST_F(SwapDeathTest, IsFinishedOrTakenBackByTheNextRun) {
  int finished = 0;
  int taken_back = 0;
  for (int step = 0; RestoreDyingAt(step); ++step) {
    SCOPED_TRACE(step);
    HeldNow();
    FinishAll();
    const std::string live = ReadAll();
    ASSERT_TRUE(live == kOld || live == kNew) << live;
    ASSERT_TRUE(AllHold(live == kNew ? archive_ : before_));
    (live == kNew ? finished : taken_back) += 1;
    // What was loaded before there was a record is the next restore's to remove.
    RestoreFrom(archive_, Targets());
    ASSERT_EQ(ReadAll(), kNew);
    ASSERT_THAT(LeftBehind(), IsEmpty());
  }
  EXPECT_GT(finished, 10);
  EXPECT_GT(taken_back, 3);
}

TEST_F(SwapDeathTest, IsUndoneWhereThereIsAWayBack) {
  int undone = 0;
  for (int step = 0; RestoreDyingAt(step); ++step) {
    SCOPED_TRACE(step);
    try {
      UndoAll(Targets());
      ASSERT_EQ(ReadAll(), kOld);
      ASSERT_TRUE(AllHold(before_));
      ++undone;
    } catch (const Error& error) {
      // Nothing was announced yet, or old data are gone already.
      ASSERT_EQ(error.kind(), ErrorKind::kNotFound);
      const std::string live = ReadAll();
      ASSERT_TRUE(live == kOld || live == kNew) << live;
    }
  }
  EXPECT_GT(undone, 10);
}

// Killed while it closes its records it is finished, and its old data are kept all the same.
TEST_F(SwapDeathTest, OfOneThatKeepsTheOldDataCanBeUndoneAfterwards) {
  for (int step = 0; RestoreDyingAt(step, /*keep_old=*/true); ++step) {
    SCOPED_TRACE(step);
    FinishAll();
    if (ReadAll() == kOld) continue;
    ASSERT_EQ(ReadAll(), kNew);
    ASSERT_TRUE(AllHold(archive_));
    UndoAll(Targets());
    ASSERT_EQ(ReadAll(), kOld);
    ASSERT_TRUE(AllHold(before_));
    ASSERT_THAT(LeftBehind(), IsEmpty());
  }
}

}  // namespace
}  // namespace oxbackup
