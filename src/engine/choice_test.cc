// Which archive of a place a command means.
#include "engine/choice.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/run_context_testing.h"
#include "engine/small_archive_testing.h"
#include "store/counting_store_testing.h"
#include "store/memory/memory_store.h"

namespace oxbackup {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ChoiceTest : public ::testing::Test {
 protected:
  // An archive that was made at noon of a day and stored ten minutes later.
  void Put(const std::string& name, int day, const std::vector<std::string>& components = {}) {
    PutBytes(name, day, SmallArchive(day, components));
  }
  void PutBytes(const std::string& name, int day, const std::string& bytes) {
    store_.Put(name, bytes, NoonOfDay(day) + std::chrono::minutes(10));
  }
  std::string Chosen(const ArchiveChoice& choice) {
    return ChooseArchive(counting_, choice, run_).object.name;
  }
  // The error that choosing ends with.
  Error Refused(const ArchiveChoice& choice) {
    try {
      Chosen(choice);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "an archive was chosen";
    return Error(ErrorKind::kInternal, "none");
  }

  // A year later than the newest of them.
  const FixedClock clock_{NoonOfDay(800)};
  TestRun test_;
  RunContext run_ = test_.At(clock_);
  MemoryStore store_{clock_};
  CountingStore counting_{store_};
};

TEST_F(ChoiceTest, ANameWithoutItsSuffixHasToFitOneArchiveAlone) {
  Put("before.tar.xz", 0);
  EXPECT_EQ(Chosen({.name = "before"}), "before.tar.xz");
  Put("before.tar.zst", 1);
  const Error error = Refused({.name = "before"});
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("before.tar.xz, before.tar.zst"));
  EXPECT_EQ(Chosen({.name = "before.tar.zst"}), "before.tar.zst");
  EXPECT_EQ(Refused({.name = "after"}).kind(), ErrorKind::kNotFound);
}

TEST_F(ChoiceTest, OnlyADateInANameIsTakenForItsDate) {
  Put("backup.2026-11-22.tar.xz", 0);
  Put("backup.university.tar.xz", 1);
  EXPECT_EQ(Chosen({.date = "2026-11-22"}), "backup.2026-11-22.tar.xz");
  EXPECT_EQ(Chosen({.date = "2026-01-02"}), "backup.university.tar.xz");
  EXPECT_EQ(Refused({.date = "university"}).kind(), ErrorKind::kNotFound);
}

TEST_F(ChoiceTest, ADamagedArchiveIsPassedOverWithAWarning) {
  Put("old.tar.xz", 0);
  PutBytes("new.tar.xz", 1, CutOff(SmallArchive(1)));
  EXPECT_EQ(Chosen({}), "old.tar.xz");
  EXPECT_THAT(test_.warnings.All(), ElementsAre(HasSubstr("new.tar.xz")));
  EXPECT_EQ(Refused({.name = "new"}).kind(), ErrorKind::kCorrupt);
}

TEST_F(ChoiceTest, AnArchiveOfAPartIsPassedOverForTheNewestWholeOne) {
  Put("oldest.tar.xz", 0, {"caddy", "mysql"});
  Put("whole.tar.xz", 1, {"caddy", "mysql"});
  Put("part.tar.xz", 2, {"mysql"});
  EXPECT_EQ(Chosen({.components = {"mysql", "caddy"}}), "whole.tar.xz");
  const ArchiveEntry whole = ChooseArchive(store_, {.components = {"mysql", "caddy"}}, run_);
  EXPECT_EQ(whole.passed_over, "part.tar.xz (without caddy)");
  Put("part2.tar.xz", 3, {"mysql"});
  EXPECT_EQ(ChooseArchive(store_, {.components = {"mysql", "caddy"}}, run_).passed_over,
            "part2.tar.xz (without caddy) and 1 more");
  EXPECT_TRUE(store_.Remove("part2.tar.xz"));
  EXPECT_EQ(Chosen({}), "part.tar.xz");
  EXPECT_EQ(Chosen({.components = {"mysql"}}), "part.tar.xz");
  EXPECT_EQ(Chosen({.name = "part", .components = {"mysql", "caddy"}}), "part.tar.xz");
  EXPECT_EQ(Chosen({.date = "2026-01-03", .components = {"caddy"}}), "part.tar.xz");
  EXPECT_EQ(ChooseArchive(store_, {}, run_).passed_over, "");
  EXPECT_THAT(test_.warnings.All(), IsEmpty());
}

TEST_F(ChoiceTest, WhereNoArchiveHoldsAllTheNewestIsTakenWithoutAWord) {
  PutBytes("damaged.tar.xz", 0, CutOff(SmallArchive(0, {"mysql"})));
  Put("old.tar.xz", 1, {"mysql"});
  Put("new.tar.xz", 2, {"mysql"});
  EXPECT_EQ(Chosen({.components = {"mysql", "config"}}), "new.tar.xz");
  EXPECT_THAT(test_.warnings.All(), IsEmpty());
}

TEST_F(ChoiceTest, AnArchiveThatCannotBeReadIsNotPassedOverForAnOlderOne) {
  Put("old.tar.xz", 0);
  PutBytes("new.tar.xz", 1, InNewerFormat(SmallArchive(1)));
  const Error error = Refused({});
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("the archive has format 2"));
  EXPECT_THAT(error.contexts(), Contains(HasSubstr("choosing new.tar.xz, the newest that fits")));
  EXPECT_EQ(Refused({.name = "new"}).kind(), ErrorKind::kUsage);
  EXPECT_EQ(Chosen({.name = "old"}), "old.tar.xz");
}

TEST_F(ChoiceTest, AnArchiveThatCannotBeReadDoesNotMatterBesideANewerOne) {
  PutBytes("backup.2026-01-01.tar.xz", 0, InNewerFormat(SmallArchive(0)));
  Put("backup.2026-01-02.tar.xz", 1);
  EXPECT_EQ(Chosen({}), "backup.2026-01-02.tar.xz");
}

TEST_F(ChoiceTest, OfAYearOfArchivesTheNewestIsFoundWithFewReads) {
  for (int day = 0; day < 365; ++day) {
    Put(fmt::format("backup.{}.tar.xz", FormatLocalDate(NoonOfDay(day))), day, {"mysql"});
  }
  const ArchiveEntry newest = ChooseArchive(counting_, {.components = {"mysql"}}, run_);
  EXPECT_EQ(newest.object.name, "backup.2026-12-31.tar.xz");
  EXPECT_LE(counting_.opened(), 4);
}

TEST_F(ChoiceTest, OfAYearOfArchivesOnlyThoseOfTheDateAreRead) {
  for (int day = 0; day < 365; ++day) {
    Put(fmt::format("backup.{}.tar.xz", FormatLocalDate(NoonOfDay(day))), day);
  }
  Put("backup.2026-03-01.235959.tar.xz", 60);
  Put("too-old-for-that.tar.xz", 1);
  EXPECT_EQ(Chosen({.date = "2026-03-01"}), "backup.2026-03-01.235959.tar.xz");
  EXPECT_EQ(counting_.opened(), 2);
}

TEST_F(ChoiceTest, AStoreMayStampAnArchiveADayTooEarly) {
  Put("old.tar.xz", 2);
  store_.Put("new.tar.xz", SmallArchive(3), NoonOfDay(2));
  EXPECT_EQ(Chosen({}), "new.tar.xz");
}

TEST_F(ChoiceTest, AnArchiveThatWasCopiedHereLaterIsNoNewerForThat) {
  Put("new.tar.xz", 300);
  store_.Put("copied.tar.xz", SmallArchive(3), NoonOfDay(320));
  EXPECT_EQ(Chosen({}), "new.tar.xz");
}

TEST_F(ChoiceTest, AnArchiveIsNoNewerThanItsStoring) {
  Put("real.tar.xz", 10);
  store_.Put("clock-a-year-ahead.tar.xz", SmallArchive(370), NoonOfDay(5));
  EXPECT_EQ(Chosen({}), "real.tar.xz");
  store_.Put("later.tar.xz", SmallArchive(380), NoonOfDay(15));
  EXPECT_EQ(Chosen({}), "later.tar.xz");
  EXPECT_THAT(test_.warnings.All(), IsEmpty());
}

TEST_F(ChoiceTest, AnArchiveFromTheFutureIsPassedOverWithAWarning) {
  Put("real.tar.xz", 10);
  Put("backup.2028-09-27.tar.xz", 1000);
  Put("from-today.tar.xz", 801);
  EXPECT_EQ(Chosen({}), "from-today.tar.xz");
  EXPECT_THAT(test_.warnings.All(),
              ElementsAre(AllOf(HasSubstr("backup.2028-09-27.tar.xz is dated in the future"),
                                HasSubstr("--name backup.2028-09-27.tar.xz"))));
  EXPECT_EQ(Chosen({.name = "backup.2028-09-27"}), "backup.2028-09-27.tar.xz");
}

TEST_F(ChoiceTest, AFutureOneThatCannotBeReadEndsNothing) {
  Put("real.tar.xz", 10);
  PutBytes("future.tar.xz", 1000, InNewerFormat(SmallArchive(1000)));
  EXPECT_EQ(Chosen({}), "real.tar.xz");
}

TEST_F(ChoiceTest, WhereAllAreFromTheFutureTheErrorSaysSo) {
  Put("future.tar.xz", 1000);
  const Error error = Refused({});
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(error.cause(), HasSubstr("future.tar.xz (dated in the future)"));
  EXPECT_THAT(error.hint(), HasSubstr("--name"));
}

// Old archives of another tool that are copied beside ours are no newer for it.
TEST_F(ChoiceTest, AnArchiveOfAnotherToolIsAsOldAsItsNameSays) {
  PutBytes("backup.2020-01-02.tar.xz", 9, ForeignArchive());
  Put("ours.tar.xz", 3, {"mysql"});
  EXPECT_EQ(Chosen({}), "ours.tar.xz");
  const ArchiveEntry foreign = ChooseArchive(store_, {.name = "backup.2020-01-02"}, run_);
  EXPECT_EQ(FormatLocalDate(foreign.made - std::chrono::seconds(1)), "2020-01-02");
}

TEST_F(ChoiceTest, AStrayTarIsTakenOnlyWhereThereIsNothingElse) {
  PutBytes("photos.tar.gz", 9, ForeignArchive());
  EXPECT_EQ(Chosen({}), "photos.tar.gz");
  PutBytes("backup.2026-01-02.tar.xz", 1, ForeignArchive());
  EXPECT_EQ(Chosen({}), "backup.2026-01-02.tar.xz");
  EXPECT_EQ(Chosen({.components = {"mysql"}}), "backup.2026-01-02.tar.xz");
  Put("part.tar.xz", 3, {"mysql"});
  EXPECT_EQ(Chosen({.components = {"mysql"}}), "part.tar.xz");
  const ArchiveEntry chosen = ChooseArchive(store_, {.components = {"mysql"}}, run_);
  EXPECT_EQ(chosen.passed_over, "");
  EXPECT_EQ(Chosen({.name = "photos"}), "photos.tar.gz");
}

TEST_F(ChoiceTest, BehindManyPartialOnesTheWholeOneIsFound) {
  Put("whole.tar.xz", 0, {"mysql", "caddy"});
  for (int day = 1; day < 40; ++day) Put(fmt::format("part{}.tar.xz", day), day, {"mysql"});
  const ArchiveEntry whole = ChooseArchive(store_, {.components = {"mysql", "caddy"}}, run_);
  EXPECT_EQ(whole.object.name, "whole.tar.xz");
  EXPECT_EQ(whole.passed_over, "part39.tar.xz (without caddy) and 38 more");
}

TEST_F(ChoiceTest, WhatThereIsInsteadIsSaidWithoutReadingAll) {
  for (int day = 0; day < 30; ++day) Put(fmt::format("day{:02}.tar.xz", day), day);
  PutBytes("cut.tar.xz", 30, CutOff(SmallArchive(30)));
  const Error error = Refused({.date = "2027-06-01"});
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.cause(),
            "there are 31 archives, the newest: cut.tar.xz (damaged), day29.tar.xz, day28.tar.xz, "
            "day27.tar.xz, day26.tar.xz");
  EXPECT_LE(counting_.opened(), 5);
}

class VersionChoiceTest : public ::testing::Test {
 protected:
  std::string Put(const std::string& name, int day, const std::string& bytes) {
    return store_.Put(name, bytes, NoonOfDay(day) + std::chrono::minutes(10)).version;
  }
  std::string Chosen(const ArchiveChoice& choice) {
    return ChooseArchive(store_, choice, run_).object.version;
  }
  std::string Refused(const ArchiveChoice& choice, ErrorKind kind) {
    try {
      Chosen(choice);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      if (kind == ErrorKind::kNotFound) {
        EXPECT_THAT(error.hint(), HasSubstr("--list-versions"));
      }
      return error.what();
    }
    ADD_FAILURE() << "an archive was chosen";
    return "";
  }

  // A year later than the newest of them.
  const FixedClock clock_{NoonOfDay(800)};
  TestRun test_;
  RunContext run_ = test_.At(clock_);
  MemoryStore store_{clock_, MemoryVersions::kKept};
};

TEST_F(VersionChoiceTest, AnOlderVersionIsTakenWhereTheNewerOneIsDamaged) {
  const std::string good = Put("backup.2026-01-01.tar.xz", 0, SmallArchive(0));
  Put("backup.2026-01-01.tar.xz", 0, CutOff(SmallArchive(0)));
  const ArchiveEntry chosen = ChooseArchive(store_, {}, run_);
  EXPECT_EQ(chosen.object.version, good);
  EXPECT_THAT(test_.warnings.All(), ElementsAre(HasSubstr("backup.2026-01-01.tar.xz")));
  EXPECT_EQ(Chosen({.date = "2026-01-01"}), good);
  Refused({.name = "backup.2026-01-01"}, ErrorKind::kCorrupt);
}

TEST_F(VersionChoiceTest, ADateMeansTheNewestVersionOfIt) {
  Put("backup.2026-01-01.tar.xz", 0, SmallArchiveOf(NoonOfDay(0)));
  const std::string second =
      Put("backup.2026-01-01.tar.xz", 0, SmallArchiveOf(NoonOfDay(0) + std::chrono::minutes(5)));
  Put("backup.2026-01-02.tar.xz", 1, SmallArchive(1));
  EXPECT_EQ(Chosen({.date = "2026-01-01"}), second);
}

TEST_F(VersionChoiceTest, WhatIsDeletedIsChosenByItsVersionAlone) {
  const std::string old = Put("backup.2026-01-01.tar.xz", 0, SmallArchive(0));
  const std::string gone = Put("backup.2026-01-02.tar.xz", 1, SmallArchive(1));
  store_.Remove("backup.2026-01-02.tar.xz");
  EXPECT_EQ(Chosen({}), old);
  EXPECT_EQ(Chosen({.version = gone}), gone);
  EXPECT_EQ(Chosen({.date = "2026-01-02", .version = gone}), gone);
  EXPECT_EQ(Chosen({.name = "backup.2026-01-02", .version = gone}), gone);
}

TEST_F(VersionChoiceTest, AVersionHasToBeThereAndToFit) {
  const std::string version = Put("backup.2026-01-01.tar.xz", 0, SmallArchive(0));
  EXPECT_EQ(Refused({.version = "none"}, ErrorKind::kNotFound),
            "there is no archive of the version 'none' in memory");
  EXPECT_EQ(Refused({.name = "other", .version = version}, ErrorKind::kNotFound),
            "'other' has no version 'v1' (backup.2026-01-01.tar.xz has) in memory");
  EXPECT_EQ(Refused({.date = "2026-01-02", .version = version}, ErrorKind::kNotFound),
            "the version 'v1' is of backup.2026-01-01.tar.xz, an archive of 2026-01-01, not of "
            "2026-01-02 in memory");
  store_.Remove("backup.2026-01-01.tar.xz");
  EXPECT_THAT(Refused({.version = "v2"}, ErrorKind::kNotFound),
              AllOf(HasSubstr("'v2' of backup.2026-01-01.tar.xz"), HasSubstr("holds nothing")));
  const std::string cut = Put("cut.tar.xz", 1, CutOff(SmallArchive(1)));
  Refused({.version = cut}, ErrorKind::kCorrupt);
}

TEST_F(VersionChoiceTest, APlaceWithoutVersionsSaysSo) {
  MemoryStore plain(clock_);
  plain.Put("backup.2026-01-01.tar.xz", SmallArchive(0));
  try {
    (void)ChooseArchive(plain, {.version = "v1"}, run_);
    ADD_FAILURE() << "an archive was chosen";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_THAT(error.cause(), HasSubstr("keeps no versions"));
  }
}

}  // namespace
}  // namespace oxbackup
