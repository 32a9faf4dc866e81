// Tables that are more than rows of their own: MERGE and other engines, foreign keys to nothing,
// names that differ in case alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "archive/archive_testing.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using ::testing::IsEmpty;

constexpr char kSite[] = "load_odd";

class OddTables : public testing::TestWithParam<Flavour> {
 protected:
  OddTables() : connect_(ServerOf(GetParam())), session_(connect_, {}) {
    ForgetRestores(session_);
    site_.emplace(session_, kSite);
    Run({"USE load_odd", "SET SESSION foreign_key_checks=0"});
  }
  ~OddTables() override { ForgetRestores(session_); }

  void Run(const std::vector<std::string>& statements) {
    for (const std::string& statement : statements) session_.Execute(statement);
  }
  std::string BackUpSite() { return BackUp(connect_, {kSite}, false, run_.run); }
  std::unique_ptr<RestoreTarget> MakeTarget() {
    return MakeRestoreTarget(connect_, QuietOptions(), run_.run);
  }
  bool HasEngine(const std::string& engine) {
    return session_.QueryValue(
               "SELECT COUNT(*) FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', "
               "'DEFAULT') AND ENGINE='" +
               engine + "'") != "0";
  }
  std::string Definition(const std::string& table) {
    return session_.Query("SHOW CREATE TABLE " + table).at(0).at(1).value_or("");
  }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  std::optional<ScratchDatabase> site_;
};

INSTANTIATE_TEST_SUITE_P(Servers, OddTables, testing::Values(Flavour::kMySql, Flavour::kMariaDb),
                         FlavourName);

TEST_P(OddTables, AMergeTableComesBackOverTheTablesThatCameBack) {
  // Named so that it is made before them.
  Run({"CREATE TABLE one (a INT NOT NULL, KEY (a)) ENGINE=MyISAM",
       "CREATE TABLE two (a INT NOT NULL, KEY (a)) ENGINE=MyISAM",
       "INSERT INTO one VALUES (1), (2)", "INSERT INTO two VALUES (3)",
       "CREATE TABLE all_of_them (a INT NOT NULL, KEY (a)) ENGINE=MERGE UNION=(one, two) "
       "INSERT_METHOD=LAST"});
  const auto before = Describe(session_, kSite);
  const std::string archive = BackUpSite();
  Run({"INSERT INTO all_of_them VALUES (4)", "DELETE FROM one"});
  const auto changed = Describe(session_, kSite);

  RestoreAll(*MakeTarget(), archive, true, run_.run);
  EXPECT_EQ(Describe(session_, kSite), before);
  session_.Execute("INSERT INTO load_odd.all_of_them VALUES (5)");
  EXPECT_EQ(session_.QueryValue("SELECT MAX(a) FROM load_odd.two"), "5");
  const auto comparer = MakeLiveComparer(connect_, 1, run_.run);
  session_.Execute("DELETE FROM load_odd.two WHERE a = 5");
  EXPECT_THAT(comparer->Compare(*OpenBytes(archive, run_.run)->manifest()->Find("mysql")),
              IsEmpty());

  MakeTarget()->UndoSwap("");
  EXPECT_EQ(Describe(session_, kSite), changed);
  session_.Execute("INSERT INTO load_odd.all_of_them VALUES (6)");
  EXPECT_EQ(session_.QueryValue("SELECT MAX(a) FROM load_odd.two"), "6");
}

TEST_P(OddTables, AMergeTableOverTablesOfAnotherDatabaseStaysOverThem) {
  const ScratchDatabase other(session_, "load_odd_other");
  Run({"CREATE TABLE load_odd_other.one (a INT NOT NULL) ENGINE=MyISAM",
       "INSERT INTO load_odd_other.one VALUES (1)",
       "CREATE TABLE m (a INT NOT NULL) ENGINE=MERGE UNION=(load_odd_other.one)"});
  const std::string definition = Definition("load_odd.m");
  const std::string archive = BackUp(connect_, {kSite, "load_odd_other"}, false, run_.run);
  Run({"DELETE FROM load_odd_other.one"});
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  EXPECT_EQ(Definition("load_odd.m"), definition);
  EXPECT_EQ(session_.QueryValue("SELECT a FROM load_odd.m"), "1");
}

TEST_P(OddTables, TablesOfEveryEngineComeBack) {
  session_.Execute("CREATE TABLE innodb (a INT)");
  if (HasEngine("CSV")) {
    Run({"CREATE TABLE csv (a INT NOT NULL, b TEXT NOT NULL) ENGINE=CSV",
         "INSERT INTO csv VALUES (1, 'x,\"y\"\\n'), (2, '')"});
  }
  if (HasEngine("ARCHIVE")) {
    Run({"CREATE TABLE archive (a BIGINT PRIMARY KEY AUTO_INCREMENT, b TEXT) ENGINE=ARCHIVE",
         "INSERT INTO archive (b) VALUES ('x'), ('y')"});
  }
  if (HasEngine("BLACKHOLE")) {
    Run({"CREATE TABLE blackhole (a INT, KEY (a)) ENGINE=BLACKHOLE",
         "INSERT INTO blackhole VALUES (1)"});
  }
  if (HasEngine("MEMORY")) {
    Run({"CREATE TABLE memory (a INT, KEY (a)) ENGINE=MEMORY", "INSERT INTO memory VALUES (1)"});
  }
  if (HasEngine("Aria")) {
    Run({"CREATE TABLE aria (a INT, KEY (a)) ENGINE=Aria", "INSERT INTO aria VALUES (1)"});
  }
  const auto before = Describe(session_, kSite);
  EXPECT_GE(before.size(), 2U * 4U);
  const std::string archive = BackUpSite();
  session_.Execute("DELETE FROM memory");
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  EXPECT_EQ(Describe(session_, kSite), before);
}

TEST_P(OddTables, AForeignKeyToATableThatIsNotThereKeepsPointingIntoItsDatabase) {
  Run(
      {"CREATE TABLE child (a INT, b INT, CONSTRAINT lost FOREIGN KEY (a) REFERENCES missing (id) "
       "ON DELETE CASCADE, CONSTRAINT found FOREIGN KEY (b) REFERENCES parent (id)) ENGINE=InnoDB",
       "CREATE TABLE parent (id INT PRIMARY KEY) ENGINE=InnoDB", "INSERT INTO parent VALUES (1)",
       "INSERT INTO child VALUES (7, 1)"});
  const std::string before = Definition("child");
  const std::string archive = BackUpSite();
  // Since then there is one: the restore takes it away again.
  Run({"CREATE TABLE missing (id INT PRIMARY KEY) ENGINE=InnoDB",
       "INSERT INTO missing VALUES (7)"});
  RestoreAll(*MakeTarget(), archive, true, run_.run);
  EXPECT_EQ(Definition("load_odd.child"), before);
  EXPECT_THAT(run_.warnings.All(), IsEmpty());

  Run({"USE load_odd", "CREATE TABLE missing (id INT PRIMARY KEY) ENGINE=InnoDB",
       "INSERT INTO missing VALUES (7)", "SET SESSION foreign_key_checks=1",
       "DELETE FROM missing"});
  EXPECT_EQ(session_.QueryValue("SELECT COUNT(*) FROM child"), "0");
  MakeTarget()->UndoSwap("");
  session_.Execute("DELETE FROM load_odd.missing");
  EXPECT_EQ(session_.QueryValue("SELECT COUNT(*) FROM load_odd.child"), "0");
}

TEST_P(OddTables, NamesThatDifferInCaseAloneAreDifferentNames) {
  const ScratchDatabase other(session_, "load_ODD");
  Run({"CREATE TABLE load_odd.t (a INT PRIMARY KEY, b VARCHAR(9)) CHARSET=utf8mb4",
       "CREATE TABLE load_odd.T (x INT, y INT, PRIMARY KEY (y, x))",
       "CREATE TABLE load_ODD.t (z INT PRIMARY KEY)", "INSERT INTO load_odd.t VALUES (1, 'one')",
       "INSERT INTO load_odd.T VALUES (1, 2)", "INSERT INTO load_ODD.t VALUES (3)",
       "ALTER DATABASE load_ODD CHARACTER SET latin1",
       "CREATE VIEW load_ODD.v AS SELECT z FROM load_ODD.t",
       "CREATE TRIGGER load_ODD.tr BEFORE INSERT ON load_ODD.t FOR EACH ROW SET NEW.z = 5",
       "CREATE FUNCTION load_odd.f() RETURNS INT DETERMINISTIC RETURN 2"});
  const auto before = Describe(session_, kSite);
  const auto other_before = Describe(session_, "load_ODD");
  const std::string archive = BackUp(connect_, {kSite, "load_ODD"}, false, run_.run);
  const std::string one = BackUpSite();
  Run({"DELETE FROM load_odd.t", "DROP TABLE load_odd.T", "DROP VIEW load_ODD.v"});
  const auto other_changed = Describe(session_, "load_ODD");

  RestoreAll(*MakeTarget(), one, false, run_.run);
  EXPECT_EQ(Describe(session_, kSite), before);
  EXPECT_EQ(Describe(session_, "load_ODD"), other_changed);
  RestoreAll(*MakeTarget(), archive, false, run_.run);
  EXPECT_EQ(Describe(session_, kSite), before);
  EXPECT_EQ(Describe(session_, "load_ODD"), other_before);
}

}  // namespace
}  // namespace oxbackup::mysql
