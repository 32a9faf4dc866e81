// What one server stores and another, or the same one with other settings, would not take.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "archive/archive_testing.h"
#include "base/error.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSite[] = "load_fit";

class ArchiveFit : public testing::TestWithParam<Flavour> {
 protected:
  ArchiveFit() : connect_(ServerOf(GetParam())), session_(connect_, {}) {
    ForgetRestores(session_);
    site_.emplace(session_, kSite);
    session_.Execute("USE load_fit");
    usual_packet_ = session_.QueryValue("SELECT @@GLOBAL.max_allowed_packet");
  }
  ~ArchiveFit() override {
    AllowPackets(usual_packet_);
    ForgetRestores(session_);
  }

  void AllowPackets(const std::string& bytes) {
    session_.Execute("SET GLOBAL max_allowed_packet=" + bytes);
  }
  /// Its text is twice as long: every byte needs a backslash.
  void InsertSixMebibytesOfText() {
    session_.Execute("CREATE TABLE b (a INT PRIMARY KEY, t LONGBLOB)");
    session_.Execute("INSERT INTO b VALUES (1, REPEAT(0x27, 3145728))");
  }
  std::string BackUpSite() { return BackUp(connect_, {kSite}, false, run_.run); }
  std::unique_ptr<RestoreTarget> MakeTarget() {
    return MakeRestoreTarget(connect_, QuietOptions(), run_.run);
  }
  /// The error of a plan.
  Error Refusal(const std::string& archive) {
    try {
      MakeTarget()->Plan(OpenBytes(archive, run_.run)->manifest(), RestoreRoom::kInPlace);
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorKind::kInternal, "the plan was made");
  }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  std::optional<ScratchDatabase> site_;
  std::string usual_packet_;
};

INSTANTIATE_TEST_SUITE_P(Servers, ArchiveFit, testing::Values(Flavour::kMySql, Flavour::kMariaDb),
                         FlavourName);

TEST_P(ArchiveFit, ARowThatTheServerWouldNotTakeIsRefusedInThePlan) {
  InsertSixMebibytesOfText();
  const std::string archive = BackUpSite();
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
  AllowPackets("4194304");
  const Error refusal = Refusal(archive);
  EXPECT_EQ(refusal.kind(), ErrorKind::kUsage);
  EXPECT_THAT(refusal.what(),
              AllOf(HasSubstr("load_fit.b has a row that takes an INSERT of 6.3 MB"),
                    HasSubstr("max_allowed_packet is 4.2 MB")));
  EXPECT_THAT(refusal.hint(), HasSubstr("SET GLOBAL max_allowed_packet=7340032 "));
  AllowPackets("7340032");
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  EXPECT_EQ(session_.QueryValue("SELECT LENGTH(t) FROM load_fit.b"), "3145728");
}

TEST_P(ArchiveFit, ABackupWarnsOfARowThatItsOwnServerWouldNotTakeAgain) {
  InsertSixMebibytesOfText();
  AllowPackets("4194304");
  static_cast<void>(BackUpSite());
  EXPECT_THAT(
      run_.warnings.All(),
      ElementsAre(HasSubstr("a restore needs SET GLOBAL max_allowed_packet=7340032 first")));
}

TEST_P(ArchiveFit, OfADumpWithoutManifestTheLongInsertIsNamedAndNotSent) {
  AllowPackets("1048576");
  const std::string archive = WriteArchive(
      "none",
      {{MakeFile("data/mysql_dump/load_fit-schema-create.sql",
                 "CREATE DATABASE IF NOT EXISTS `load_fit`;\n"),
        MakeFile("data/mysql_dump/load_fit.t-schema.sql",
                 "CREATE TABLE `t` (`a` longtext) ENGINE=InnoDB;"),
        MakeFile("data/mysql_dump/load_fit.t.1.sql",
                 "INSERT INTO `t` (`a`) VALUES\n('" + std::string(2000000, 'x') + "');\n")}},
      run_.run);
  const auto target = MakeTarget();
  try {
    target->Load(*OpenBytes(archive, run_.run));
    ADD_FAILURE() << "it was loaded";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("load_fit.t has a row that takes an INSERT of 2.0 MB"));
    EXPECT_THAT(error.hint(), HasSubstr("SET GLOBAL max_allowed_packet=2097152 "));
  }
  target->Abandon();
}

TEST_P(ArchiveFit, ATablespaceThatIsNotThereIsNamedInThePlan) {
  if (GetParam() == Flavour::kMariaDb) {
    EXPECT_TRUE(session_.TryExecute("CREATE TABLESPACE load_ts ADD DATAFILE 'load_ts.ibd'"))
        << "it has them now";
    return;
  }
  session_.Execute("CREATE TABLESPACE load_ts ADD DATAFILE 'load_ts.ibd'");
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY) TABLESPACE load_ts");
  const std::string archive = BackUpSite();
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  session_.Execute("DROP TABLE load_fit.t");
  session_.Execute("DROP TABLESPACE load_ts");
  const Error refusal = Refusal(archive);
  EXPECT_EQ(refusal.kind(), ErrorKind::kUsage);
  EXPECT_THAT(refusal.what(), HasSubstr("load_fit.t lies in the tablespace load_ts"));
  EXPECT_THAT(refusal.hint(), HasSubstr("CREATE TABLESPACE `load_ts` ADD DATAFILE 'load_ts.ibd'"));
}

TEST_P(ArchiveFit, RowsThatBreakACheckComeBack) {
  if (GetParam() == Flavour::kMySql) {
    EXPECT_TRUE(session_.TryExecute("SET SESSION check_constraint_checks=0")) << "it can now";
    return;
  }
  session_.Execute("CREATE TABLE c (a INT PRIMARY KEY, b INT CHECK (b > 0), j JSON)");
  session_.Execute("SET SESSION check_constraint_checks=0");
  session_.Execute("INSERT INTO c VALUES (1, -1, 'no json')");
  const auto before = Describe(session_, kSite);
  const std::string archive = BackUpSite();
  session_.Execute("DELETE FROM c");
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  EXPECT_EQ(Describe(session_, kSite), before);
}

}  // namespace
}  // namespace oxbackup::mysql
