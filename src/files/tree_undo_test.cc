// An undo of kept data beside what a later restore was killed while loading.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "files/tree.h"
#include "files/tree_testing.h"

namespace oxbackup::files {
namespace {

namespace fs = std::filesystem;

// A restore with kept old data has brought "added" to where nothing was, and has replaced "both".
class TreeUndoTest : public testing::Test {
 protected:
  TreeUndoTest() {
    WriteTestFile(live_ / "both", "old");
    WriteTestFile(source_ / "both", "first");
    WriteTestFile(source_ / "added", "first");
    const auto target = Target();
    Load(*target);
    target->WriteIntent(kIntent);
    target->Swap();
    target->CloseSwap(true);
    WriteTestFile(source_ / "both", "second");
    WriteTestFile(source_ / "added", "second");
  }

  std::unique_ptr<RestoreTarget> Target() {
    return MakeTreeTarget("media", "data/media", {{"", live_}}, {.threads = 1, .before_step = {}},
                          test_.run);
  }

  void Load(RestoreTarget& target) {
    MemberListReader reader(MembersOf(source_, "data/media"), nullptr);
    target.Load(reader);
  }

  void ExpectOld() {
    EXPECT_EQ(ReadTestFile(live_ / "both"), "old");
    EXPECT_FALSE(fs::exists(live_ / "added"));
    EXPECT_FALSE(fs::exists(live_ / ".openedx-backup"));
  }

  const SwapIntent kIntent{"run 1", "archive", "2026-11-22T20:48:20Z", {"media"}, true};
  TestRun test_;
  TemporaryFolder folder_;
  const fs::path live_ = folder_.path() / "media";
  const fs::path source_ = folder_.path() / "source";
};

TEST_F(TreeUndoTest, WhatAKilledLoadLeftDoesNotBecomeLive) {
  Load(*Target());
  Target()->UndoSwap("");
  ExpectOld();
}

TEST_F(TreeUndoTest, WhatAKilledLoadLeftIsGoneBeforeTheUndoIsMarkedAsBegun) {
  Load(*Target());
  Target()->PrepareUndo(kIntent, /*begun=*/true);
  Target()->UndoSwap("run 1");
  ExpectOld();
}

TEST_F(TreeUndoTest, ALoadThatIsAtWorkIsLeftAlone) {
  const auto loading = Target();
  Load(*loading);
  EXPECT_THROW(Target()->UndoSwap(""), Error);
  EXPECT_EQ(ReadTestFile(live_ / ".openedx-backup" / "new" / "added"), "second");
}

}  // namespace
}  // namespace oxbackup::files
