#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/archive_testing.h"
#include "base/error.h"
#include "mysql/quote.h"
#include "mysql/shadow_names.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSite[] = "load_site";

class Restore : public testing::TestWithParam<Flavour> {
 protected:
  Restore() : connect_(ServerOf(GetParam())), session_(connect_, std::stop_token()) {
    ForgetRestores(session_);
    site_.emplace(session_, kSite);
    FillSite(session_, kSite, 1);
    original_ = Describe(session_, kSite);
    archive_ = BackUp(connect_, {kSite}, false, run_.run);
  }
  ~Restore() override { ForgetRestores(session_); }

  /// Puts another version of the site, with a table of its own, in the place of the original.
  void Replace() {
    site_.reset();
    site_.emplace(session_, kSite);
    FillSite(session_, kSite, 2);
    session_.Execute("CREATE TABLE only_now (a INT PRIMARY KEY)");
    session_.Execute("CREATE VIEW only_now_view AS SELECT a FROM only_now");
    changed_ = Describe(session_, kSite);
  }

  std::unique_ptr<RestoreTarget> MakeTarget() {
    return MakeRestoreTarget(connect_, QuietOptions(), run_.run);
  }
  std::vector<std::string> SchemasOfOurs() {
    std::vector<std::string> names;
    for (const Row& row : session_.Query(
             "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE "
             "'load\\_%\\_\\_%' OR SCHEMA_NAME='openedx_backup' ORDER BY 1")) {
      names.push_back(row[0].value_or(""));
    }
    return names;
  }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  std::optional<ScratchDatabase> site_;
  std::map<std::string, std::string> original_;
  std::map<std::string, std::string> changed_;
  std::string archive_;
};

INSTANTIATE_TEST_SUITE_P(Servers, Restore, testing::Values(Flavour::kMySql, Flavour::kMariaDb),
                         FlavourName);

TEST_P(Restore, BringsEverythingBackAndRemovesWhatTheArchiveLacks) {
  Replace();
  ASSERT_NE(changed_, original_);
  const auto target = MakeTarget();
  RestoreAll(*target, archive_, false, run_.run);
  EXPECT_EQ(Describe(session_, kSite), original_);
  EXPECT_THAT(SchemasOfOurs(), ElementsAre("openedx_backup")) << "where the note is";
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST_P(Restore, MakesADatabaseThatIsGone) {
  session_.Execute("DROP DATABASE load_site");
  const auto target = MakeTarget();
  RestoreAll(*target, archive_, false, run_.run);
  EXPECT_EQ(Describe(session_, kSite), original_);
}

TEST_P(Restore, TriggersRoutinesAndForeignKeysWorkAfterwards) {
  Replace();
  RestoreAll(*MakeTarget(), archive_, false, run_.run);
  session_.Execute("USE load_site");
  session_.Execute("SET foreign_key_checks=1");
  session_.Execute("INSERT INTO parent (code) VALUES ('new')");
  EXPECT_EQ(session_.QueryValue("SELECT what FROM audit"), "before 1; it's");
  EXPECT_EQ(session_.QueryValue("SELECT answer()"), "1");
  session_.Execute("CALL count_up(3)");
  session_.Execute("UPDATE parent SET twin=NULL");
  session_.Execute("DELETE FROM parent WHERE id=1");
  EXPECT_EQ(session_.QueryValue("SELECT COUNT(*) FROM child WHERE parent_id=1"), "0");
  EXPECT_TRUE(session_.TryExecute("INSERT INTO child (parent_id) VALUES (99)"));
}

TEST_P(Restore, FromAPipeGivesTheSame) {
  Replace();
  const auto target = MakeTarget();
  const std::unique_ptr<ArchiveReader> reader = OpenPipe(archive_);
  target->Plan(nullptr, RestoreRoom::kBeside);
  target->Load(*reader);
  target->Verify(reader->manifest()->Find("mysql"));
  target->WriteIntent(IntentOf("run", false));
  target->Swap();
  target->CloseSwap(false);
  EXPECT_EQ(Describe(session_, kSite), original_);
}

TEST_P(Restore, LiveDataStayUntouchedUntilTheSwap) {
  Replace();
  const auto target = MakeTarget();
  PrepareRestore(*target, archive_, run_.run);
  EXPECT_EQ(Describe(session_, kSite), changed_);
  target->WriteIntent(IntentOf("run", false));
  EXPECT_EQ(Describe(session_, kSite), changed_);
  target->UndoSwap("");
  target->Abandon();
  EXPECT_EQ(Describe(session_, kSite), changed_);
  EXPECT_THAT(SchemasOfOurs(), IsEmpty());
}

TEST_P(Restore, VerifyNamesTheTableThatDiffers) {
  const auto target = MakeTarget();
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive_, run_.run);
  target->Load(*reader);
  session_.Execute("UPDATE load_site__restore.child SET score=score+1 WHERE id=4711");
  try {
    target->Verify(reader->manifest()->Find("mysql"));
    FAIL() << "the change was not found";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.what(), HasSubstr("load_site.child"));
  }
  target->Abandon();
  EXPECT_THAT(SchemasOfOurs(), IsEmpty());
}

TEST_P(Restore, AFailedLoadLeavesNothingButTheLiveData) {
  Replace();
  // The row that the server refuses: its parent's key would be there twice.
  std::vector<Member> members;
  members.push_back(MakeFile("data/mysql_dump/load_site-schema-create.sql",
                             "CREATE DATABASE IF NOT EXISTS `load_site`;\n"));
  members.push_back(
      MakeFile("data/mysql_dump/load_site.t-schema.sql",
               "CREATE TABLE `t` (`a` int NOT NULL, PRIMARY KEY (`a`)) ENGINE=InnoDB;"));
  members.push_back(
      MakeFile("data/mysql_dump/load_site.t.1.sql",
               "INSERT INTO `t` (`a`) VALUES\n(1);\nINSERT INTO `t` (`a`) VALUES\n(1);\n"));
  const std::string archive = WriteArchive("none", {members}, run_.run);
  const auto target = MakeTarget();
  try {
    target->Load(*OpenBytes(archive, run_.run));
    FAIL() << "a duplicate row was accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.contexts(), ::testing::Contains(HasSubstr("load_site.t")));
    EXPECT_THAT(error.cause(), HasSubstr("Duplicate"));
  }
  target->Abandon();
  EXPECT_EQ(Describe(session_, kSite), changed_);
  EXPECT_THAT(SchemasOfOurs(), IsEmpty());
}

TEST_P(Restore, LeftoversOfABrokenLoadAreRemovedByTheNext) {
  {
    const auto broken = MakeTarget();
    broken->Load(*OpenBytes(archive_, run_.run));
  }
  EXPECT_THAT(SchemasOfOurs(), ElementsAre("load_site__restore", "openedx_backup"));
  RestoreAll(*MakeTarget(), archive_, false, run_.run);
  EXPECT_THAT(SchemasOfOurs(), ElementsAre("openedx_backup")) << "where the note is";
}

TEST_P(Restore, ADatabaseOfAnotherOwnerIsNeverDropped) {
  const ScratchDatabase other(session_, "load_site__restore");
  session_.Execute("CREATE TABLE load_site__restore.precious (a INT)");
  const auto target = MakeTarget();
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive_, run_.run);
  EXPECT_THROW(target->Plan(reader->manifest(), RestoreRoom::kBeside), Error);
  EXPECT_THROW(target->Load(*reader), Error);
  target->Abandon();
  EXPECT_EQ(session_.QueryValue("SELECT COUNT(*) FROM load_site__restore.precious"), "0");
}

TEST_P(Restore, ATableElsewhereThatRefersToTheOldDataIsNamed) {
  const ScratchDatabase other(session_, "load_other");
  session_.Execute(
      "CREATE TABLE load_other.guest (p INT, CONSTRAINT to_site FOREIGN KEY (p) "
      "REFERENCES load_site.parent (id)) ENGINE=InnoDB");
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive_, run_.run);
  try {
    MakeTarget()->Plan(reader->manifest(), RestoreRoom::kBeside);
    FAIL() << "the foreign key was not seen";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("load_other.guest"));
  }
}

TEST_P(Restore, MissingRightsAreNamed) {
  session_.Execute("DROP USER IF EXISTS 'load_weak'@'%'");
  session_.Execute("CREATE USER 'load_weak'@'%' IDENTIFIED BY 'load-weak-1A'");
  session_.Execute("GRANT SELECT, INSERT, CREATE ON *.* TO 'load_weak'@'%'");
  ConnectOptions weak = connect_;
  weak.user = "load_weak";
  weak.password = "load-weak-1A";
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive_, run_.run);
  try {
    MakeRestoreTarget(weak, QuietOptions(), run_.run)
        ->Plan(reader->manifest(), RestoreRoom::kBeside);
    ADD_FAILURE() << "the rights were not missed";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("DELETE, DROP, ALTER"));
  }
  session_.Execute("DROP USER 'load_weak'@'%'");
}

TEST_P(Restore, PlanSaysWhatIsReplaced) {
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive_, run_.run);
  const RestorePlan plan = MakeTarget()->Plan(reader->manifest(), RestoreRoom::kBeside);
  ASSERT_EQ(plan.replaced.size(), 5U) << "the tables; views, triggers, routines and events";
  EXPECT_EQ(plan.replaced[0].what, kSite);
  EXPECT_THAT(plan.replaced[0].now, HasSubstr("4 tables"));
  EXPECT_THAT(plan.replaced[0].after, HasSubstr("4 tables"));
  EXPECT_GT(plan.bytes_needed, 1'000'000U);
}

// The testbed's servers have their data on this machine.
TEST_P(Restore, ADiskThatIsTooSmallIsAWarning) {
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive_, run_.run);
  Manifest manifest = *reader->manifest();
  EXPECT_TRUE(MakeTarget()->Plan(&manifest, RestoreRoom::kBeside).bytes_free.has_value());
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
  for (ObjectEntry& object : manifest.components.at(0).objects) {
    if (object.name == "child") object.raw_bytes = uint64_t{1} << 60;
  }
  MakeTarget()->Plan(&manifest, RestoreRoom::kBeside);
  EXPECT_THAT(run_.warnings.All(), ElementsAre(HasSubstr("free, and the restore needs about")));
}

TEST_P(Restore, ASequenceGoesOnWhereItWas) {
  if (GetParam() == Flavour::kMySql) {
    EXPECT_TRUE(session_.TryExecute("CREATE SEQUENCE load_site.counter")) << "it has them now";
    return;
  }
  session_.Execute("CREATE SEQUENCE load_site.counter CACHE 10");
  for (int i = 0; i < 3; ++i) session_.QueryValue("SELECT NEXTVAL(load_site.counter)");
  const std::string next =
      session_.QueryValue("SELECT next_not_cached_value FROM load_site.counter");
  const std::string archive = BackUp(connect_, {kSite}, false, run_.run);
  session_.Execute("DROP SEQUENCE load_site.counter");
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  EXPECT_EQ(session_.QueryValue("SELECT NEXTVAL(load_site.counter)"), next);
}

TEST_P(Restore, LiveCompareSaysWhatDiffers) {
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive_, run_.run);
  const ComponentManifest& expected = *reader->manifest()->Find("mysql");
  const auto comparer = MakeLiveComparer(connect_, 2, run_.run);
  EXPECT_THAT(comparer->Compare(expected), IsEmpty());
  session_.Execute("USE load_site");
  session_.Execute("UPDATE parent SET code='x' WHERE id=1");
  session_.Execute("DELETE FROM child WHERE id < 3");
  session_.Execute("DROP TABLE audit");
  session_.Execute("CREATE TABLE more (a INT)");
  EXPECT_THAT(comparer->Compare(expected),
              ::testing::UnorderedElementsAre(
                  HasSubstr("load_site.parent has as many rows"),
                  HasSubstr("load_site.child has 5,998 rows on the server and 6,000"),
                  HasSubstr("load_site.audit is missing"),
                  HasSubstr("load_site.more is on the server but not")));
}

}  // namespace
}  // namespace oxbackup::mysql
