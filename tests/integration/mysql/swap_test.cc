// The swap is broken off before each of its steps, as if the engine had been killed there; whoever
// comes next must be able to finish it and to undo it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/archive_testing.h"
#include "base/error.h"
#include "mysql/swap_record.h"
#include "swap_testing.h"

namespace oxbackup::mysql {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class Swap : public SwapTest {};

INSTANTIATE_TEST_SUITE_P(Servers, Swap, testing::Values(Flavour::kMySql, Flavour::kMariaDb),
                         FlavourName);

TEST_P(Swap, KilledAtAnyStepItCanBeFinished) {
  int step = 0;
  while (const auto killed = SwapKilledAt(step++)) {
    EXPECT_EQ(AppliedRun(), "") << *killed;
    const auto next = MakeTarget(-1);
    const std::optional<OpenSwap> open = next->FindOpenSwap();
    ASSERT_TRUE(open) << *killed;
    EXPECT_EQ(open->intent, IntentOf("run", true));
    next->CompleteSwap();
    ExpectState(new_, *killed);
    next->CloseSwap(true);
    EXPECT_FALSE(MakeTarget(-1)->FindOpenSwap());
    EXPECT_EQ(AppliedRun(), "run") << *killed;
    BackToOld();
  }
  EXPECT_GT(step, 10);
}

TEST_P(Swap, KilledAtAnyStepItCanBeUndone) {
  int step = 0;
  while (const auto killed = SwapKilledAt(step++)) {
    MakeTarget(-1)->UndoSwap("");
    ExpectState(old_, *killed);
    ExpectNothingLeft(*killed);
  }
  EXPECT_GT(step, 10);
}

TEST_P(Swap, AnUndoKilledAtAnyStepCanBeRepeated) {
  int step = 0;
  while (true) {
    ASSERT_FALSE(SwapKilledAt(-1));
    const auto killed = Run([&] { MakeTarget(step)->UndoSwap(""); });
    if (!killed) break;
    ExpectNoteAgrees(*killed);
    MakeTarget(-1)->UndoSwap("");
    ExpectState(old_, *killed);
    ExpectNothingLeft(*killed);
    ++step;
  }
  EXPECT_GT(step, 10);
}

TEST_P(Swap, AnUndoKilledAtAnyStepCanBeTurnedRoundUntilTheNewDataGo) {
  for (int step = 0;; ++step) {
    ASSERT_FALSE(SwapKilledAt(-1));
    const auto killed = Run([&] { MakeTarget(step)->UndoSwap(""); });
    if (!killed) break;
    const auto next = MakeTarget(-1);
    next->CompleteSwap();
    next->CloseSwap(true);
    const bool gone = *killed == "remove record" || killed->starts_with("drop load_swap__");
    ExpectState(gone ? old_ : new_, *killed);
    if (!gone) BackToOld();
  }
}

TEST_P(Swap, ClosingKilledAtAnyStepIsFinishedByTheNextRun) {
  for (int step = 0;; ++step) {
    auto target = MakeTarget(-1);
    PrepareRestore(*target, archive_, run_.run);
    target->WriteIntent(IntentOf("run", false));
    target->Swap();
    target.reset();
    auto closing = MakeTarget(step);
    steps_ = -1000;  // the swap is done; only the steps of closing count
    closing->CompleteSwap();
    steps_ = 0;
    const auto killed = Run([&] { closing->CloseSwap(false); });
    closing.reset();
    if (!killed) break;
    ExpectNoteAgrees(*killed);
    const auto next = MakeTarget(-1);
    ASSERT_TRUE(next->FindOpenSwap()) << *killed;
    next->CompleteSwap();
    next->CloseSwap(false);
    ExpectState(new_, *killed);
    ExpectOnlyTheNoteLeft(*killed);
  }
  ExpectState(new_, "at the end");
  ExpectOnlyTheNoteLeft("at the end");
  EXPECT_THROW(MakeTarget(-1)->UndoSwap(""), Error);
}

TEST_P(Swap, TheNoteOfWhatIsLiveGoesBackWithTheData) {
  RestoreAll(*MakeTarget(-1), archive_, false, run_.run);
  EXPECT_EQ(AppliedRun(), "run");
  const auto second = MakeTarget(-1);
  PrepareRestore(*second, archive_, run_.run);
  second->WriteIntent(IntentOf("second", true));
  EXPECT_FALSE(second->Applied()) << "while a swap is open nothing is known";
  second->Swap();
  second->CloseSwap(true);
  EXPECT_EQ(second->Applied(), IntentOf("second", true).Brings());
  MakeTarget(-1)->UndoSwap("");
  ExpectOnlyTheNoteLeft("after the undo of the second");
}

TEST_P(Swap, WhatIsNotThereAnyMoreIsNotSaidToBeLive) {
  RestoreAll(*MakeTarget(-1), archive_, false, run_.run);
  RestoreOptions others = QuietOptions();
  others.databases = {"another"};
  EXPECT_FALSE(MakeRestoreTarget(connect_, others, run_.run)->Applied());
  EXPECT_EQ(AppliedRun(), "run");
  session_.Execute("DROP DATABASE load_swap");
  EXPECT_EQ(AppliedRun(), "");
}

TEST_P(Swap, NothingIsSaidToBeLiveWhenTheLiveDataAreRemoved) {
  RestoreAll(*MakeTarget(-1), archive_, false, run_.run);
  const auto target = MakeTarget(-1);
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive_, run_.run);
  target->Plan(reader->manifest(), RestoreRoom::kInPlace);
  target->PrepareRemoval(*reader);
  EXPECT_EQ(AppliedRun(), "run");
  AppliedArchive awaited;
  awaited.archive = "awaited.tar.xz";
  target->RemoveLive(awaited);
  EXPECT_FALSE(target->Applied());
  EXPECT_EQ(target->Awaited(), awaited);
  target->Abandon();
  RestoreAll(*MakeTarget(-1), archive_, false, run_.run);
  EXPECT_FALSE(target->Awaited());
  EXPECT_EQ(AppliedRun(), "run");
}

TEST_P(Swap, UndoOfADatabaseThatWasNotThereDropsIt) {
  session_.Execute("DROP DATABASE load_swap");
  RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
  ExpectState(new_, "after the restore");
  MakeTarget(-1)->UndoSwap("");
  ExpectState({}, "after the undo");
}

TEST_P(Swap, ATableMadeSinceTheIntentIsReplacedToo) {
  const auto target = MakeTarget(-1);
  PrepareRestore(*target, archive_, run_.run);
  target->WriteIntent(IntentOf("run", true));
  session_.Execute("CREATE TABLE load_swap.late (a INT)");
  old_ = Describe(session_, kSwapSite);
  target->Swap();
  target->CloseSwap(true);
  ExpectState(new_, "after the swap");
  BackToOld();
}

TEST_P(Swap, WhenTheServerRefusesTheRenameTheLiveDataAreWhole) {
  const auto target = MakeTarget(-1);
  PrepareRestore(*target, archive_, run_.run);
  target->WriteIntent(IntentOf("run", false));
  // Somebody loses a table of ours: the one RENAME cannot succeed.
  session_.Execute(
      "CREATE TRIGGER load_swap__restore.x BEFORE INSERT ON load_swap__restore.child "
      "FOR EACH ROW SET NEW.p = 1");
  EXPECT_THROW(target->Swap(), Error);
  ExpectState(old_, "after the refusal");
  target->UndoSwap("");
  target->Abandon();
  ExpectState(old_, "after the undo");
  ExpectNothingLeft("after the undo");
}

TEST_P(Swap, OneThatWasOnlyAnnouncedIsTakenBackWithoutAChange) {
  session_.Execute("CREATE VIEW load_swap.broken AS SELECT a FROM load_swap.only_old");
  session_.Execute("DROP TABLE load_swap.only_old");
  const auto target = MakeTarget(-1);
  PrepareRestore(*target, archive_, run_.run);
  target->WriteIntent(IntentOf("run", true));
  target->UndoSwap("");
  target->Abandon();
  EXPECT_THAT(session_.Query("SELECT 1 FROM information_schema.VIEWS WHERE TABLE_SCHEMA="
                             "'load_swap' AND TABLE_NAME='broken'"),
              SizeIs(1));
  ExpectNothingLeft("after the undo");
}

TEST_P(Swap, TwoRestoresAtOnceAreKeptApart) {
  const auto first = MakeTarget(-1);
  PrepareRestore(*first, archive_, run_.run);
  try {
    PrepareRestore(*MakeTarget(-1), archive_, run_.run);
    ADD_FAILURE() << "the second restore began";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("another restore"));
  }
  first->Abandon();
}

TEST_P(Swap, OneThatWasKeptAwayLeavesTheRecordsOfTheOther) {
  Session other(connect_, std::stop_token());
  ASSERT_EQ(other.QueryValue("SELECT GET_LOCK('openedx_backup.restore', 5)"), "1");
  RecordBook book(other);
  book.Prepare();
  const auto target = MakeTarget(-1);
  EXPECT_THROW(target->Load(*OpenBytes(archive_, run_.run)), Error);
  target->Abandon();
  EXPECT_NO_THROW(other.Query("SELECT name FROM openedx_backup.schemas"));

  book.WriteApplied(SerializeRemoval(IntentOf("run", false).Brings()));
  EXPECT_THROW(target->ForgetAwaited(), Error);
  EXPECT_TRUE(target->Awaited());
  other.QueryValue("SELECT RELEASE_LOCK('openedx_backup.restore')");
  target->ForgetAwaited();
  ExpectNothingLeft("when nothing is awaited");
  EXPECT_EQ(other.QueryValue("SELECT IS_FREE_LOCK('openedx_backup.restore')"), "1");
}

TEST_P(Swap, AccountsComeBackButTheRunsOwnIsLeftAlone) {
  const auto drop = [this] {
    session_.Execute("DROP USER IF EXISTS 'load_app'@'%', 'load_own'@'%', 'load_own'@'10.0.0.1'");
  };
  drop();
  session_.Execute("CREATE USER 'load_app'@'%' IDENTIFIED BY 'app-Secret-1'");
  session_.Execute("GRANT SELECT ON load_swap.* TO 'load_app'@'%'");
  session_.Execute("CREATE USER 'load_own'@'%' IDENTIFIED BY 'own-Secret-1'");
  session_.Execute("CREATE USER 'load_own'@'10.0.0.1' IDENTIFIED BY 'own-Secret-1'");
  session_.Execute("GRANT ALL ON *.* TO 'load_own'@'%' WITH GRANT OPTION");
  const std::string archive = BackUp(connect_, {kSwapSite}, true, run_.run);

  session_.Execute("DROP USER 'load_app'@'%', 'load_own'@'10.0.0.1'");
  session_.Execute("ALTER USER 'load_own'@'%' IDENTIFIED BY 'changed-Secret-2'");
  ConnectOptions own = connect_;
  own.user = "load_own";
  own.password = "changed-Secret-2";
  RestoreOptions options = QuietOptions();
  options.accounts = true;
  RestoreAll(*MakeRestoreTarget(own, options, run_.run), archive, false, run_.run);

  ConnectOptions app = connect_;
  app.user = "load_app";
  app.password = "app-Secret-1";
  EXPECT_EQ(Session(app, std::stop_token()).QueryValue("SELECT COUNT(*) FROM load_swap.parent"),
            "1");
  EXPECT_NO_THROW(Session(own, std::stop_token()));
  EXPECT_THAT(session_.Query("SELECT Host FROM mysql.user WHERE User='load_own'"), SizeIs(1));
  drop();
}

}  // namespace
}  // namespace oxbackup::mysql
