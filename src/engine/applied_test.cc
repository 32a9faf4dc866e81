// What a restore does about an archive that the site holds already, and about one that is too old.
#include "engine/applied.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/choice.h"
#include "engine/restore_testing.h"

namespace oxbackup {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AppliedTest : public RestoreFixture {
 protected:
  AppliedTest() : archive_(BackUp({"a", "b"}, "archive")) { WriteAll("before"); }

  static RestoreOptions Options(const std::string& archive) {
    RestoreOptions options;
    options.choice.name = archive;
    options.skip_applied = true;
    options.confirm = [](const RestorePreview&) { return true; };
    return options;
  }
  RestoreReport RestoreUnlessHeld(const RestoreOptions& options) {
    RestoreTargets targets = Targets();
    return Restore(store_, targets, options, test_.run);
  }
  RestoreReport RestoreUnlessHeld() { return RestoreUnlessHeld(Options(archive_)); }
  std::string IdentityOf(const std::string& archive) {
    ArchiveChoice choice;
    choice.name = archive;
    return ChooseArchive(store_, choice, test_.run).manifest->sha256;
  }

  const std::string archive_;
};

TEST_F(AppliedTest, TheSecondRestoreOfAnArchiveIsSkippedAndChangesNothing) {
  const RestoreReport first = RestoreUnlessHeld();
  EXPECT_TRUE(first.swapped);
  EXPECT_FALSE(first.skipped);
  EXPECT_THAT(first.held, IsEmpty());
  ASSERT_TRUE(first.applied);
  EXPECT_EQ(first.applied->archive, archive_);
  EXPECT_EQ(first.applied->identity, IdentityOf(archive_));
  EXPECT_THAT(HeldNow(),
              ElementsAre("caddy=" + archive_, "media=" + archive_, "config=" + archive_));
  WriteAll("since");
  const RestoreReport second = RestoreUnlessHeld();
  EXPECT_TRUE(second.skipped);
  EXPECT_FALSE(second.swapped);
  EXPECT_EQ(second.applied, first.applied);
  EXPECT_EQ(second.held.size(), 3u);
  EXPECT_EQ(ReadAll(), "since|since|since|since");
  EXPECT_THAT(test_.warnings.All(), IsEmpty());
}

TEST_F(AppliedTest, WithoutBeingAskedToSkipItIsRestoredAgain) {
  RestoreUnlessHeld();
  WriteAll("since");
  RestoreOptions options = Options(archive_);
  options.skip_applied = false;
  EXPECT_TRUE(RestoreUnlessHeld(options).swapped);
  EXPECT_EQ(ReadAll(), "at first|at first|at first|at first");
}

TEST_F(AppliedTest, AnotherArchiveOfTheSameNameIsNotSkipped) {
  RestoreUnlessHeld();
  const std::string identity = IdentityOf(archive_);
  WriteAll("another");
  store_.Remove(archive_);
  ASSERT_EQ(BackUp({"a", "b"}, "archive"), archive_);
  EXPECT_NE(IdentityOf(archive_), identity);
  WriteAll("since");
  EXPECT_TRUE(RestoreUnlessHeld().swapped);
  EXPECT_EQ(ReadAll(), "another|another|another|another");
}

TEST_F(AppliedTest, OneComponentThatHoldsAnotherArchiveIsEnoughToRestore) {
  RestoreUnlessHeld();
  WriteAll("other");
  RestoreFrom(BackUp({"a", "b"}, "other"), Targets(), /*keep_old=*/false, {"media"});
  RestoreOptions caddy = Options(archive_);
  caddy.selection.only = {"caddy"};
  EXPECT_TRUE(RestoreUnlessHeld(caddy).skipped);
  EXPECT_TRUE(RestoreUnlessHeld().swapped);
  EXPECT_EQ(ReadAll(), "at first|at first|at first|at first");
}

TEST_F(AppliedTest, APartThatTheArchiveLacksDoesNotCount) {
  const std::string partial = BackUp({"a"}, "partial");
  EXPECT_TRUE(RestoreUnlessHeld(Options(partial)).swapped);
  EXPECT_TRUE(RestoreUnlessHeld(Options(partial)).skipped);
}

TEST_F(AppliedTest, AnUndoBringsBackWhatWasHeldBefore) {
  const std::string before = BackUp({"a", "b"}, "before");
  RestoreFrom(before, Targets());
  const std::vector<std::string> held = HeldNow();
  RestoreFrom(archive_, Targets(), /*keep_old=*/true);
  UndoAll(Targets());
  EXPECT_EQ(HeldNow(), held);
  EXPECT_TRUE(RestoreUnlessHeld().swapped);
}

TEST_F(AppliedTest, AnUndoOfTheFirstRestoreLeavesNothingHeld) {
  RestoreFrom(archive_, Targets(), /*keep_old=*/true);
  UndoAll(Targets());
  EXPECT_THAT(HeldNow(), IsEmpty());
}

TEST_F(AppliedTest, ASwapThatIsTakenBackLeavesWhatWasHeldBefore) {
  const std::string before = BackUp({"a", "b"}, "before");
  RestoreFrom(before, Targets());
  const std::vector<std::string> held = HeldNow();
  RestoreTargets failing = Targets("config", [](const std::string& call) {
    if (call == "Swap") throw Error(ErrorKind::kSource, "a fault of the test");
  });
  EXPECT_THROW(Restore(store_, failing, Options(archive_), test_.run), Error);
  EXPECT_EQ(ReadAll(), "before|before|before|before");
  EXPECT_EQ(HeldNow(), held);
}

TEST_F(AppliedTest, WhatWasTakenAwaySinceIsNotHeld) {
  for (const std::string gone : {"caddy/file", "a/file", "config.yml"}) {
    SCOPED_TRACE(gone);
    RestoreFrom(archive_, Targets());
    std::filesystem::remove(folder_.path() / gone);
    EXPECT_EQ(HeldNow().size(), 2u);
    EXPECT_TRUE(RestoreUnlessHeld().swapped);
  }
}

TEST_F(AppliedTest, ADryRunSaysThatItWouldBeSkipped) {
  RestoreUnlessHeld();
  RestoreOptions options = Options(archive_);
  options.dry_run = true;
  const RestoreReport report = RestoreUnlessHeld(options);
  EXPECT_TRUE(report.skipped);
  EXPECT_EQ(report.applied->archive, archive_);
}

// Whether or not it was to be skipped: nobody would see that the source makes no backups any more.
TEST_F(AppliedTest, AnArchiveThatIsTooOldIsRefusedAlsoWhenItIsHeld) {
  RestoreOptions options = Options(archive_);
  options.max_age = AgeLimit{CalendarSpan{.days = 2}, "--max-age 2d"};
  EXPECT_TRUE(RestoreUnlessHeld(options).swapped);
  WriteAll("since");
  const FixedClock later(test_.clock.Now() + std::chrono::hours(49));
  RestoreTargets targets = Targets();
  try {
    Restore(store_, targets, options, test_.At(later));
    ADD_FAILURE() << "it is older than two days";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr(archive_ + " is too old"));
    EXPECT_THAT(error.cause(), AllOf(HasSubstr("49 h"), HasSubstr("--max-age 2d"),
                                     HasSubstr("what the site holds already")));
    EXPECT_THAT(error.hint(), HasSubstr("openedx-backup list"));
  }
  EXPECT_EQ(ReadAll(), "since|since|since|since");
}

TEST_F(AppliedTest, NothingIsHeldByAllUnlessOneArchiveIsByEach) {
  const AppliedArchive one{"one", "", "1111", "2026-11-26T03:00:00Z", "2026-11-26T04:00:00Z", "r1"};
  const AppliedArchive copy{"copy", "", "1111", "2026-11-26T03:00:00Z", "2026-11-26T05:00:00Z",
                            "r2"};
  const AppliedArchive foreign{"tar", "", "", "2026-11-26T03:00:00Z", "2026-11-26T04:00:00Z", "r3"};
  EXPECT_EQ(HeldByAll({{"mysql", one}, {"media", copy}}, {"mysql", "media"}, "1111"), copy);
  EXPECT_FALSE(HeldByAll({{"mysql", one}}, {"mysql", "media"}, "1111"));
  EXPECT_FALSE(HeldByAll({{"mysql", one}, {"media", foreign}}, {"mysql", "media"}, "1111"));
  EXPECT_FALSE(HeldByAll({{"media", foreign}}, {"media"}, ""));
}

}  // namespace
}  // namespace oxbackup
