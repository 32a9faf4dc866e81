// One moment, however it is reached.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/task_group.h"
#include "dump_testing.h"
#include "mysql/quote.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using testing::HasSubstr;

int64_t SumOf(const std::vector<std::string>& rows) {
  int64_t sum = 0;
  for (const std::string& row : rows) sum += std::stoll(row.substr(row.find(',') + 1));
  return sum;
}

class DumpSnapshotTest : public testing::TestWithParam<Flavour> {
 protected:
  DumpSnapshotTest() : server_(ServerOf(GetParam())), session_(server_, {}) {}

  DumpOptions OptionsFor(const std::string& database) {
    DumpOptions options;
    options.databases = {database};
    options.accounts = false;
    return options;
  }

  // Two tables between which writers move amounts, so that their common sum never changes.
  void CreateAccountsTables(const std::string& database) {
    for (const std::string table : {"a", "z"}) {
      const std::string name = QuoteName(database, table);
      session_.Execute("CREATE TABLE " + name + " (id INT PRIMARY KEY, amount INT NOT NULL)");
      session_.Execute("INSERT INTO " + name + " VALUES (1,1000),(2,1000),(3,1000),(4,1000)");
    }
  }

  // An account of this name that has the rights; removed with the returned object.
  ConnectOptions LimitedUser(const std::string& name, const std::vector<std::string>& rights) {
    session_.Execute("DROP USER IF EXISTS " + name);
    session_.Execute("CREATE USER " + name + " IDENTIFIED BY 'Limited-1'");
    for (const std::string& right : rights) session_.Execute("GRANT " + right + " TO " + name);
    users_.push_back(name);
    ConnectOptions options = server_;
    options.user = name;
    options.password = "Limited-1";
    return options;
  }

  ~DumpSnapshotTest() override {
    for (const std::string& user : users_) session_.Execute("DROP USER " + user);
  }

  // Dumps `database` several times while writers move amounts between its tables.
  void ExpectConsistentUnderWriters(const ConnectOptions& connect, const DumpOptions& options,
                                    const std::string& method) {
    const std::string& database = options.databases[0];
    CreateAccountsTables(database);
    std::stop_source stop;
    TaskGroup writers(stop.get_token());
    for (int w = 0; w < 2; ++w) {
      writers.Run([&, w](const std::stop_token& token) {
        Session session(server_, {});
        const std::string id = std::to_string(w + 1);
        while (!token.stop_requested()) {
          session.Execute("START TRANSACTION");
          session.Execute("UPDATE " + QuoteName(database, "a") +
                          " SET amount = amount - 1 WHERE id = " + id);
          session.Execute("UPDATE " + QuoteName(database, "z") +
                          " SET amount = amount + 1 WHERE id = " + id);
          session.Execute("COMMIT");
        }
      });
    }
    for (int i = 0; i < 5; ++i) {
      const DumpedArchive dumped = Dump(connect, options);
      EXPECT_EQ(SumOf(dumped.RowsOf(database, "a")) + SumOf(dumped.RowsOf(database, "z")), 8000);
      EXPECT_THAT(dumped.manifest.consistency, HasSubstr(method));
    }
    writers.RequestStop();
    writers.Wait();
  }

  ConnectOptions server_;
  Session session_;
  std::vector<std::string> users_;
};

TEST_P(DumpSnapshotTest, GlobalReadLockMakesOneMomentAndNotesThePosition) {
  const ScratchDatabase database(session_, "dump_global");
  ExpectConsistentUnderWriters(server_, OptionsFor("dump_global"), "the global read lock held");
}

TEST_P(DumpSnapshotTest, TableLocksWhenTheGlobalLockIsNotAllowed) {
  const ScratchDatabase database(session_, "dump_tables");
  const ConnectOptions limited = LimitedUser(
      "dump_tables_user", {"SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT ON dump_tables.*"});
  ExpectConsistentUnderWriters(limited, OptionsFor("dump_tables"), "read locks on all tables held");
}

TEST_P(DumpSnapshotTest, OneReaderWhenNothingElseIsAllowed) {
  const ScratchDatabase database(session_, "dump_one");
  const ConnectOptions limited =
      LimitedUser("dump_one_user", {"SELECT, SHOW VIEW, TRIGGER, EVENT ON dump_one.*"});
  DumpOptions options = OptionsFor("dump_one");
  options.snapshot.without = {SnapshotMethod::kNoMovement};
  ExpectConsistentUnderWriters(limited, options, "one reader in one transaction");
}

TEST_P(DumpSnapshotTest, OneReaderByChoiceTakesNoLock) {
  const ScratchDatabase database(session_, "dump_choice");
  DumpOptions options = OptionsFor("dump_choice");
  options.snapshot.readers = 1;
  ExpectConsistentUnderWriters(server_, options, "one reader in one transaction");
}

TEST_P(DumpSnapshotTest, UnlockedStartIsConsistentOrRefused) {
  const ScratchDatabase database(session_, "dump_unlocked");
  CreateAccountsTables("dump_unlocked");
  DumpOptions options = OptionsFor("dump_unlocked");
  options.snapshot.without = {SnapshotMethod::kGlobalReadLock, SnapshotMethod::kTableLocks};
  const DumpedArchive quiet = Dump(server_, options);
  // Where the server cannot prove it (no GTIDs, no binary log) one reader is the answer.
  EXPECT_THAT(quiet.manifest.consistency,
              testing::AnyOf(HasSubstr("while nothing was committed"), HasSubstr("one reader")));
  session_.Execute("DROP TABLE dump_unlocked.a, dump_unlocked.z");
  ExpectConsistentUnderWriters(server_, options, "reader");
}

TEST_P(DumpSnapshotTest, WithoutATransactionThereIsAWarning) {
  const ScratchDatabase database(session_, "dump_none");
  CreateAccountsTables("dump_none");
  DumpOptions options = OptionsFor("dump_none");
  options.snapshot.single_transaction = false;
  const DumpedArchive dumped = Dump(server_, options);
  EXPECT_THAT(dumped.warnings, testing::Contains(HasSubstr("not of one moment")));
  EXPECT_EQ(dumped.RowsOf("dump_none", "a").size(), 4U);
}

TEST_P(DumpSnapshotTest, ALongStatementMakesTheGlobalLockGiveWay) {
  const ScratchDatabase database(session_, "dump_long");
  CreateAccountsTables("dump_long");
  std::stop_source stop;
  TaskGroup others(stop.get_token());
  others.Run([&](const std::stop_token& token) {
    Session session(server_, token);
    static_cast<void>(session.TryExecute("SELECT SLEEP(600) FROM dump_long.a"));
  });
  while (session_.QueryValue("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE "
                             "'SELECT SLEEP(600)%' AND TIME >= 1") == "0") {
    std::this_thread::yield();
  }
  DumpOptions options = OptionsFor("dump_long");
  options.snapshot.lock_wait = std::chrono::milliseconds(100);
  const DumpedArchive dumped = Dump(server_, options);
  EXPECT_THAT(dumped.manifest.consistency, testing::Not(HasSubstr("global read lock")));
  EXPECT_EQ(dumped.RowsOf("dump_long", "a").size(), 4U);
  // Nobody is left blocked behind a lock that was given up.
  session_.Execute("SET SESSION lock_wait_timeout = 1");
  EXPECT_EQ(session_.QueryValue("SELECT COUNT(*) FROM dump_long.a"), "4");
  others.RequestStop();
  EXPECT_THROW(others.Wait(), Error);
}

TEST_P(DumpSnapshotTest, PositionsAndMomentStandInTheManifest) {
  const ScratchDatabase database(session_, "dump_position");
  CreateAccountsTables("dump_position");
  const DumpedArchive dumped = Dump(server_, OptionsFor("dump_position"));
  EXPECT_GT(dumped.manifest.moment, TimePoint());
  EXPECT_GE(dumped.manifest.lock_ms, 0);
  if (session_.QueryValue("SELECT @@log_bin") == "1") {
    EXPECT_THAT(dumped.manifest.positions, testing::Contains(testing::Key("binlog_file")));
    EXPECT_THAT(dumped.manifest.positions, testing::Contains(testing::Key("binlog_position")));
  }
}

// MariaDB tells where in its log a reader's view lies, however many transactions end meanwhile: as
// many rows are in the copy as transactions come before the position.
TEST(MariaDbSnapshot, ThePositionIsTheCopysOwn) {
  const ConnectOptions connect = ServerOf(Flavour::kMariaDb);
  Session session(connect, {});
  const ScratchDatabase database(session, "dump_exact");
  session.Execute("CREATE TABLE dump_exact.t (a BIGINT PRIMARY KEY AUTO_INCREMENT) ENGINE=InnoDB");
  const auto sequence = [](const std::string& gtid) {
    return std::stoll(gtid.substr(gtid.rfind('-') + 1));
  };
  const int64_t before = sequence(session.QueryValue("SELECT @@GLOBAL.gtid_binlog_pos"));
  std::stop_source stop;
  TaskGroup writer(stop.get_token());
  writer.Run([&](const std::stop_token& token) {
    Session other(connect, {});
    while (!token.stop_requested()) other.Execute("INSERT INTO dump_exact.t () VALUES ()");
  });
  DumpOptions options;
  options.databases = {"dump_exact"};
  options.accounts = false;
  for (const int readers : {1, 4}) {
    options.snapshot.readers = readers;
    options.snapshot.without = {SnapshotMethod::kGlobalReadLock, SnapshotMethod::kTableLocks};
    for (int i = 0; i < 5; ++i) {
      const DumpedArchive dumped = Dump(connect, options);
      const auto rows = static_cast<int64_t>(dumped.RowsOf("dump_exact", "t").size());
      EXPECT_EQ(sequence(dumped.manifest.positions.at("gtid_executed")), before + rows)
          << dumped.manifest.consistency;
    }
  }
  writer.RequestStop();
  writer.Wait();
}

INSTANTIATE_TEST_SUITE_P(Servers, DumpSnapshotTest,
                         testing::Values(Flavour::kMySql, Flavour::kMariaDb), FlavourName);

}  // namespace
}  // namespace oxbackup::mysql
