// Views, triggers, routines and events that the server does not let a restore drop or create: told
// before the swap where that can be told, and after it in nobody's way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "archive/archive_testing.h"
#include "base/error.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSite[] = "load_objects";
using Texts = std::map<std::string, std::string>;

class RefusedObjects : public testing::TestWithParam<Flavour> {
 protected:
  RefusedObjects() : connect_(ServerOf(GetParam())), session_(connect_, std::stop_token()) {
    ForgetRestores(session_);
    site_.emplace(session_, kSite);
    session_.Execute("USE load_objects");
    session_.Execute("DROP USER IF EXISTS load_limited");
    session_.Execute("CREATE USER load_limited IDENTIFIED BY 'Limited-1'");
    session_.Execute(
        "GRANT SELECT, INSERT, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW, "
        "TRIGGER, CREATE ROUTINE, EVENT, SHOW VIEW ON *.* TO load_limited");
    session_.Execute(session_.server().mariadb
                         ? "GRANT SET USER ON *.* TO load_limited"
                         : "GRANT SET_ANY_DEFINER, SHOW_ROUTINE, SYSTEM_VARIABLES_ADMIN ON *.* TO "
                           "load_limited");
    limited_ = connect_;
    limited_.user = "load_limited";
    limited_.password = "Limited-1";
  }
  ~RefusedObjects() override {
    ForgetRestores(session_);
    session_.Execute("SET GLOBAL log_bin_trust_function_creators=OFF");
    session_.Execute("DROP USER IF EXISTS load_limited");
  }

  /// Everything but the right to drop other people's routines.
  void TrustLimited() {
    session_.Execute("SET GLOBAL log_bin_trust_function_creators=ON");
    if (!session_.server().mariadb) {
      session_.Execute("GRANT SYSTEM_USER ON *.* TO load_limited");
    }
  }

  void FillObjects(const std::string& v) {
    session_.Execute("CREATE OR REPLACE VIEW v AS SELECT a, " + v + " AS v FROM t");
    session_.Execute("DROP TRIGGER IF EXISTS tr");
    session_.Execute("CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = " + v);
    session_.Execute("DROP FUNCTION IF EXISTS f");
    session_.Execute("CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN " + v);
  }

  std::string BackUpSite() { return BackUp(connect_, {kSite}, false, run_.run); }
  std::unique_ptr<RestoreTarget> MakeTarget(const ConnectOptions& connect) {
    return MakeRestoreTarget(connect, QuietOptions(), run_.run);
  }
  void ExpectRefusedPlan(const std::string& archive, const std::string& what,
                         const std::string& hint) {
    const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive, run_.run);
    try {
      MakeTarget(limited_)->Plan(reader->manifest(), RestoreRoom::kBeside);
      ADD_FAILURE() << "the plan was not refused";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(what));
      EXPECT_THAT(error.hint(), HasSubstr(hint));
    }
  }
  /// Of an archive that tells only when it is read what is in it.
  void ExpectRefusedLoad(const std::string& archive, const std::string& what) {
    const Texts before = Describe(session_, kSite);
    const auto target = MakeTarget(limited_);
    try {
      target->Load(*OpenPipe(archive));
      ADD_FAILURE() << "the load was not refused";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(what));
    }
    target->Abandon();
    EXPECT_EQ(Describe(session_, kSite), before);
  }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  ConnectOptions limited_;
  std::optional<ScratchDatabase> site_;
};

INSTANTIATE_TEST_SUITE_P(Servers, RefusedObjects,
                         testing::Values(Flavour::kMySql, Flavour::kMariaDb), FlavourName);

TEST_P(RefusedObjects, TheRightToDropRoutinesIsAskedFor) {
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  ExpectRefusedPlan(BackUpSite(), "ALTER ROUTINE", "grant them");
}

TEST_P(RefusedObjects, TriggersThatNobodyTrustsAreToldBeforeAnythingIsLoaded) {
  session_.Execute("GRANT ALTER ROUTINE ON *.* TO load_limited");
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  session_.Execute("CREATE TABLE log (a INT)");
  const std::string with_none = BackUpSite();
  session_.Execute(
      "CREATE DEFINER=load_limited@'%' TRIGGER tr AFTER INSERT ON t FOR EACH ROW INSERT INTO "
      "load_objects.log VALUES (NEW.a)");
  const std::string with_one = BackUpSite();
  ExpectRefusedPlan(with_none, "triggers and functions", "log_bin_trust_function_creators");
  ExpectRefusedLoad(with_none, "the trigger load_objects.tr");
  session_.Execute("DROP TRIGGER tr");
  ExpectRefusedPlan(with_one, "triggers and functions", "log_bin_trust_function_creators");
  ExpectRefusedLoad(with_one, "the trigger load_objects.tr");
}

// The next run may have other rights than the one that was interrupted.
TEST_P(RefusedObjects, WhatCannotBeDroppedStaysAndTheRestComesInBothDirections) {
  TrustLimited();
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  FillObjects("1");
  const Texts restored = Describe(session_, kSite);
  const std::string archive = BackUpSite();
  FillObjects("2");
  const Texts before = Describe(session_, kSite);
  auto target = MakeTarget(connect_);
  PrepareRestore(*target, archive, run_.run);
  target->WriteIntent(IntentOf("run", true));
  target.reset();

  target = MakeTarget(limited_);
  ASSERT_TRUE(target->FindOpenSwap());
  target->CompleteSwap();
  target->CloseSwap(true);
  EXPECT_FALSE(target->FindOpenSwap());
  Texts half = restored;
  half["routines and events"] = before.at("routines and events");
  EXPECT_EQ(Describe(session_, kSite), half);
  EXPECT_THAT(run_.warnings.All(),
              Contains(AllOf(HasSubstr("the function load_objects.f could not be dropped"),
                             HasSubstr("DROP FUNCTION"))));
  EXPECT_THAT(run_.warnings.All(), Contains(HasSubstr("load_objects.f was not restored")));

  MakeTarget(limited_)->UndoSwap("");
  EXPECT_EQ(Describe(session_, kSite), before);
  EXPECT_FALSE(MakeTarget(limited_)->FindOpenSwap());
}

TEST_P(RefusedObjects, AnUndoThatMayNotDropWhatCameBringsBackTheRest) {
  TrustLimited();
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  FillObjects("1");
  const Texts restored = Describe(session_, kSite);
  const std::string archive = BackUpSite();
  FillObjects("2");
  Texts half = Describe(session_, kSite);
  RestoreAll(*MakeTarget(connect_), archive, true, run_.run);
  MakeTarget(limited_)->UndoSwap("");
  half["routines and events"] = restored.at("routines and events");
  EXPECT_EQ(Describe(session_, kSite), half);
  EXPECT_THAT(run_.warnings.All(),
              Contains(HasSubstr("the function load_objects.f could not be dropped")));
  EXPECT_FALSE(MakeTarget(connect_)->FindKeptSwap());
}

TEST_P(RefusedObjects, WhatWasThereAndCannotBeCreatedAgainIsToldWithItsText) {
  TrustLimited();
  session_.Execute("GRANT ALTER ROUTINE ON *.* TO load_limited");
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  const std::string archive = BackUpSite();
  FillObjects("2");
  const auto target = MakeTarget(connect_);
  PrepareRestore(*target, archive, run_.run);
  target->WriteIntent(IntentOf("run", true));
  target->Swap();
  target->CloseSwap(true);
  session_.Execute(session_.server().mariadb ? "REVOKE SET USER ON *.* FROM load_limited"
                                             : "REVOKE SET_ANY_DEFINER ON *.* FROM load_limited");
  MakeTarget(limited_)->UndoSwap("");
  EXPECT_THAT(run_.warnings.All(),
              Contains(AllOf(HasSubstr("load_objects.f"), HasSubstr("RETURN 2"))));
  EXPECT_FALSE(MakeTarget(limited_)->FindOpenSwap());
}

TEST_P(RefusedObjects, TextsThatDependOnTheirModeAndCharsetAreRehearsedUnderThem) {
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(9))");
  session_.Execute("SET SESSION sql_mode='NO_BACKSLASH_ESCAPES,ANSI_QUOTES'");
  session_.Execute("CREATE PROCEDURE load_objects.p() SELECT '\\' AS \"x\" FROM load_objects.t");
  session_.Execute(
      "CREATE EVENT e ON SCHEDULE EVERY 1 YEAR STARTS '2036-01-01' DO UPDATE t SET b = '\\'");
  session_.Execute("SET NAMES latin1");
  session_.Execute(
      "CREATE TRIGGER tr BEFORE INSERT ON load_objects.t FOR EACH ROW SET NEW.b = '\xe9\\'");
  session_.Execute("SET NAMES utf8mb4");
  session_.Execute("SET SESSION sql_mode=''");
  const Texts before = Describe(session_, kSite);
  const std::string archive = BackUpSite();
  RestoreAll(*MakeTarget(connect_), archive, true, run_.run);
  EXPECT_EQ(Describe(session_, kSite), before);
  MakeTarget(connect_)->UndoSwap("");
  EXPECT_EQ(Describe(session_, kSite), before);
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST(MySqlRefusedObjects, WhatRunsAsASystemUserIsToldBeforeTheSwap) {
  const ConnectOptions root = ServerOf(Flavour::kMySql);
  Session session(root, {});
  ForgetRestores(session);
  TestRun run;
  const ScratchDatabase site(session, kSite);
  session.Execute("USE load_objects");
  session.Execute("DROP USER IF EXISTS load_limited");
  session.Execute("CREATE USER load_limited IDENTIFIED BY 'Limited-1'");
  session.Execute(
      "GRANT SELECT, INSERT, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW, TRIGGER, "
      "CREATE ROUTINE, ALTER ROUTINE, EVENT, SHOW VIEW, SET_ANY_DEFINER, SHOW_ROUTINE, "
      "SYSTEM_VARIABLES_ADMIN ON *.* TO load_limited");
  ConnectOptions limited = root;
  limited.user = "load_limited";
  limited.password = "Limited-1";
  session.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  const std::string without = BackUp(root, {kSite}, false, run.run);
  session.Execute("CREATE EVENT e ON SCHEDULE EVERY 1 YEAR STARTS '2036-01-01' DO DELETE FROM t");
  const std::string with = BackUp(root, {kSite}, false, run.run);
  const Texts before = Describe(session, kSite);
  const auto target = MakeRestoreTarget(limited, QuietOptions(), run.run);
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(without, run.run);
  try {
    target->Plan(reader->manifest(), RestoreRoom::kBeside);
    ADD_FAILURE() << "the plan was not refused";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("the event load_objects.e"), HasSubstr("root@")));
    EXPECT_THAT(error.hint(), HasSubstr("SYSTEM_USER"));
  }
  EXPECT_NO_THROW(target->Plan(reader->manifest(), RestoreRoom::kInPlace));
  const auto expect_refused = [&](const std::string& archive) {
    try {
      target->Load(*OpenPipe(archive));
      ADD_FAILURE() << "the load was not refused";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("the event load_objects.e"));
      EXPECT_THAT(error.cause(), HasSubstr("SYSTEM_USER"));
    }
    target->Abandon();
  };
  expect_refused(without);
  EXPECT_EQ(Describe(session, kSite), before);
  session.Execute("DROP EVENT e");
  expect_refused(with);
  session.Execute("DROP USER load_limited");
  ForgetRestores(session);
}

class MariaDbPackages : public testing::Test {
 protected:
  MariaDbPackages() : connect_(ServerOf(Flavour::kMariaDb)), session_(connect_, {}) {
    ForgetRestores(session_);
    site_.emplace(session_, kSite);
    session_.Execute("USE load_objects");
    session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
    session_.Execute("CREATE VIEW v AS SELECT a FROM t");
  }
  ~MariaDbPackages() override { ForgetRestores(session_); }

  void CreatePackage() {
    session_.Execute("SET SESSION sql_mode=ORACLE");
    session_.Execute("CREATE PACKAGE pk AS FUNCTION one RETURN INT; END");
    session_.Execute(
        "CREATE PACKAGE BODY pk AS FUNCTION one RETURN INT AS BEGIN RETURN 1; END; END");
    session_.Execute("SET SESSION sql_mode=''");
  }
  std::unique_ptr<RestoreTarget> MakeTarget() {
    return MakeRestoreTarget(connect_, QuietOptions(), run_.run);
  }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  std::optional<ScratchDatabase> site_;
};

TEST_F(MariaDbPackages, TheyAreReplacedAndComeBack) {
  const std::string archive = BackUp(connect_, {kSite}, false, run_.run);
  const Texts restored = Describe(session_, kSite);
  CreatePackage();
  const Texts before = Describe(session_, kSite);
  RestoreAll(*MakeTarget(), archive, true, run_.run);
  EXPECT_EQ(Describe(session_, kSite), restored);
  MakeTarget()->UndoSwap("");
  EXPECT_EQ(Describe(session_, kSite), before);
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST_F(MariaDbPackages, TheyAreRestoredOverThemselves) {
  CreatePackage();
  const Texts before = Describe(session_, kSite);
  const std::string& text = before.at("routines and events");
  EXPECT_LT(text.find("ORACLE"), text.find("DROP PACKAGE IF EXISTS"))
      << "the stock client would be refused";
  const std::string archive = BackUp(connect_, {kSite}, false, run_.run);
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  EXPECT_EQ(Describe(session_, kSite), before);
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

}  // namespace
}  // namespace oxbackup::mysql
