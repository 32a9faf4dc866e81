// A restore beside other runs and beside the site's own statements: who waits for whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <thread>

#include "archive/archive_testing.h"
#include "base/error.h"
#include "base/task_group.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSite[] = "load_locks";

class Locks : public testing::TestWithParam<Flavour> {
 protected:
  Locks() : connect_(ServerOf(GetParam())), session_(connect_, std::stop_token()) {
    ForgetRestores(session_);
    site_.emplace(session_, kSite);
    session_.Execute("USE load_locks");
    session_.Execute("CREATE TABLE t (a INT PRIMARY KEY) ENGINE=InnoDB");
    session_.Execute("CREATE TRIGGER t_in BEFORE INSERT ON t FOR EACH ROW SET NEW.a = NEW.a");
    session_.Execute("CREATE TRIGGER t_in2 BEFORE INSERT ON t FOR EACH ROW SET NEW.a = NEW.a + 1");
    archive_ = BackUp(connect_, {kSite}, false, run_.run);
    original_ = Describe(session_, kSite);
  }
  ~Locks() override { ForgetRestores(session_); }

  std::unique_ptr<RestoreTarget> MakeTarget(
      std::function<void(std::string_view step)> on_step = nullptr) {
    RestoreOptions options = QuietOptions();
    options.on_step = std::move(on_step);
    return MakeRestoreTarget(connect_, options, run_.run);
  }
  std::unique_ptr<RestoreTarget> Announced() {
    auto target = MakeTarget();
    PrepareRestore(*target, archive_, run_.run);
    target->WriteIntent(IntentOf("run", true));
    return target;
  }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  std::optional<ScratchDatabase> site_;
  std::string archive_;
  std::map<std::string, std::string> original_;
};

INSTANTIATE_TEST_SUITE_P(Servers, Locks, testing::Values(Flavour::kMySql, Flavour::kMariaDb),
                         FlavourName);

TEST_P(Locks, ARunningRestoreIsNotTakenForAnInterruptedOne) {
  const auto running = Announced();
  try {
    MakeTarget()->FindOpenSwap();
    ADD_FAILURE() << "its record was believed";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("another restore"));
  }
  running->Swap();
  running->CloseSwap(true);
  EXPECT_FALSE(MakeTarget()->FindOpenSwap());
}

// A backup takes an interrupted swap back and then copies for hours.
TEST_P(Locks, WhoHasTakenASwapBackKeepsNobodyFromRestoring) {
  Announced().reset();
  const auto backup = MakeTarget();
  ASSERT_TRUE(backup->FindOpenSwap());
  backup->UndoSwap("run");
  RestoreAll(*MakeTarget(), archive_, false, run_.run);
  EXPECT_EQ(Describe(session_, kSite), original_);
}

TEST_P(Locks, TriggersThatHadToBeMadeAgainRunInTheirOldOrder) {
  RestoreAll(*MakeTarget(), archive_, true, run_.run);
  int drops = 0;
  const auto undo = MakeTarget([&](std::string_view step) {
    if (step.starts_with("drop TRIGGER") && ++drops == 2) {
      throw Error(ErrorKind::kSource, "refused");
    }
  });
  EXPECT_THROW(undo->UndoSwap(""), Error);
  EXPECT_EQ(drops, 2);
  EXPECT_EQ(Describe(session_, kSite), original_);
}

// A table whose index comes late, and after it one with rows that the server refuses.
std::string ArchiveWithALateError(const RunContext& run) {
  std::string rows;
  for (int statement = 0; statement < 17; ++statement) {
    rows += "INSERT INTO `late` (`b`) VALUES\n";
    for (int row = 0; row < 1024; ++row) {
      rows += (row > 0 ? ",\n('" : "('") + std::string(1020, 'x') + "')";
    }
    rows += ";\n";
  }
  return WriteArchive(
      "none",
      {{MakeFile("data/mysql_dump/load_locks-schema-create.sql",
                 "CREATE DATABASE IF NOT EXISTS `load_locks`;\n"),
        MakeFile("data/mysql_dump/load_locks.late-schema.sql",
                 "CREATE TABLE `late` (`a` int NOT NULL AUTO_INCREMENT, `b` varchar(1100), "
                 "PRIMARY KEY (`a`), KEY `b` (`b`(9))) ENGINE=InnoDB;"),
        MakeFile("data/mysql_dump/load_locks.refused-schema.sql",
                 "CREATE TABLE `refused` (`a` int NOT NULL, PRIMARY KEY (`a`)) ENGINE=InnoDB;")},
       {MakeFile("data/mysql_dump/load_locks.late.1.sql", rows)},
       {MakeFile("data/mysql_dump/load_locks.refused.1.sql",
                 "INSERT INTO `refused` (`b`) VALUES\n(1);\n")}},
      run);
}

TEST_P(Locks, ALoadThatFailedDoesNotWaitForAnIndex) {
  using namespace std::chrono_literals;
  const std::string archive = ArchiveWithALateError(run_.run);
  RestoreOptions options = QuietOptions();
  options.workers = 1;
  const auto target = MakeRestoreTarget(connect_, options, run_.run);
  auto load = std::async(std::launch::async, [&]() -> std::string {
    try {
      target->Load(*OpenBytes(archive, run_.run));
    } catch (const Error& error) {
      return error.cause();
    }
    return "no error";
  });
  const auto wait_for = [&](size_t count, const std::string& sql) {
    while (load.wait_for(0s) == std::future_status::timeout && session_.Query(sql).size() < count) {
      std::this_thread::yield();
    }
  };
  wait_for(1,
           "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA='load_locks__restore' "
           "AND TABLE_NAME='refused'");
  Session first(connect_, {});
  first.Execute("LOCK TABLES load_locks__restore.refused WRITE");
  Session second(connect_, {});
  second.Execute("START TRANSACTION");
  second.Query("SELECT * FROM load_locks__restore.late LIMIT 1");
  wait_for(2,
           "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table "
           "metadata lock%'");
  EXPECT_EQ(load.wait_for(0s), std::future_status::timeout) << "the locks came too late";
  first.Execute("UNLOCK TABLES");
  EXPECT_EQ(load.wait_for(60s), std::future_status::ready) << "while an index waits for a lock";
  second.Execute("COMMIT");
  EXPECT_THAT(load.get(), HasSubstr("Unknown column"));
  target->Abandon();
}

TEST_P(Locks, ASwapThatWaitsForALongStatementLetsOthersThrough) {
  const auto target = Announced();
  Session report(connect_, {});
  report.Execute("START TRANSACTION");
  report.Query("SELECT * FROM load_locks.t");
  TaskGroup group({});
  group.Run([&](const std::stop_token&) { target->Swap(); });
  while (session_.QueryValue("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE "
                             "'Waiting for table metadata lock%'") == "0") {
    std::this_thread::yield();
  }
  Session visitor(connect_, {});
  visitor.Execute("SET SESSION lock_wait_timeout=15");
  EXPECT_FALSE(visitor.TryExecute("SELECT * FROM load_locks.t"));
  report.Execute("COMMIT");
  group.Wait();
  target->CloseSwap(false);
  EXPECT_EQ(Describe(session_, kSite), original_);
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

}  // namespace
}  // namespace oxbackup::mysql
