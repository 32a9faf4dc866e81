// Old data that a finished swap has kept: until they are dropped an undo brings them back, whatever
// other restores do meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "swap_testing.h"

namespace oxbackup::mysql {
namespace {

using ::testing::HasSubstr;

class KeptSwapData : public SwapTest {};

INSTANTIATE_TEST_SUITE_P(Servers, KeptSwapData, testing::Values(Flavour::kMySql, Flavour::kMariaDb),
                         FlavourName);

TEST_P(KeptSwapData, TheNextRestoreTakesThePlaceOfKeptOldData) {
  RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
  session_.Execute("USE load_swap");
  session_.Execute("CREATE TABLE since (a INT)");
  const Texts since = Describe(session_, kSwapSite);
  RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
  ExpectState(new_, "after the second restore");
  MakeTarget(-1)->UndoSwap("");
  ExpectState(since, "after its undo");
  ExpectOnlyTheNoteLeft("after its undo");
}

TEST_P(KeptSwapData, UndoRemovesWhatCameAfterTheRestore) {
  RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
  session_.Execute("USE load_swap");
  session_.Execute("CREATE TABLE since (a INT)");
  session_.Execute("CREATE VIEW since_view AS SELECT a FROM since");
  BackToOld();
}

TEST_P(KeptSwapData, KeptOldDataCanBeDroppedAndADropThatWasKilledIsFinished) {
  for (int step = 0;; ++step) {
    RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
    const auto killed = Run([&] { MakeTarget(step)->DropKept(); });
    const auto next = MakeTarget(-1);
    if (const std::optional<OpenSwap> open = next->FindOpenSwap()) {
      EXPECT_EQ(open->stage, OpenSwap::Stage::kClosing);
      next->CompleteSwap();
      next->CloseSwap(true);
    } else if (step == 0) {
      ASSERT_TRUE(next->FindKeptSwap()) << "killed before its first step";
      next->DropKept();
    }
    ExpectState(new_, killed.value_or("dropped"));
    ExpectOnlyTheNoteLeft(killed.value_or("dropped"));
    if (!killed) return;
  }
}

TEST_P(KeptSwapData, KeptOldDataCountAsOpenWhileTheirUndoIsNoted) {
  RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
  const auto target = MakeTarget(-1);
  const SwapIntent kept = target->FindKeptSwap().value();
  SwapIntent in_part = kept;
  in_part.components = {"mysql", "media"};
  target->PrepareUndo(in_part, true);
  const std::optional<OpenSwap> open = MakeTarget(-1)->PeekOpenSwap();
  ASSERT_TRUE(open);
  EXPECT_EQ(open->stage, OpenSwap::Stage::kUndoing);
  EXPECT_EQ(open->intent, in_part);
  EXPECT_FALSE(target->FindKeptSwap());
  target->PrepareUndo(kept, false);
  EXPECT_FALSE(target->PeekOpenSwap());
  EXPECT_EQ(target->FindKeptSwap(), kept);
  ExpectState(new_, "before anything is brought back");
  target->UndoSwap(kept.run_id);
  ExpectState(old_, "after the undo");
}

// The kept data go when the next restore announces its swap.
TEST_P(KeptSwapData, KilledWhileTheyAreRemovedAreNotBroughtBackInPart) {
  int step = 0;
  for (;; ++step) {
    RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
    auto next = MakeTarget(step);
    PrepareRestore(*next, archive_, run_.run);
    const auto killed = Run([&] { next->WriteIntent(IntentOf("second", true)); });
    next.reset();
    if (!killed) break;
    ExpectState(new_, *killed);
    if (*killed == "close") {
      ASSERT_TRUE(MakeTarget(-1)->FindKeptSwap()) << "killed before its first step";
      BackToOld();
      continue;
    }
    EXPECT_THROW(MakeTarget(-1)->UndoSwap(""), Error) << *killed;
    const auto finishing = MakeTarget(-1);
    ASSERT_TRUE(finishing->FindOpenSwap()) << *killed;
    finishing->CompleteSwap();
    finishing->CloseSwap(true);
    ExpectState(new_, *killed);
    ExpectOnlyTheNoteLeft(*killed);
  }
  EXPECT_GT(step, 2);
  EXPECT_EQ(MakeTarget(-1)->PeekOpenSwap()->intent.run_id, "second");
  MakeTarget(-1)->UndoSwap("second");
  ExpectState(new_, "after the undo of the second");
}

TEST_P(KeptSwapData, WithoutATableOfThemNothingIsBroughtBack) {
  RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
  const SwapIntent kept = MakeTarget(-1)->FindKeptSwap().value();
  for (const char* loss : {"DROP TABLE load_swap__old.loose", "DROP DATABASE load_swap__old"}) {
    session_.Execute(loss);
    EXPECT_THROW(MakeTarget(-1)->PrepareUndo(kept, true), Error) << loss;
    try {
      MakeTarget(-1)->UndoSwap("");
      ADD_FAILURE() << "undone without old data: " << loss;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("is not in load_swap__old")) << loss;
    }
    ExpectState(new_, loss);
    EXPECT_EQ(MakeTarget(-1)->FindKeptSwap(), kept) << loss;
  }
  MakeTarget(-1)->DropKept();
  ExpectOnlyTheNoteLeft("after they were dropped");
}

TEST_P(KeptSwapData, DoNotIncludeWhatTheSiteDroppedBeforeTheSwap) {
  const auto target = MakeTarget(-1);
  PrepareRestore(*target, archive_, run_.run);
  target->WriteIntent(IntentOf("run", true));
  session_.Execute("DROP TABLE load_swap.only_old");
  old_ = Describe(session_, kSwapSite);
  target->Swap();
  target->CloseSwap(true);
  BackToOld();
}

TEST_P(KeptSwapData, AreBroughtBackAlthoughALaterLoadBrokeOff) {
  for (const bool announced : {false, true}) {
    RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
    const SwapIntent kept = MakeTarget(-1)->FindKeptSwap().value();
    PrepareRestore(*MakeTarget(-1), archive_, run_.run);
    if (announced) MakeTarget(-1)->PrepareUndo(kept, true);
    BackToOld();
  }
}

TEST_P(KeptSwapData, AreWholeWhenAnUndoIsRepeatedAfterTheSiteDroppedANewTable) {
  RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
  session_.Execute("DROP TABLE load_swap.loose");
  RestoreOptions options = QuietOptions();
  options.on_step = [](std::string_view step) {
    if (step == "accounts") throw Killed{std::string(step)};
  };
  EXPECT_TRUE(Run([&] { MakeRestoreTarget(connect_, options, run_.run)->UndoSwap(""); }));
  BackToOld();
}

}  // namespace
}  // namespace oxbackup::mysql
