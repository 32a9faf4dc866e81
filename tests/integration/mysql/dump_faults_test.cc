// What a dump does when something is wrong or goes wrong, and that it is the same twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "archive/archive_writer.h"
#include "base/task_group.h"
#include "dump_testing.h"
#include "mysql/quote.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using testing::Contains;
using testing::HasSubstr;

// Takes bytes, and does something when the first of them come.
class TriggerSink final : public ByteSink {
 public:
  explicit TriggerSink(std::function<void()> first) : first_(std::move(first)) {}
  void Write(std::string_view) override {
    if (first_) std::exchange(first_, nullptr)();
  }
  void Finish() override {}

 private:
  std::function<void()> first_;
};

class DumpFaultsTest : public testing::TestWithParam<Flavour> {
 protected:
  DumpFaultsTest() : server_(ServerOf(GetParam())), session_(server_, {}) {}

  static DumpOptions OptionsFor(const std::string& database) {
    DumpOptions options;
    options.databases = {database};
    options.accounts = false;
    return options;
  }

  // About 1.1 kB a row.
  void FillTable(const std::string& name, int rows) {
    session_.Execute("CREATE TABLE " + name + " (id INT PRIMARY KEY, v TEXT) CHARSET=utf8mb4");
    session_.Execute("INSERT INTO " + name + " VALUES (0, REPEAT('x', 1100))");
    for (int have = 1; have < rows; have *= 2) {
      session_.Execute("INSERT INTO " + name + " SELECT id + " + std::to_string(have) +
                       ", CONCAT(SHA2(id, 256), v) FROM " + name);
    }
  }

  // Waits until the copy reads the table, and gives its connection's number. The sink that calls
  // this stands still meanwhile, so that the small budget keeps the copy from coming to its end.
  static std::string WaitForReader(Session& session, const std::string& table) {
    while (true) {
      std::string id = session.QueryValue(
          "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND INFO LIKE "
          "'SELECT%" +
          table + "%ORDER BY%'");
      if (!id.empty()) return id;
    }
  }
  static constexpr uint64_t kSmallBudget = uint64_t{24} << 20;

  Error ErrorOf(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return CancelledError();
  }

  ConnectOptions server_;
  Session session_;
};

TEST_P(DumpFaultsTest, AnUnknownDatabaseIsNamed) {
  TestRun test;
  const auto source = MakeBackupSource(server_, OptionsFor("dump_no_such"), test.run);
  const Error error = ErrorOf([&] { source->Prepare(); });
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("dump_no_such"));
  EXPECT_FALSE(error.hint().empty());
}

TEST_P(DumpFaultsTest, AWrongPasswordSaysWhatToCheck) {
  TestRun test;
  ConnectOptions wrong = server_;
  wrong.password = "not-the-password";
  const auto source = MakeBackupSource(wrong, {}, test.run);
  const Error error = ErrorOf([&] { source->Prepare(); });
  EXPECT_EQ(error.kind(), ErrorKind::kSource);
  EXPECT_THAT(error.cause(), HasSubstr("1045"));
  EXPECT_THAT(error.hint(), HasSubstr("MYSQL_ROOT_PASSWORD"));
  for (const std::string& context : error.contexts()) {
    EXPECT_THAT(context, testing::Not(HasSubstr("not-the-password")));
  }
}

TEST_P(DumpFaultsTest, AnUnreachableServerSaysWhatToCheck) {
  ConnectOptions nowhere = server_;
  nowhere.port = 1;
  const Error error = ErrorOf([&] { Session(nowhere, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::kSource);
  EXPECT_THAT(error.hint(), HasSubstr("MYSQL_HOST"));
}

TEST_P(DumpFaultsTest, AnAccountThatMayNotSeeEverythingIsAWarning) {
  const ScratchDatabase database(session_, "dump_rights");
  session_.Execute("CREATE TABLE dump_rights.seen (a INT)");
  session_.Execute("CREATE TABLE dump_rights.hidden (a INT)");
  session_.Execute("DROP USER IF EXISTS dump_rights_user");
  session_.Execute("CREATE USER dump_rights_user IDENTIFIED BY 'Limited-1'");
  session_.Execute("GRANT SELECT ON dump_rights.seen TO dump_rights_user");
  ConnectOptions limited = server_;
  limited.user = "dump_rights_user";
  limited.password = "Limited-1";
  DumpOptions options = OptionsFor("dump_rights");
  options.accounts = true;
  const DumpedArchive dumped = Dump(limited, options);
  session_.Execute("DROP USER dump_rights_user");
  EXPECT_THAT(dumped.warnings, Contains(HasSubstr("no right SELECT on all of dump_rights")));
  EXPECT_THAT(dumped.warnings,
              Contains(HasSubstr("neither SHOW_ROUTINE nor EXECUTE on all of dump_rights")));
  EXPECT_THAT(dumped.warnings, Contains(HasSubstr("accounts and rights are not in the backup")));
}

TEST_P(DumpFaultsTest, AServerThatShowsNoDatabasesIsAWarning) {
  session_.Execute("DROP USER IF EXISTS dump_blind_user");
  session_.Execute("CREATE USER dump_blind_user IDENTIFIED BY 'Limited-1'");
  ConnectOptions blind = server_;
  blind.user = "dump_blind_user";
  blind.password = "Limited-1";
  const DumpedArchive dumped = Dump(blind, DumpOptions{});
  session_.Execute("DROP USER dump_blind_user");
  EXPECT_THAT(dumped.warnings, Contains(HasSubstr("holds no databases to back up")));
}

TEST_P(DumpFaultsTest, AListOfSystemDatabasesAloneIsRefused) {
  TestRun test;
  DumpOptions options = OptionsFor("mysql");
  options.databases.emplace_back("sys");
  options.accounts = true;
  const auto source = MakeBackupSource(server_, options, test.run);
  const Error error = ErrorOf([&] { source->Prepare(); });
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("mysql, sys"));
  EXPECT_THAT(error.hint(), HasSubstr("MYSQL_DATABASES"));
}

// Without the instance lock, which this account may not take, nothing holds DDL off a table that
// has not been read yet.
class DumpDdlTest : public DumpFaultsTest {
 protected:
  DumpDdlTest() : limited_(server_) {
    session_.Execute("DROP USER IF EXISTS dump_ddl_user");
    session_.Execute("CREATE USER dump_ddl_user IDENTIFIED BY 'Limited-1'");
    session_.Execute(
        "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, RELOAD, LOCK TABLES, PROCESS ON *.* TO "
        "dump_ddl_user");
    limited_.user = "dump_ddl_user";
    limited_.password = "Limited-1";
    options_ = OptionsFor("dump_dropped");
    session_.Execute("SET SESSION lock_wait_timeout = 5");
    database_.emplace(session_, "dump_dropped");
    session_.Execute("CREATE TABLE dump_dropped.t (a INT PRIMARY KEY)");
    session_.Execute("INSERT INTO dump_dropped.t VALUES (1)");
  }
  ~DumpDdlTest() override { session_.Execute("DROP USER dump_ddl_user"); }

  void ExpectTableNamed(const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSource);
    EXPECT_STREQ(error.what(),
                 "the table dump_dropped.t was dropped or altered while it was copied");
    EXPECT_FALSE(error.cause().empty());
    EXPECT_THAT(error.hint(), HasSubstr("run the backup again"));
  }

  // The error of a copy before which `ddl` is run.
  Error ErrorAfter(const std::string& ddl) {
    TestRun test;
    StringSink sink;
    ArchiveWriter writer(sink, {{Codec::kNone, 0}, 2}, test.run);
    const auto source = MakeBackupSource(limited_, options_, test.run);
    source->Prepare();
    source->TakeSnapshot();
    session_.Execute(ddl);
    return ErrorOf([&] { source->Copy(writer); });
  }

  ConnectOptions limited_;
  DumpOptions options_;
  std::optional<ScratchDatabase> database_;
};

TEST_P(DumpDdlTest, ATableDroppedBeforeTheCopyIsNamed) {
  ExpectTableNamed(ErrorAfter("DROP TABLE dump_dropped.t"));
}

TEST_P(DumpDdlTest, ATableRebuiltBeforeTheCopyIsNamed) {
  ExpectTableNamed(ErrorAfter("ALTER TABLE dump_dropped.t ENGINE=InnoDB, FORCE"));
}

TEST_P(DumpDdlTest, ATableAlteredBeforeACopyWithoutATransactionIsNamed) {
  options_.snapshot.single_transaction = false;
  ExpectTableNamed(ErrorAfter("ALTER TABLE dump_dropped.t DROP COLUMN a, ADD COLUMN b INT"));
}

TEST_P(DumpDdlTest, ATableDroppedWhileAnotherIsReadIsNamed) {
  FillTable("dump_dropped.big", 1 << 15);
  TestRun test(kSmallBudget);
  options_.snapshot.readers = 1;
  TriggerSink sink([&] {
    WaitForReader(session_, "`dump_dropped`.`big`");
    session_.Execute("DROP TABLE dump_dropped.t");
  });
  ArchiveWriter writer(sink, {{Codec::kNone, 0}, 1}, test.run);
  const auto source = MakeBackupSource(limited_, options_, test.run);
  source->Prepare();
  source->TakeSnapshot();
  const Error error = ErrorOf([&] { source->Copy(writer); });
  ExpectTableNamed(error);
  EXPECT_THAT(error.contexts(), Contains("copying the table dump_dropped.t"));
}

INSTANTIATE_TEST_SUITE_P(Servers, DumpDdlTest, testing::Values(Flavour::kMySql, Flavour::kMariaDb),
                         FlavourName);

TEST_P(DumpFaultsTest, AConnectionKilledDuringTheCopyIsAClearError) {
  const ScratchDatabase database(session_, "dump_killed");
  FillTable("dump_killed.t", 1 << 15);
  TestRun test(kSmallBudget);
  Session other(server_, {});
  TriggerSink sink([&] { other.Execute("KILL " + WaitForReader(other, "`dump_killed`")); });
  ArchiveWriter writer(sink, {{Codec::kNone, 0}, 1}, test.run);
  const auto source = MakeBackupSource(server_, OptionsFor("dump_killed"), test.run);
  source->Prepare();
  source->TakeSnapshot();
  const Error error = ErrorOf([&] { source->Copy(writer); });
  EXPECT_EQ(error.kind(), ErrorKind::kSource);
  EXPECT_FALSE(error.hint().empty());
  EXPECT_THAT(error.contexts(), Contains(HasSubstr("dump_killed.t")));
}

TEST_P(DumpFaultsTest, AStopRequestEndsTheCopy) {
  const ScratchDatabase database(session_, "dump_stopped");
  FillTable("dump_stopped.t", 1 << 15);
  TestRun test(kSmallBudget);
  Session other(server_, {});
  TriggerSink sink([&] {
    WaitForReader(other, "`dump_stopped`");
    test.stop.request_stop();
  });
  ArchiveWriter writer(sink, {{Codec::kNone, 0}, 1}, test.run);
  const auto source = MakeBackupSource(server_, OptionsFor("dump_stopped"), test.run);
  source->Prepare();
  source->TakeSnapshot();
  EXPECT_EQ(ErrorOf([&] { source->Copy(writer); }).kind(), ErrorKind::kCancelled);
}

TEST_P(DumpFaultsTest, AStopRequestEndsAStatementAndKillsItOnTheServer) {
  std::stop_source stop;
  TaskGroup group(stop.get_token());
  Session stuck(server_, stop.get_token());
  const std::string id = stuck.QueryValue("SELECT CONNECTION_ID()");
  group.Run([&](const std::stop_token&) { stuck.Execute("DO SLEEP(600)"); });
  const std::string running =
      "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Query' AND ID = " + id;
  while (session_.QueryValue(running) == "0") {
  }
  stop.request_stop();
  EXPECT_EQ(ErrorOf([&] { group.Wait(); }).kind(), ErrorKind::kCancelled);
  while (session_.QueryValue(running) != "0") {
  }
}

TEST_P(DumpFaultsTest, TheSameDataMakesTheSameMembersWhateverTheReaders) {
  const ScratchDatabase database(session_, "dump_same");
  FillTable("dump_same.big", 1 << 14);
  for (int i = 0; i < 40; ++i) {
    const std::string name = "dump_same.small_" + std::to_string(i);
    session_.Execute("CREATE TABLE " + name + " (a INT PRIMARY KEY, b DOUBLE)");
    session_.Execute("INSERT INTO " + name + " VALUES (1, 0.1), (2, 0.2)");
  }
  DumpOptions options = OptionsFor("dump_same");
  const DumpedArchive first = Dump(server_, options);
  options.snapshot.readers = 1;
  const DumpedArchive second = Dump(server_, options);
  EXPECT_EQ(first.members, second.members);
  EXPECT_EQ(first.Find("dump_same", "big")->digest, second.Find("dump_same", "big")->digest);
  EXPECT_EQ(first.Find("dump_same", "big")->items, uint64_t{1} << 14);
}

TEST_P(DumpFaultsTest, EnginesWithoutTransactionsAreAWarning) {
  const ScratchDatabase database(session_, "dump_engines");
  session_.Execute("CREATE TABLE dump_engines.m (a INT) ENGINE=MyISAM");
  session_.Execute("INSERT INTO dump_engines.m VALUES (1)");
  const DumpedArchive dumped = Dump(server_, OptionsFor("dump_engines"));
  EXPECT_THAT(dumped.warnings, Contains(HasSubstr("dump_engines.m")));
  EXPECT_EQ(dumped.RowsOf("dump_engines", "m"), std::vector<std::string>{"(1)"});
}

INSTANTIATE_TEST_SUITE_P(Servers, DumpFaultsTest,
                         testing::Values(Flavour::kMySql, Flavour::kMariaDb), FlavourName);

}  // namespace
}  // namespace oxbackup::mysql
