// What a backup and a restore must not do to a server that is somebody's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// clang-format off
#include <mysql.h>
#include <mariadb_rpl.h>  // needs what is above
// clang-format on

#include <functional>
#include <memory>
#include <optional>

#include "archive/archive_testing.h"
#include "base/error.h"
#include "dump_testing.h"
#include "mysql/shadow_names.h"
#include "mysql/swap_record.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kSite[] = "load_guard";

class Guard : public testing::TestWithParam<Flavour> {
 protected:
  Guard() : connect_(ServerOf(GetParam())), session_(connect_, std::stop_token()) {
    ForgetRestores(session_);
    site_.emplace(session_, kSite);
    session_.Execute("USE load_guard");
  }
  ~Guard() override { ForgetRestores(session_); }

  std::string BackUpSite() { return BackUp(connect_, {kSite}, false, run_.run); }
  std::unique_ptr<RestoreTarget> MakeTarget(const RestoreOptions& options = QuietOptions()) {
    return MakeRestoreTarget(connect_, options, run_.run);
  }
  bool IsThere(const std::string& table) {
    return !session_.TryExecute("SELECT 1 FROM " + table + " LIMIT 0");
  }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  std::optional<ScratchDatabase> site_;
};

INSTANTIATE_TEST_SUITE_P(Servers, Guard, testing::Values(Flavour::kMySql, Flavour::kMariaDb),
                         FlavourName);

TEST_P(Guard, ADatabaseThatIsCalledAsTheRecordsIsRefusedAndNotTouched) {
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  const std::string archive = BackUpSite();
  const ScratchDatabase theirs(session_, std::string(kRecordDatabase));
  session_.Execute("CREATE TABLE openedx_backup.copy_of_grades (a INT)");
  const auto target = MakeTarget();
  EXPECT_FALSE(target->FindOpenSwap());
  EXPECT_THROW(PrepareRestore(*target, archive, run_.run), Error);
  target->Abandon();
  EXPECT_TRUE(IsThere("openedx_backup.copy_of_grades"));
  EXPECT_FALSE(IsThere("openedx_backup.restores"));
}

TEST_P(Guard, TablesThatAreCalledAsTheRecordsAreNotTakenForThem) {
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  const std::string archive = BackUpSite();
  const ScratchDatabase theirs(session_, std::string(kRecordDatabase));
  session_.Execute("CREATE TABLE openedx_backup.schemas (id INT PRIMARY KEY, name VARCHAR(64))");
  session_.Execute("INSERT INTO openedx_backup.schemas VALUES (1, 'load_guard')");
  session_.Execute("CREATE TABLE openedx_backup.restores (a INT PRIMARY KEY)");
  session_.Execute("INSERT INTO openedx_backup.restores VALUES (1)");
  const auto target = MakeTarget();
  EXPECT_FALSE(target->FindOpenSwap());
  EXPECT_THROW(PrepareRestore(*target, archive, run_.run), Error);
  target->Abandon();
  EXPECT_TRUE(IsThere("load_guard.t"));
  EXPECT_TRUE(IsThere("openedx_backup.schemas"));
  EXPECT_TRUE(IsThere("openedx_backup.restores"));
}

TEST_P(Guard, OnlyWhatIsCalledAsARestoresOwnCanBeDroppedByIt) {
  RecordBook book(session_);
  book.Prepare();
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  session_.Execute("INSERT INTO openedx_backup.schemas VALUES ('load_guard')");
  EXPECT_THAT(book.OwnSchemas(), IsEmpty());
  book.DropSchema("load_guard");
  EXPECT_TRUE(IsThere("load_guard.t"));
}

TEST_P(Guard, AStrangersTableThatRefersToTheSiteIsNamedWhateverItsDatabaseIsCalled) {
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY) ENGINE=InnoDB");
  const std::string archive = BackUpSite();
  const ScratchDatabase theirs(session_, "load_reports__old");
  session_.Execute(
      "CREATE TABLE load_reports__old.r (a INT, CONSTRAINT c FOREIGN KEY (a) REFERENCES "
      "load_guard.t (a)) ENGINE=InnoDB");
  const auto target = MakeTarget();
  try {
    PrepareRestore(*target, archive, run_.run);
    ADD_FAILURE() << "the foreign key was not seen";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("load_reports__old.r"));
  }
  target->Abandon();
}

TEST_P(Guard, WhatSomebodyPutsBesideTheRecordsStays) {
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  const std::string archive = BackUpSite();
  const auto target = MakeTarget();
  PrepareRestore(*target, archive, run_.run);
  session_.Execute("CREATE TABLE openedx_backup.theirs (a INT)");
  target->WriteIntent(IntentOf("run", true));
  target->Swap();
  target->CloseSwap(true);
  MakeTarget()->UndoSwap("");
  EXPECT_TRUE(IsThere("openedx_backup.theirs"));
  EXPECT_FALSE(IsThere("openedx_backup.restores"));
  session_.Execute("DROP DATABASE openedx_backup");
}

TEST_P(Guard, ABackupSaysWhichDatabasesItLeavesOutForTheirNames) {
  const ScratchDatabase old(session_, "load_guard_copy__old");
  const ScratchDatabase dated(session_, "openedx_backup_2023");
  const DumpedArchive dumped = Dump(connect_, DumpOptions());
  EXPECT_THAT(dumped.warnings, Contains(HasSubstr("'load_guard_copy__old' is not in the backup")));
  EXPECT_TRUE(dumped.members.contains("data/mysql_dump/openedx_backup_2023-schema-create.sql"));
}

TEST_P(Guard, TextsThatEndInACommentComeBack) {
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  session_.Execute("CREATE PROCEDURE p() SELECT 1 -- done");
  session_.Execute("CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 2 # the answer");
  session_.Execute(
      "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = NEW.a -- as it is");
  session_.Execute(
      "CREATE EVENT e ON SCHEDULE EVERY 1 YEAR STARTS '2036-01-01' DO DELETE FROM t # all");
  const auto before = Describe(session_, kSite);
  const std::string archive = BackUpSite();
  session_.Execute("DROP PROCEDURE p");
  session_.Execute("DROP TRIGGER tr");
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  EXPECT_EQ(Describe(session_, kSite), before);
}

TEST_P(Guard, TriggersThatNameTheirDatabaseAreNotTriedOnTheLiveOne) {
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  session_.Execute(
      "CREATE TRIGGER load_guard.tr BEFORE INSERT ON load_guard.t FOR EACH ROW SET NEW.a = 5");
  const auto before = Describe(session_, kSite);
  const std::string archive = BackUpSite();
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  EXPECT_EQ(Describe(session_, kSite), before);
  session_.Execute("USE load_guard");
  session_.Execute("DROP TRIGGER tr");
  const auto target = MakeTarget();
  PrepareRestore(*target, archive, run_.run);
  EXPECT_THAT(session_.Query("SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_NAME='tr'"),
              IsEmpty());
  target->Abandon();
}

TEST_P(Guard, AForeignKeyMayReferToAKeyThatIsBuiltLater) {
  session_.Execute(
      "CREATE TABLE parent (id INT PRIMARY KEY AUTO_INCREMENT, code VARCHAR(40), x LONGTEXT, "
      "UNIQUE KEY code (code)) ENGINE=InnoDB");
  session_.Execute(
      "CREATE TABLE child (id INT PRIMARY KEY, code VARCHAR(40), "
      "CONSTRAINT by_code FOREIGN KEY (code) REFERENCES parent (code)) ENGINE=InnoDB");
  for (int i = 0; i < 20; ++i) {
    session_.Execute("INSERT INTO parent (code, x) VALUES (" + std::to_string(i) +
                     ", REPEAT('x', 1000000))");
  }
  session_.Execute("INSERT INTO child VALUES (1, '7')");
  const auto before = Describe(session_, kSite);
  const std::string archive = BackUpSite();
  session_.Execute("DELETE FROM child");
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  EXPECT_EQ(Describe(session_, kSite), before);
  session_.Execute("DELETE FROM child");
  const auto piped = MakeTarget();
  piped->Load(*OpenPipe(archive));
  piped->WriteIntent(IntentOf("run", false));
  piped->Swap();
  piped->CloseSwap(false);
  EXPECT_EQ(Describe(session_, kSite), before);
}

TEST_P(Guard, NobodysDdlWaitsOnceMysqlIsCopied) {
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  DumpOptions options;
  options.databases = {kSite};
  options.accounts = false;
  const auto source = MakeBackupSource(connect_, options, run_.run);
  source->Prepare();
  source->TakeSnapshot();
  StringSink sink;
  ArchiveWriterOptions archive;
  archive.compression = ParseCompression("none");
  ArchiveWriter writer(sink, archive, run_.run);
  source->Copy(writer);
  session_.Execute("SET SESSION lock_wait_timeout=2");
  session_.Execute("ALTER TABLE t ADD COLUMN b INT");
  EXPECT_EQ(source->Finish().objects.size(), 1u);
}

TEST_P(Guard, ARestoreThatReplicasWouldNotGetIsRefused) {
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  const std::string archive = BackUpSite();
  const std::unique_ptr<MYSQL, decltype(&mysql_close)> replica(mysql_init(nullptr), mysql_close);
  ASSERT_NE(mysql_real_connect(replica.get(), connect_.host.c_str(), connect_.user.c_str(),
                               connect_.password.c_str(), nullptr,
                               static_cast<unsigned>(connect_.port), nullptr, 0),
            nullptr)
      << mysql_error(replica.get());
  mysql_query(replica.get(), "SET @master_binlog_checksum='NONE', @source_binlog_checksum='NONE'");
  MARIADB_RPL* const stream = mariadb_rpl_init(replica.get());
  stream->server_id = 7777;
  stream->start_position = 4;
  ASSERT_EQ(mariadb_rpl_open(stream), 0) << mysql_error(replica.get());
  const auto target = MakeTarget();
  try {
    PrepareRestore(*target, archive, run_.run);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("replicas"));
    EXPECT_THAT(error.hint(), HasSubstr("--mysql-binlog"));
  }
  target->Abandon();
  RestoreOptions logged = QuietOptions();
  logged.binlog = true;
  const auto other = MakeTarget(logged);
  PrepareRestore(*other, archive, run_.run);
  other->Abandon();
  mariadb_rpl_close(stream);
}

// A query of the site on a table keeps its tables from being moved.
TEST_P(Guard, AnUndoThatCannotMoveTheTablesLeavesTheSiteWhole) {
  session_.Execute("CREATE TABLE t (a INT PRIMARY KEY)");
  session_.Execute("CREATE TABLE u (a INT PRIMARY KEY)");
  session_.Execute("CREATE VIEW v AS SELECT a FROM u");
  session_.Execute("CREATE TRIGGER tr BEFORE INSERT ON u FOR EACH ROW SET NEW.a = 5");
  session_.Execute("CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 2");
  const std::string archive = BackUpSite();
  RestoreAll(*MakeTarget(), archive, true, run_.run);
  const auto restored = Describe(session_, kSite);
  Session reader(connect_, {});
  reader.Execute("START TRANSACTION");
  reader.Query("SELECT * FROM load_guard.t");
  EXPECT_THROW(MakeTarget()->UndoSwap(""), Error);
  EXPECT_EQ(Describe(session_, kSite), restored);
  // The next run of anything does not carry it out.
  EXPECT_FALSE(MakeTarget()->FindOpenSwap());
  reader.Execute("COMMIT");
  MakeTarget()->UndoSwap("");
}

TEST(MySqlGuard, AnAccountThatMayNotSwitchTheLogOffIsNotToldSoByABackup) {
  const ConnectOptions root = ServerOf(Flavour::kMySql);
  Session session(root, {});
  session.Execute("DROP USER IF EXISTS load_guard_user");
  session.Execute("CREATE USER load_guard_user IDENTIFIED BY 'Limited-1'");
  session.Execute("GRANT SELECT ON *.* TO load_guard_user");
  ConnectOptions limited = root;
  limited.user = "load_guard_user";
  limited.password = "Limited-1";
  TestRun run;
  EXPECT_FALSE(MakeRestoreTarget(limited, QuietOptions(), run.run)->FindOpenSwap());
  EXPECT_THAT(run.warnings.All(), IsEmpty());
  session.Execute("DROP USER load_guard_user");
}

TEST(MySqlGuard, AReadOnlyDatabaseIsToldBeforeAnythingIsLoadedAndBeforeTheSwap) {
  const ConnectOptions connect = ServerOf(Flavour::kMySql);
  Session session(connect, {});
  ForgetRestores(session);
  TestRun run;
  {
    const ScratchDatabase site(session, kSite);
    session.Execute("CREATE TABLE load_guard.t (a INT PRIMARY KEY)");
    const std::string archive = BackUp(connect, {kSite}, false, run.run);
    const auto target = MakeRestoreTarget(connect, QuietOptions(), run.run);
    const auto expect_refused = [&](const std::function<void()>& body) {
      session.Execute("ALTER DATABASE load_guard READ ONLY=1");
      try {
        body();
        ADD_FAILURE() << "it was not refused";
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("load_guard"));
        EXPECT_THAT(error.hint(), HasSubstr("ALTER DATABASE `load_guard` READ ONLY=0"));
      }
      session.Execute("ALTER DATABASE load_guard READ ONLY=0");
    };
    const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive, run.run);
    for (const RestoreRoom room : {RestoreRoom::kBeside, RestoreRoom::kInPlace}) {
      expect_refused([&] { target->Plan(reader->manifest(), room); });
    }
    PrepareRestore(*target, archive, run.run);
    expect_refused([&] { target->WriteIntent(IntentOf("run", false)); });
    EXPECT_FALSE(MakeRestoreTarget(connect, QuietOptions(), run.run)->PeekOpenSwap());
    target->Abandon();
  }
  ForgetRestores(session);
}

// A transaction that owns a GTID may become visible at any moment: samples of a busy server that
// are equal prove nothing.
TEST(MySqlGuard, ABusyServerIsNotTakenForOneThatStandsStill) {
  const ConnectOptions connect = ServerOf(Flavour::kMySql);
  Session session(connect, {});
  const ScratchDatabase site(session, kSite);
  session.Execute("CREATE TABLE load_guard.t (a INT PRIMARY KEY)");
  Session applier(connect, {});
  applier.Execute("SET SESSION gtid_next='11111111-2222-3333-4444-555555555555:" +
                  applier.QueryValue("SELECT UNIX_TIMESTAMP()") + "'");
  applier.Execute("START TRANSACTION");
  DumpOptions options;
  options.databases = {kSite};
  options.accounts = false;
  options.snapshot.without = {SnapshotMethod::kGlobalReadLock, SnapshotMethod::kTableLocks};
  const DumpedArchive dumped = Dump(connect, options);
  EXPECT_THAT(dumped.manifest.consistency, HasSubstr("one reader"));
  applier.Execute("ROLLBACK");
  applier.Execute("SET SESSION gtid_next='AUTOMATIC'");
  const DumpedArchive quiet = Dump(connect, options);
  EXPECT_THAT(quiet.manifest.consistency, HasSubstr("nothing was committed"));
  EXPECT_TRUE(quiet.manifest.positions.contains("gtid_executed"));
}

}  // namespace
}  // namespace oxbackup::mysql
