// What a restore and its undo do to the accounts of a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/error.h"
#include "mysql/accounts_restore.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kSite[] = "load_accounts";

class RestoredAccounts : public testing::TestWithParam<Flavour> {
 protected:
  RestoredAccounts() : connect_(ServerOf(GetParam())), session_(connect_, std::stop_token()) {
    ForgetRestores(session_);
    Drop();
    site_.emplace(session_, kSite);
    session_.Execute("CREATE TABLE load_accounts.t (a INT PRIMARY KEY)");
  }
  ~RestoredAccounts() override {
    ForgetRestores(session_);
    Drop();
  }

  void Drop() {
    session_.Execute("DROP USER IF EXISTS 'load_app'@'%'");
    session_.Execute("DROP ROLE IF EXISTS load_role");
  }
  bool IsThere(const std::string& user) {
    return !session_.Query("SELECT 1 FROM mysql.user WHERE User='" + user + "'").empty();
  }
  std::unique_ptr<RestoreTarget> MakeTarget() {
    RestoreOptions options = QuietOptions();
    options.accounts = true;
    return MakeRestoreTarget(connect_, options, run_.run);
  }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  std::optional<ScratchDatabase> site_;
};

INSTANTIATE_TEST_SUITE_P(Servers, RestoredAccounts,
                         testing::Values(Flavour::kMySql, Flavour::kMariaDb), FlavourName);

TEST_P(RestoredAccounts, AnUndoRemovesThoseThatCameWithTheRestore) {
  session_.Execute("CREATE ROLE load_role");
  session_.Execute("CREATE USER 'load_app'@'%' IDENTIFIED BY 'app-Secret-1'");
  session_.Execute("GRANT load_role TO 'load_app'@'%'");
  const std::string archive = BackUp(connect_, {kSite}, true, run_.run);
  Drop();
  RestoreAll(*MakeTarget(), archive, true, run_.run);
  EXPECT_TRUE(IsThere("load_app"));
  EXPECT_TRUE(IsThere("load_role"));
  MakeTarget()->UndoSwap("");
  EXPECT_FALSE(IsThere("load_app"));
  EXPECT_FALSE(IsThere("load_role"));
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST_P(RestoredAccounts, AnUndoSaysWhichRightsStay) {
  session_.Execute("CREATE USER 'load_app'@'%' IDENTIFIED BY 'app-Secret-1'");
  session_.Execute("GRANT SELECT ON load_accounts.* TO 'load_app'@'%'");
  const std::string archive = BackUp(connect_, {kSite}, true, run_.run);
  session_.Execute("REVOKE SELECT ON load_accounts.* FROM 'load_app'@'%'");
  session_.Execute("ALTER USER 'load_app'@'%' IDENTIFIED BY 'other-Secret-2'");
  RestoreAll(*MakeTarget(), archive, true, run_.run);
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
  MakeTarget()->UndoSwap("");
  EXPECT_THAT(run_.warnings.All(),
              ElementsAre(AllOf(HasSubstr("load_app@%"), HasSubstr("rights"))));
  ConnectOptions app = connect_;
  app.user = "load_app";
  app.password = "other-Secret-2";
  EXPECT_NO_THROW(Session(app, std::stop_token()));
}

TEST_P(RestoredAccounts, AWarningDoesNotShowAPasswordsHash) {
  ApplyAccounts(session_,
                "CREATE USER IF NOT EXISTS `load_app`@`%` IDENTIFIED NONSENSE "
                "0x2A4142;\n",
                "root", run_.warnings);
  EXPECT_THAT(run_.warnings.All(), Contains(HasSubstr("load_app@%")));
  EXPECT_THAT(run_.warnings.All(), Not(Contains(HasSubstr("2A41"))));
}

TEST_P(RestoredAccounts, RightsOnViewsAndRoutinesComeWithThem) {
  session_.Execute("USE load_accounts");
  session_.Execute("CREATE VIEW v AS SELECT a FROM t");
  session_.Execute("CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1");
  session_.Execute("CREATE USER 'load_app'@'%' IDENTIFIED BY 'app-Secret-1'");
  session_.Execute("GRANT SELECT (a) ON load_accounts.v TO 'load_app'@'%'");
  session_.Execute("GRANT EXECUTE ON FUNCTION load_accounts.f TO 'load_app'@'%'");
  const Rows granted = session_.Query("SHOW GRANTS FOR 'load_app'@'%'");
  const std::string archive = BackUp(connect_, {kSite}, true, run_.run);
  Drop();
  session_.Execute("DROP DATABASE load_accounts");
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  EXPECT_EQ(session_.Query("SHOW GRANTS FOR 'load_app'@'%'"), granted);
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST_P(RestoredAccounts, RightsOnRoutinesOutliveTheirRoutinesReplacement) {
  session_.Execute("USE load_accounts");
  session_.Execute("CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1");
  const std::string archive = BackUp(connect_, {kSite}, false, run_.run);
  session_.Execute("CREATE PROCEDURE p() SELECT 1");
  session_.Execute("CREATE ROLE load_role");
  session_.Execute("CREATE USER 'load_app'@'%' IDENTIFIED BY 'app-Secret-1'");
  session_.Execute(
      "GRANT EXECUTE, ALTER ROUTINE ON FUNCTION load_accounts.f TO 'load_app'@'%' "
      "WITH GRANT OPTION");
  session_.Execute("GRANT EXECUTE ON FUNCTION load_accounts.f TO load_role");
  session_.Execute("GRANT EXECUTE ON PROCEDURE load_accounts.p TO 'load_app'@'%'");
  const Rows app = session_.Query("SHOW GRANTS FOR 'load_app'@'%'");
  const Rows role = session_.Query("SHOW GRANTS FOR load_role");
  for (const bool accounts : {false, true}) {
    RestoreOptions options = QuietOptions();
    options.accounts = accounts;
    RestoreAll(*MakeRestoreTarget(connect_, options, run_.run), archive, true, run_.run);
    EXPECT_EQ(session_.Query("SHOW GRANTS FOR load_role"), role);
    EXPECT_EQ(session_.Query("SHOW GRANTS FOR 'load_app'@'%'").size(), app.size() - 1)
        << "one of its routines is gone";
    MakeTarget()->UndoSwap("");
    EXPECT_EQ(session_.Query("SHOW GRANTS FOR load_role"), role);
    EXPECT_EQ(session_.Query("SHOW GRANTS FOR 'load_app'@'%'"), app);
  }
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST_P(RestoredAccounts, AnAccountThatCannotBeMadeDoesNotComeByAGrantWithoutAPassword) {
  const std::string script =
      "CREATE USER IF NOT EXISTS `load_app`@`%` IDENTIFIED WITH 'no_such_plugin';\n"
      "GRANT SELECT ON `load_accounts`.* TO `load_app`@`%`;\n";
  const std::set<std::string> told = ApplyAccounts(session_, script, "root", run_.warnings);
  ApplyRights(session_, script, "root", told, run_.warnings);
  EXPECT_FALSE(IsThere("load_app"));
  EXPECT_THAT(run_.warnings.All(), ElementsAre(HasSubstr("load_app@%")));
}

TEST_P(RestoredAccounts, NoPasswordIsNoExpiredOne) {
  session_.Execute("CREATE USER 'load_app'@'%'");
  const Rows before = session_.Query("SHOW CREATE USER 'load_app'@'%'");
  const std::string archive = BackUp(connect_, {kSite}, true, run_.run);
  RestoreAll(*MakeTarget(), archive, true, run_.run);
  EXPECT_EQ(session_.Query("SHOW CREATE USER 'load_app'@'%'"), before);
  MakeTarget()->UndoSwap("");
  EXPECT_EQ(session_.Query("SHOW CREATE USER 'load_app'@'%'"), before);
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST(MySqlAccounts, OlderArchivesThatNameNoPasswordDoNotExpireItEither) {
  Session session(ServerOf(Flavour::kMySql), {});
  TestRun run;
  session.Execute("DROP USER IF EXISTS load_app");
  session.Execute("CREATE USER load_app");
  const Rows before = session.Query("SHOW CREATE USER load_app");
  ApplyAccounts(session, "ALTER USER `load_app`@`%` IDENTIFIED WITH 'caching_sha2_password';\n",
                "root", run.warnings);
  EXPECT_EQ(session.Query("SHOW CREATE USER load_app"), before);
  session.Execute("DROP USER load_app");
}

// MySQL alone can keep the system's tables from somebody who may do everything else.
TEST(MySqlAccounts, ThoseThatCannotBeReadAreNotChanged) {
  const ConnectOptions root = ServerOf(Flavour::kMySql);
  Session session(root, {});
  ForgetRestores(session);
  TestRun run;
  std::optional<ScratchDatabase> site(std::in_place, session, kSite);
  session.Execute("CREATE TABLE load_accounts.t (a INT PRIMARY KEY)");
  session.Execute("DROP USER IF EXISTS load_app, load_half");
  session.Execute("CREATE USER load_app IDENTIFIED BY 'app-Secret-1'");
  const std::string archive = BackUp(root, {kSite}, true, run.run);
  session.Execute("DROP USER load_app");
  session.Execute("SET GLOBAL partial_revokes=ON");
  session.Execute("CREATE USER load_half IDENTIFIED BY 'Half-1'");
  session.Execute("GRANT ALL ON *.* TO load_half");
  session.Execute("REVOKE SELECT ON mysql.* FROM load_half");
  ConnectOptions half = root;
  half.user = "load_half";
  half.password = "Half-1";
  RestoreOptions options = QuietOptions();
  options.accounts = true;
  RestoreAll(*MakeRestoreTarget(half, options, run.run), archive, false, run.run);
  EXPECT_THAT(run.warnings.All(), Contains(HasSubstr("accounts stay as they are")));
  EXPECT_THAT(session.Query("SELECT 1 FROM mysql.user WHERE User='load_app'"), IsEmpty());
  session.Execute("DROP USER IF EXISTS load_app, load_half");
  session.Execute("SET GLOBAL partial_revokes=OFF");
  ForgetRestores(session);
}

}  // namespace
}  // namespace oxbackup::mysql
