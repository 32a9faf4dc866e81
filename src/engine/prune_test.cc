// Which archives prune keeps and removes.
#include "engine/prune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "engine/small_archive_testing.h"
#include "store/counting_store_testing.h"
#include "store/local/local_store.h"
#include "store/memory/memory_store.h"

namespace oxbackup {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kWhole = {"caddy", "mysql"};

class PruneTest : public ::testing::Test {
 protected:
  static std::string NameOf(int day) {
    return fmt::format("backup.{}.tar.xz", FormatLocalDate(NoonOfDay(day)));
  }
  void Put(int day, const std::vector<std::string>& components = kWhole) {
    store_.Put(NameOf(day), SmallArchive(day, components), NoonOfDay(day));
  }
  PrunePlan Plan(const PruneOptions& options) { return PlanPrune(store_, options, run_); }
  // "day 3: last, newest" of what is kept, newest first; own names as they are.
  std::vector<std::string> Kept(const PruneOptions& options) {
    return Lines(Plan(options), /*removed=*/false);
  }
  std::vector<std::string> Removed(const PruneOptions& options) {
    return Lines(Plan(options), /*removed=*/true);
  }
  static std::vector<std::string> Lines(const PrunePlan& plan, bool removed) {
    std::vector<std::string> lines;
    for (const PruneItem& item : plan.items) {
      if (item.kept_by.empty() != removed) continue;
      std::string line = DescribeObject(item.entry.object);
      for (int day = 0; day < 60; ++day) {
        if (item.entry.object.name == NameOf(day)) line.replace(0, NameOf(day).size(), Day(day));
      }
      if (!removed) line += fmt::format(": {}", fmt::join(item.kept_by, ", "));
      lines.push_back(line);
    }
    return lines;
  }
  static std::string Day(int day) { return fmt::format("day {}", day); }
  std::vector<std::string> Left() {
    std::vector<std::string> names;
    for (const ObjectInfo& object : store_.List()) names.push_back(object.name);
    return names;
  }

  // A year later than the newest of them.
  const FixedClock clock_{NoonOfDay(800)};
  TestRun test_;
  RunContext run_ = test_.At(clock_);
  MemoryStore store_{clock_};
};

// Its clock was behind, so it seems to be the oldest.
TEST_F(PruneTest, WhatWasStoredLastStays) {
  for (int day = 3; day < 6; ++day) Put(day);
  store_.Put(NameOf(0), SmallArchive(0, kWhole), NoonOfDay(7));
  EXPECT_THAT(Kept({.rules = {.last = 1}}),
              ElementsAre("day 5: last, newest", "day 0: stored last"));
}

TEST_F(PruneTest, WhatNoRuleKeepsIsRemoved) {
  for (int day = 0; day < 5; ++day) Put(day);
  const PruneOptions options{.rules = {.last = 2}};
  EXPECT_THAT(Kept(options), ElementsAre("day 4: last, newest", "day 3: last"));
  PrunePlan plan = Plan(options);
  EXPECT_EQ(plan.removed(), 3u);
  EXPECT_EQ(plan.removed_bytes() + plan.kept_bytes(), 5 * SmallArchive(0, kWhole).size());
  EXPECT_THAT(Left(), testing::SizeIs(5));
  EXPECT_EQ(Prune(store_, plan, run_), 3u);
  EXPECT_THAT(Left(), ElementsAre(NameOf(3), NameOf(4)));
}

TEST_F(PruneTest, AFolderIsPrunedInTheSameWay) {
  const TemporaryFolder folder;
  LocalStore local(folder.path());
  for (int day = 0; day < 3; ++day) {
    const auto writer = local.Create({NameOf(day)});
    writer->Write(SmallArchive(day, kWhole));
    writer->Finish();
  }
  const auto pin = local.Create({NameOf(0) + ".keep"});
  pin->Finish();
  PrunePlan plan = PlanPrune(local, {.rules = {.last = 1}}, run_);
  EXPECT_THAT(Lines(plan, false), ElementsAre("day 2: last, newest", "day 0: pinned"));
  EXPECT_EQ(Prune(local, plan, run_), 1u);
  EXPECT_EQ(local.List().size(), 3u);
}

TEST_F(PruneTest, WhatWasReplacedPinnedOrLockedSinceThePlanStays) {
  for (int day = 0; day < 6; ++day) Put(day);
  PrunePlan plan = Plan({.rules = {.last = 1}});
  store_.Put(NameOf(0), SmallArchive(7, kWhole), NoonOfDay(7));
  store_.Put(NameOf(1) + ".keep", "", NoonOfDay(7));
  store_.SetLock(NameOf(2), {.held = true});
  store_.Put(NameOf(3), SmallArchive(3, kWhole) + " ", NoonOfDay(3));
  EXPECT_EQ(Prune(store_, plan, run_), 1u);
  EXPECT_THAT(Left(), ElementsAre(NameOf(0), NameOf(1), NameOf(1) + ".keep", NameOf(2), NameOf(3),
                                  NameOf(5)));
  EXPECT_THAT(test_.warnings.All(),
              ElementsAre(AllOf(HasSubstr(NameOf(0)), HasSubstr("replaced meanwhile")),
                          AllOf(HasSubstr(NameOf(1)), HasSubstr("pinned")),
                          AllOf(HasSubstr(NameOf(2)), HasSubstr("legal hold")),
                          AllOf(HasSubstr(NameOf(3)), HasSubstr("replaced meanwhile"))));
  EXPECT_THAT(Lines(plan, true), ElementsAre("day 4"));
}

TEST_F(PruneTest, AFileThatWasReplacedSinceThePlanStays) {
  const TemporaryFolder folder;
  LocalStore local(folder.path());
  for (int day = 0; day < 3; ++day) {
    WriteTestFile((folder.path() / NameOf(day)).string(), SmallArchive(day, kWhole));
  }
  PrunePlan plan = PlanPrune(local, {.rules = {.last = 1}}, run_);
  std::filesystem::remove(folder.path() / NameOf(0));
  WriteTestFile((folder.path() / NameOf(0)).string(), SmallArchive(0, kWhole));
  std::filesystem::last_write_time(
      folder.path() / NameOf(0),
      std::filesystem::file_time_type::clock::now() + std::chrono::milliseconds(5));
  EXPECT_EQ(Prune(local, plan, run_), 1u);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / NameOf(0)));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / NameOf(1)));
}

TEST_F(PruneTest, ANameOfItsOwnAPinAndWhatIsLockedStay) {
  for (int day = 0; day < 6; ++day) Put(day);
  store_.Put("before-upgrade.tar.xz", SmallArchive(1, kWhole), NoonOfDay(1));
  store_.Put("backup.2026-01-01-mine.tar.xz", SmallArchive(0, kWhole), NoonOfDay(0));
  store_.Put(NameOf(2) + ".keep", "", NoonOfDay(2));
  store_.SetLock(NameOf(3), {.until = clock_.Now() + std::chrono::hours(1)});
  store_.SetLock(NameOf(4), {.held = true});
  store_.SetLock(NameOf(0), {.until = clock_.Now() - std::chrono::hours(1)});
  const std::vector<std::string> kept = Kept({.rules = {.last = 1}});
  ASSERT_THAT(kept, testing::SizeIs(6));
  EXPECT_EQ(kept[0], "day 5: last, newest");
  EXPECT_EQ(kept[1], "day 4: legal hold");
  EXPECT_THAT(kept[2], HasSubstr("day 3: locked until "));
  EXPECT_EQ(kept[3], "day 2: pinned");
  EXPECT_EQ(kept[4], "before-upgrade.tar.xz: a name of its own");
  EXPECT_EQ(kept[5], "backup.2026-01-01-mine.tar.xz: a name of its own");
  EXPECT_THAT(Removed({.rules = {.last = 1}}), ElementsAre("day 1", "day 0"));
}

TEST_F(PruneTest, WhatSomebodyNamedTakesNoOthersPlace) {
  Put(0);
  Put(1);
  store_.Put("before-upgrade.tar.xz", SmallArchive(2, kWhole), NoonOfDay(2));
  EXPECT_THAT(Kept({.rules = {.last = 2}}),
              ElementsAre("before-upgrade.tar.xz: newest, a name of its own", "day 1: last",
                          "day 0: last"));
}

TEST_F(PruneTest, DamagedOnesCountForNothingAndStayUntilSomebodyAsks) {
  Put(0);
  Put(1);
  store_.Put(NameOf(2), CutOff(SmallArchive(2)), NoonOfDay(2));
  store_.Put(NameOf(3), InNewerFormat(SmallArchive(3)), NoonOfDay(3));
  PruneOptions options{.rules = {.last = 1}};
  EXPECT_THAT(Kept(options),
              ElementsAre("day 3: cannot be read", "day 2: damaged (--damaged removes it)",
                          "day 1: last, newest"));
  options.damaged = true;
  EXPECT_THAT(Removed(options), ElementsAre("day 2", "day 0"));
}

TEST_F(PruneTest, OneThatTheStoreDoesNotRemoveHoldsNoOtherUp) {
  for (int day = 0; day < 4; ++day) Put(day);
  CountingStore store(store_);
  store.RefuseToRemove(NameOf(0));
  PrunePlan plan = PlanPrune(store, {.rules = {.last = 2}}, run_);
  EXPECT_EQ(Prune(store, plan, run_), 1u);
  EXPECT_THAT(Left(), ElementsAre(NameOf(0), NameOf(2), NameOf(3)));
  EXPECT_THAT(test_.warnings.All(), ElementsAre(HasSubstr("it is protected")));
  EXPECT_THAT(plan.items.back().kept_by, ElementsAre("cannot be removed"));
}

TEST_F(PruneTest, WhereTheStoreRemovesNothingItSaysWhy) {
  for (int day = 0; day < 2; ++day) Put(day);
  CountingStore store(store_);
  store.RefuseToRemove(NameOf(0));
  PrunePlan plan = PlanPrune(store, {.rules = {.last = 1}}, run_);
  try {
    Prune(store, plan, run_);
    ADD_FAILURE() << "nothing was removed";
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), "it is protected");
    EXPECT_THAT(error.outcome(), HasSubstr("0 of 1 archive"));
  }
}

TEST_F(PruneTest, WhatAnotherToolMadeIsAGroupOfItsOwn) {
  Put(0);
  for (int day = 1; day < 4; ++day) store_.Put(NameOf(day), ForeignArchive(), NoonOfDay(day));
  store_.Put("photos.tar.gz", ForeignArchive(), NoonOfDay(4));
  EXPECT_THAT(Kept({.rules = {.last = 1}}),
              ElementsAre("photos.tar.gz: newest of another tool, a name of its own", "day 3: last",
                          "day 0: last, newest"));
  Put(5);
  EXPECT_THAT(Removed({.rules = {.last = 1}}), ElementsAre("day 2", "day 1", "day 0"));
}

TEST_F(PruneTest, NoForeignArchiveTakesThePlaceOfTheOnlyOneThatCounts) {
  store_.Put("mine.tar.xz", SmallArchive(0, kWhole), NoonOfDay(0));
  Put(1);
  Put(2, {"mysql"});
  store_.Put(NameOf(3), ForeignArchive(), NoonOfDay(3));
  EXPECT_THAT(Kept({.rules = {.last = 1}}),
              ElementsAre("day 3: last, newest of another tool", "day 2: last, newest",
                          "day 1: last, newest whole one", "mine.tar.xz: a name of its own"));
}

TEST_F(PruneTest, AManifestFromTheFutureIsNoNewerThanItsStoring) {
  for (int day = 0; day < 4; ++day) Put(day);
  store_.Put(NameOf(10), SmallArchive(370, kWhole), NoonOfDay(1) + std::chrono::hours(1));
  const PruneOptions within{.rules = {.within = CalendarSpan{.days = 2}}};
  EXPECT_THAT(Kept(within), ElementsAre("day 3: within, newest", "day 2: within", "day 10: within",
                                        "day 1: within"));
  EXPECT_THAT(Kept({.rules = {.last = 2}}), ElementsAre("day 3: last, newest", "day 2: last"));
}

TEST_F(PruneTest, WhatWasStoredInTheFutureCountsForNothingAndStays) {
  for (int day = 0; day < 3; ++day) Put(day);
  Put(1000);
  store_.Put("backup.2029-01-01.tar.xz", ForeignArchive(), NoonOfDay(1001));
  EXPECT_THAT(Kept({.rules = {.last = 1}}),
              ElementsAre("backup.2029-01-01.tar.xz: dated in the future",
                          "backup.2028-09-27.tar.xz: dated in the future", "day 2: last, newest"));
}

TEST_F(PruneTest, WhereFilesHaveNoTimeTheManifestsCount) {
  for (int day = 0; day < 3; ++day) {
    store_.Put(NameOf(day), SmallArchive(day, kWhole), TimePoint(std::chrono::seconds(1)));
  }
  EXPECT_THAT(Kept({.rules = {.daily = 2}}), ElementsAre("day 2: daily, newest", "day 1: daily"));
}

TEST_F(PruneTest, PartsTakeNoWholeOnesPlace) {
  for (int day = 0; day < 4; ++day) Put(day);
  for (int day = 4; day < 8; ++day) Put(day, {"mysql"});
  EXPECT_THAT(Kept({.rules = {.last = 2}}),
              ElementsAre("day 7: last, newest", "day 6: last", "day 3: last, newest whole one",
                          "day 2: last"));
}

TEST_F(PruneTest, ASiteThatGetsAnotherComponentHasWholeOnesAllTheTime) {
  for (int day = 0; day < 3; ++day) Put(day, {"mysql"});
  for (int day = 3; day < 5; ++day) Put(day, kWhole);
  EXPECT_THAT(Kept({.rules = {.last = 3}}),
              ElementsAre("day 4: last, newest", "day 3: last", "day 2: last"));
}

TEST_F(PruneTest, OfEveryComponentTheNewestCopyStays) {
  Put(0, {"media"});
  Put(1, {"media"});
  Put(2, {"mysql"});
  Put(3, {"mysql"});
  EXPECT_THAT(Kept({.rules = {.last = 1}}),
              ElementsAre("day 3: last, newest", "day 1: newest with media"));
}

TEST_F(PruneTest, AnErrorSaysHowManyWereRemoved) {
  for (int day = 0; day < 4; ++day) Put(day);
  PrunePlan plan = Plan({.rules = {.last = 1}});
  store_.Remove(NameOf(0));
  store_.SetFaults({.fail_list = true});
  try {
    Prune(store_, plan, run_);
    ADD_FAILURE() << "nothing failed";
  } catch (const Error& error) {
    EXPECT_EQ(error.outcome(), "0 of 3 archives were removed; the others are still there.");
  }
  store_.SetFaults({});
  plan = Plan({.rules = {.last = 1}});
  EXPECT_EQ(Prune(store_, plan, run_), 2u);
  EXPECT_THAT(Left(), ElementsAre(NameOf(3)));
}

class VersionPruneTest : public PruneTest {
 protected:
  ObjectId PutVersion(int day, int of_day) {
    return versions_.Put(NameOf(of_day), SmallArchive(day, kWhole), NoonOfDay(day));
  }
  std::vector<std::string> LeftVersions() {
    std::vector<std::string> left;
    for (const ObjectInfo& object : versions_.ListVersions()) {
      left.push_back(object.version + (object.delete_marker ? " deleted" : ""));
    }
    return left;
  }

  MemoryStore versions_{clock_, MemoryVersions::kKept};
};

TEST_F(VersionPruneTest, EachVersionIsAnArchiveOfItsOwn) {
  for (int day = 0; day < 4; ++day) PutVersion(day, 1);
  PrunePlan plan = PlanPrune(versions_, {.rules = {.last = 2}}, run_);
  EXPECT_THAT(Lines(plan, false), ElementsAre("day 1: last, newest", "day 1 (version v3): last"));
  EXPECT_EQ(Prune(versions_, plan, run_), 2u);
  EXPECT_THAT(LeftVersions(), ElementsAre("v4", "v3"));
}

TEST_F(VersionPruneTest, WhatIsDeletedTakesNoOthersPlaceAndIsKeptAsLongAsItWouldBe) {
  PutVersion(0, 0);
  PutVersion(1, 1);
  PutVersion(2, 2);
  PutVersion(3, 3);
  versions_.Remove(NameOf(2));  // somebody's mistake
  versions_.Remove(NameOf(3));
  PrunePlan plan = PlanPrune(versions_, {.rules = {.last = 1}}, run_);
  EXPECT_THAT(Lines(plan, false), ElementsAre("day 3 (version v4): last", "day 1: last, newest"));
  EXPECT_EQ(Prune(versions_, plan, run_), 2u);
  EXPECT_THAT(LeftVersions(), ElementsAre("v2", "v5 deleted", "v6 deleted", "v4"));
}

TEST_F(VersionPruneTest, APinThatIsDeletedPinsNothing) {
  PutVersion(0, 0);
  PutVersion(1, 1);
  versions_.Put(NameOf(0) + ".keep", "");
  EXPECT_THAT(Lines(PlanPrune(versions_, {.rules = {.last = 1}}, run_), true), IsEmpty());
  versions_.Remove(NameOf(0) + ".keep");
  EXPECT_THAT(Lines(PlanPrune(versions_, {.rules = {.last = 1}}, run_), true),
              ElementsAre("day 0"));
}

}  // namespace
}  // namespace oxbackup
