// Views, triggers, routines and events that a backup could not see, or that somebody has removed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "archive/archive_testing.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {

void PrintTo(const ReplacedThing& thing, std::ostream* out) {
  *out << thing.what << " | " << thing.now << " | " << thing.after;
}

namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr char kSite[] = "load_missing";

auto Line(const std::string& what, const std::string& now, const std::string& after) {
  return AllOf(Field(&ReplacedThing::what, what), Field(&ReplacedThing::now, now),
               Field(&ReplacedThing::after, after));
}

class MissingObjects : public testing::TestWithParam<Flavour> {
 protected:
  MissingObjects() : connect_(ServerOf(GetParam())), session_(connect_, {}) {
    ForgetRestores(session_);
    site_.emplace(session_, kSite);
    FillSite(session_, kSite, 1);
  }
  ~MissingObjects() override {
    session_.Execute("DROP USER IF EXISTS load_missing_user");
    ForgetRestores(session_);
  }

  ConnectOptions Limited() {
    session_.Execute("DROP USER IF EXISTS load_missing_user");
    session_.Execute("CREATE USER load_missing_user IDENTIFIED BY 'Limited-1'");
    session_.Execute("GRANT SELECT, SHOW VIEW, LOCK TABLES ON load_missing.* TO load_missing_user");
    ConnectOptions limited = connect_;
    limited.user = "load_missing_user";
    limited.password = "Limited-1";
    return limited;
  }
  std::string BackUpAs(const ConnectOptions& who) {
    TestRun backup;
    return BackUp(who, {kSite}, false, backup.run);
  }
  RestorePlan Plan(const std::string& archive) {
    const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive, run_.run);
    return MakeRestoreTarget(connect_, QuietOptions(), run_.run)
        ->Plan(reader->manifest(), RestoreRoom::kBeside);
  }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  std::optional<ScratchDatabase> site_;
};

INSTANTIATE_TEST_SUITE_P(Servers, MissingObjects,
                         testing::Values(Flavour::kMySql, Flavour::kMariaDb), FlavourName);

TEST_P(MissingObjects, WhatTheBackupCouldNotSeeIsCountedBeforeARestoreRemovesIt) {
  const RestorePlan plan = Plan(BackUpAs(Limited()));
  EXPECT_THAT(plan.replaced, ElementsAre(Field(&ReplacedThing::what, kSite),
                                         Line("load_missing: views", "2 views", "2 views"),
                                         Line("load_missing: triggers", "2 triggers", "none"),
                                         Line("load_missing: routines", "2 routines", "none"),
                                         Line("load_missing: events", "1 event", "none")));
  EXPECT_THAT(run_.warnings.All(),
              ElementsAre(HasSubstr("of load_missing the backup could not copy everything: the "
                                    "restore removes 2 triggers, 2 routines, 1 event that")));
}

TEST_P(MissingObjects, TablesThatItCouldNotSeeAreCountedToo) {
  const ConnectOptions limited = Limited();
  session_.Execute(
      "REVOKE SELECT, SHOW VIEW, LOCK TABLES ON load_missing.* FROM load_missing_user");
  session_.Execute("GRANT SELECT ON load_missing.parent TO load_missing_user");
  Plan(BackUpAs(limited));
  EXPECT_THAT(run_.warnings.All(), ElementsAre(HasSubstr("the restore removes 3 tables, 2 views")));
}

TEST_P(MissingObjects, AViewThatTheBackupHasAsACommentAloneIsAmongThem) {
  const ScratchDatabase other(session_, "load_missing_other");
  session_.Execute("CREATE TABLE load_missing_other.t (a INT)");
  session_.Execute(
      "CREATE SQL SECURITY INVOKER VIEW load_missing.far AS SELECT a FROM load_missing_other.t");
  Plan(BackUpAs(Limited()));
  EXPECT_THAT(run_.warnings.All(), ElementsAre(HasSubstr("the restore removes 1 view, 2 trigg")));
}

TEST_P(MissingObjects, LiveCompareSaysWhichAreMissingAndWhichAreNew) {
  const std::string archive = BackUpAs(connect_);
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive, run_.run);
  const ComponentManifest& expected = *reader->manifest()->Find("mysql");
  session_.Execute("USE load_missing");
  for (const char* const dropped :
       {"TRIGGER parent_in", "VIEW a_over_z", "EVENT tidy", "PROCEDURE count_up"}) {
    session_.Execute(std::string("DROP ") + dropped);
  }
  session_.Execute("CREATE FUNCTION newer() RETURNS INT DETERMINISTIC RETURN 2");
  EXPECT_THAT(
      MakeLiveComparer(connect_, 1, run_.run)->Compare(expected),
      UnorderedElementsAre("The trigger load_missing.parent_in is missing on the server.",
                           "The view load_missing.a_over_z is missing on the server.",
                           "The event load_missing.tidy is missing on the server.",
                           "The procedure load_missing.count_up is missing on the server.",
                           "The function load_missing.newer is on the server but not in the "
                           "archive."));
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST_P(MissingObjects, WhatTheComparingAccountMayNotSeeIsNotCalledMissing) {
  const std::string archive = BackUpAs(connect_);
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive, run_.run);
  EXPECT_THAT(MakeLiveComparer(Limited(), 1, run_.run)->Compare(*reader->manifest()->Find("mysql")),
              IsEmpty());
  EXPECT_THAT(run_.warnings.All(),
              UnorderedElementsAre(HasSubstr("the triggers of load_missing are not compared"),
                                   HasSubstr("the events of load_missing are not compared"),
                                   HasSubstr("the routines of load_missing are not compared")));
}

TEST_P(MissingObjects, WhatIsNewerThanAWholeArchiveIsALineOfThePlanAndNoWarning) {
  const std::string archive = BackUpAs(connect_);
  session_.Execute("CREATE FUNCTION load_missing.newer() RETURNS INT DETERMINISTIC RETURN 2");
  EXPECT_THAT(Plan(archive).replaced,
              Contains(Line("load_missing: routines", "3 routines", "2 routines")));
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

}  // namespace
}  // namespace oxbackup::mysql
