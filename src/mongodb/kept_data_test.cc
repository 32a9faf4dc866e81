// Old data that a restore has kept, and backups beside a restore.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "mongodb/dump_testing.h"
#include "mongodb/restore_fixture_testing.h"
#include "mongodb/restore_target.h"

namespace oxbackup::mongodb {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using KeptDataTest = RestoreTargetTest;

TEST_F(KeptDataTest, AreInNoBackupAndNoWarning) {
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  ASSERT_TRUE(model_.Find("openedx.modules__old"));
  TestRun run;
  const TestDump dump = RunTestDump(connect_, {}, run);
  EXPECT_EQ(FindEntry(dump, "openedx", "modules__old"), nullptr);
  EXPECT_NE(FindEntry(dump, "openedx", "modules"), nullptr);
  EXPECT_THAT(run.warnings.All(), IsEmpty());
}

TEST_F(KeptDataTest, AreDroppedOnDemand) {
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  const auto target = MakeRestoreTarget(connect_, options_, run_.run);
  target->DropKept();
  EXPECT_EQ(Data(), Restored());
  EXPECT_FALSE(target->FindKeptSwap());
  EXPECT_THAT(model_.Documents("openedx_backup.swaps"), IsEmpty());
}

TEST_F(KeptDataTest, CountAsOpenWhileTheirUndoIsNoted) {
  const State before = Data();
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  const auto target = MakeRestoreTarget(connect_, options_, run_.run);
  const SwapIntent kept = target->FindKeptSwap().value();
  SwapIntent in_part = kept;
  in_part.components = {"mongodb", "media"};
  target->PrepareUndo(in_part, /*begun=*/true);
  EXPECT_FALSE(target->FindKeptSwap());
  const auto open = MakeRestoreTarget(connect_, options_, run_.run)->PeekOpenSwap();
  ASSERT_TRUE(open);
  EXPECT_EQ(open->stage, OpenSwap::Stage::kUndoing);
  EXPECT_EQ(open->intent, in_part);
  target->PrepareUndo(kept, /*begun=*/false);
  EXPECT_EQ(target->FindKeptSwap(), kept);
  EXPECT_FALSE(target->PeekOpenSwap());
  target->UndoSwap(kept.run_id);
  EXPECT_EQ(Data(), before);
}

// Of two restores the later one counts, and the earlier one again after its undo.
TEST_F(KeptDataTest, TheRecordOfWhatIsLiveGoesBackWithThem) {
  RestoreAll(connect_, options_, archive_, run_);
  const auto first = MakeRestoreTarget(connect_, options_, run_.run)->Applied();
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, TestIntent().Brings());
  const auto second = MakeRestoreTarget(connect_, options_, run_.run);
  const Manifest manifest = archive_.manifest();
  const auto reader = archive_.Open(true);
  second->Plan(&manifest, RestoreRoom::kBeside);
  second->Load(*reader);
  second->Verify(&manifest.components.at(0));
  second->WriteIntent(TestIntent("run-2"));
  EXPECT_FALSE(second->Applied()) << "while a swap is open nothing is known";
  second->Swap();
  second->CloseSwap(true);
  EXPECT_EQ(second->Applied(), TestIntent("run-2").Brings());
  MakeRestoreTarget(connect_, options_, run_.run)->UndoSwap("");
  EXPECT_EQ(MakeRestoreTarget(connect_, options_, run_.run)->Applied(), first);
}

TEST_F(KeptDataTest, WhatIsNotThereAnyMoreIsNotSaidToBeLive) {
  RestoreAll(connect_, options_, archive_, run_);
  ASSERT_TRUE(MakeRestoreTarget(connect_, options_, run_.run)->Applied());
  RestoreOptions others = options_;
  others.ns_include = {"openedx.*"};
  EXPECT_FALSE(MakeRestoreTarget(connect_, others, run_.run)->Applied());
  Session session(connect_, {});
  session.Run("forum", Bson().Add("drop", "contents"), "drop");
  EXPECT_FALSE(MakeRestoreTarget(connect_, options_, run_.run)->Applied());
  model_.Insert("forum.contents", R"({"_id": "made anew"})");
  EXPECT_FALSE(MakeRestoreTarget(connect_, options_, run_.run)->Applied());
}

TEST_F(KeptDataTest, NothingIsSaidToBeLiveWhenTheLiveDataAreRemoved) {
  RestoreAll(connect_, options_, archive_, run_);
  const auto target = MakeRestoreTarget(connect_, options_, run_.run);
  const Manifest manifest = archive_.manifest();
  const auto reader = archive_.Open(true);
  target->Plan(&manifest, RestoreRoom::kInPlace);
  target->PrepareRemoval(*reader);
  EXPECT_TRUE(target->Applied());
  AppliedArchive awaited;
  awaited.archive = "awaited.tar.xz";
  target->RemoveLive(awaited);
  EXPECT_FALSE(target->Applied());
  EXPECT_EQ(MakeRestoreTarget(connect_, options_, run_.run)->Awaited(), awaited);
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_FALSE(target->Awaited());
  EXPECT_TRUE(target->Applied());
}

// The operator is asked by what the plan says.
TEST_F(KeptDataTest, ThePlanForAnArchiveWithoutAManifestNamesMongodb) {
  const auto target = MakeRestoreTarget(connect_, options_, run_.run);
  const RestorePlan plan = target->Plan(nullptr, RestoreRoom::kBeside);
  ASSERT_EQ(plan.replaced.size(), 1U);
  EXPECT_EQ(plan.replaced.front().after, "what the dump has");
}

TEST_F(KeptDataTest, ABackupThatARestoreOvertakesIsNoMixture) {
  TestRun run;
  try {
    RunTestDump(connect_, {}, run, [&] { RestoreAll(connect_, options_, archive_, run_); });
    ADD_FAILURE() << "the copy is neither of the old nor of the new data";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSource);
    EXPECT_THAT(error.what(), HasSubstr("were replaced while they were copied"));
    EXPECT_THAT(error.hint(), HasSubstr("run the backup again"));
  }
}

// As an aggregation's $out does.
TEST_F(KeptDataTest, ASiteThatReplacesOneCollectionIsBackedUp) {
  TestRun run;
  const TestDump dump = RunTestDump(connect_, {}, run, [&] {
    Session session(connect_, {});
    session.Run("openedx", Bson().Add("drop", "newer"), "drop");
    model_.Insert("openedx.newer", R"({"_id": "once more"})");
  });
  EXPECT_NE(FindEntry(dump, "openedx", "newer"), nullptr);
}

}  // namespace
}  // namespace oxbackup::mongodb
