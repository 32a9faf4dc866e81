// The swap is broken off before each of its steps, as if the engine had been killed there; whoever
// comes next must be able to finish it and to undo it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "archive/archive_testing.h"
#include "base/error.h"
#include "mysql/quote.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kSite[] = "load_swap";
using Texts = std::map<std::string, std::string>;

/// Thrown at a step; no Error, so that nothing treats it as a failure and tidies up.
struct Killed {
  std::string step;
};

class Swap : public testing::TestWithParam<Flavour> {
 protected:
  Swap() : connect_(ServerOf(GetParam())), session_(connect_, std::stop_token()) {
    ForgetRestores(session_);
    Fill(1);
    new_ = Describe(session_, kSite);
    archive_ = BackUp(connect_, {kSite}, false, run_.run);
    Fill(2);
    session_.Execute("CREATE TABLE only_old (a INT PRIMARY KEY)");
    session_.Execute("INSERT INTO only_old VALUES (1)");
    old_ = Describe(session_, kSite);
  }
  ~Swap() override { ForgetRestores(session_); }

  void Fill(int version) {
    site_.reset();
    site_.emplace(session_, kSite);
    const std::string v = std::to_string(version);
    session_.Execute("USE load_swap");
    session_.Execute("CREATE TABLE parent (id INT PRIMARY KEY, v INT, KEY v (v)) ENGINE=InnoDB");
    session_.Execute(
        "CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT cp FOREIGN KEY (p) REFERENCES "
        "parent (id)) ENGINE=InnoDB");
    session_.Execute("SET SESSION foreign_key_checks=0");
    session_.Execute("CREATE TABLE loose (id INT PRIMARY KEY, m INT, CONSTRAINT lm" + v +
                     " FOREIGN KEY (m) REFERENCES missing (id)) ENGINE=InnoDB");
    session_.Execute("INSERT INTO parent VALUES (1," + v + ")");
    session_.Execute("INSERT INTO child VALUES (" + v + ",1)");
    session_.Execute("CREATE VIEW b AS SELECT id, " + v + " AS v FROM parent");
    session_.Execute("CREATE VIEW a AS SELECT id, v FROM b");
    session_.Execute("CREATE TRIGGER t BEFORE INSERT ON parent FOR EACH ROW SET NEW.v = " + v);
    session_.Execute("CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN " + v);
    session_.Execute(
        "CREATE EVENT e ON SCHEDULE EVERY 1 YEAR STARTS '2036-01-01' DO DELETE FROM child");
  }

  /// A target whose steps from `kill_at` on (0 is the first) are not taken; -1: all are.
  std::unique_ptr<RestoreTarget> MakeTarget(int kill_at) {
    RestoreOptions options = QuietOptions();
    steps_ = 0;
    options.on_step = [this, kill_at](std::string_view step) {
      if (steps_++ == kill_at) throw Killed{std::string(step)};
    };
    return MakeRestoreTarget(connect_, options, run_.run);
  }

  /// Loads and swaps, killed at a step of Swap. Returns the step; nothing when all were taken.
  std::optional<std::string> SwapKilledAt(int step) {
    const auto target = MakeTarget(step);
    PrepareRestore(*target, archive_, run_.run);
    target->WriteIntent(IntentOf("run", true));
    return Run([&] { target->Swap(); });
  }

  static std::optional<std::string> Run(const std::function<void()>& body) {
    try {
      body();
    } catch (const Killed& killed) {
      return killed.step;
    }
    return std::nullopt;
  }

  void ExpectState(const Texts& expected, const std::string& when) {
    EXPECT_EQ(Describe(session_, kSite), expected) << when;
  }
  void ExpectNothingLeft(const std::string& when) {
    EXPECT_THAT(session_.Query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE "
                               "SCHEMA_NAME LIKE 'load\\_swap\\_\\_%' OR "
                               "SCHEMA_NAME='openedx_backup'"),
                IsEmpty())
        << when;
  }
  /// Only what says which archive is live.
  void ExpectOnlyTheNoteLeft(const std::string& when) {
    EXPECT_THAT(session_.Query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE "
                               "SCHEMA_NAME LIKE 'load\\_swap\\_\\_%'"),
                IsEmpty())
        << when;
    EXPECT_THAT(session_.Query("SELECT run_id FROM openedx_backup.restores"), IsEmpty()) << when;
    EXPECT_THAT(session_.Query("SELECT name FROM openedx_backup.schemas"), IsEmpty()) << when;
    EXPECT_EQ(AppliedRun(), "run") << when;
  }
  /// The run whose data are said to be live; empty when nothing is.
  std::string AppliedRun() {
    const std::optional<AppliedArchive> applied = MakeTarget(-1)->Applied();
    return applied ? applied->run_id : "";
  }
  /// Whatever is said to be live is.
  void ExpectNoteAgrees(const std::string& when) {
    if (!AppliedRun().empty()) ExpectState(new_, when);
  }
  /// Undoes a finished swap whose old data were kept.
  void BackToOld() {
    MakeTarget(-1)->UndoSwap("");
    ExpectState(old_, "after going back");
    ExpectNothingLeft("after going back");
  }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  std::optional<ScratchDatabase> site_;
  Texts new_;
  Texts old_;
  std::string archive_;
  int steps_ = 0;
};

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

TEST_P(Swap, TheNextRestoreTakesThePlaceOfKeptOldData) {
  RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
  session_.Execute("USE load_swap");
  session_.Execute("CREATE TABLE since (a INT)");
  const Texts since = Describe(session_, kSite);
  RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
  ExpectState(new_, "after the second restore");
  MakeTarget(-1)->UndoSwap("");
  ExpectState(since, "after its undo");
  ExpectOnlyTheNoteLeft("after its undo");
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

TEST_P(Swap, UndoRemovesWhatCameAfterTheRestore) {
  RestoreAll(*MakeTarget(-1), archive_, true, run_.run);
  session_.Execute("USE load_swap");
  session_.Execute("CREATE TABLE since (a INT)");
  session_.Execute("CREATE VIEW since_view AS SELECT a FROM since");
  BackToOld();
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
  old_ = Describe(session_, kSite);
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
  const std::string archive = BackUp(connect_, {kSite}, true, run_.run);

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

TEST_P(Swap, KeptOldDataCanBeDroppedAndADropThatWasKilledIsFinished) {
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

TEST_P(Swap, KeptOldDataCountAsOpenWhileTheirUndoIsNoted) {
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

}  // namespace
}  // namespace oxbackup::mysql
