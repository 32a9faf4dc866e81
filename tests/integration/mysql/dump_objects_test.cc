// Every kind of object is carried, and comes back through nothing but the members' own statements.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cstdlib>

#include "base/hash.h"
#include "base/process_testing.h"
#include "dump_testing.h"
#include "mysql/catalog.h"
#include "mysql/member_path.h"
#include "mysql/quote.h"
#include "mysql/script_splitter.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class DumpObjectsTest : public testing::TestWithParam<Flavour> {
 protected:
  DumpObjectsTest() : server_(ServerOf(GetParam())), session_(server_, {}) {}

  void Run(const std::vector<std::string>& statements) {
    for (const std::string& statement : statements) session_.Execute(statement);
  }

  static DumpOptions OptionsFor(std::vector<std::string> databases) {
    DumpOptions options;
    options.databases = std::move(databases);
    options.accounts = false;
    return options;
  }

  // What the stock client does with data/mysql_dump.sql, in a session of its own.
  void RestoreByScript(const DumpedArchive& dumped) {
    Session session(server_, {});
    const std::string& script = dumped.members.at(std::string(kScriptPath));
    size_t at = 0;
    while (at < script.size()) {
      const size_t end = script.find('\n', at);
      const std::string line = script.substr(at, end - at);
      at = end + 1;
      if (line.starts_with("--")) continue;
      if (line.starts_with("source ")) {
        RunText(session, dumped.members.at("data/" + line.substr(7)));
      } else {
        RunText(session, line);
      }
    }
  }

  // The same by the stock client of the server, told as data/mysql_dump.sql tells it where the
  // client has no 'source'.
  void RestoreByClient(const DumpedArchive& dumped) {
    const std::string& script = dumped.members.at(std::string(kScriptPath));
    ProcessOptions options;
    options.environment = {{"MYSQL_HOST", ""}, {"MYSQL_PWD", ""}};
    size_t at = 0;
    while (at < script.size()) {
      const size_t end = script.find('\n', at) + 1;
      const std::string line = script.substr(at, end - at);
      at = end;
      const bool source = line.starts_with("source ");
      options.input += source ? dumped.members.at("data/" + line.substr(7, line.size() - 8)) : line;
    }
    const bool mysql = GetParam() == Flavour::kMySql;
    const std::string defaults =
        mysql ? "TESTBED_MYSQL_DEFAULTS_FILE" : "TESTBED_MARIADB_DEFAULTS_FILE";
    const ProcessResult loaded =
        RunProcess({std::string(std::getenv("TESTBED_BIN")) + (mysql ? "/mysql" : "/mariadb"),
                    "--defaults-file=" + std::string(std::getenv(defaults.c_str()))},
                   options);
    EXPECT_EQ(loaded.status, 0) << loaded.error;
  }

  static void RunText(Session& session, const std::string& text) {
    MemoryByteSource source(text);
    ScriptSplitter statements(source);
    while (const auto statement = statements.Next()) {
      statements.set_backslash_escapes(statement->find("NO_BACKSLASH_ESCAPES") ==
                                       std::string_view::npos);
      const auto refused = session.TryExecute(*statement);
      ASSERT_FALSE(refused.has_value()) << *statement << ": " << refused->message;
    }
  }

  std::string Show(const std::string& what, size_t column) {
    const Rows rows = session_.Query("SHOW CREATE " + what);
    return rows.at(0).at(column).value_or("");
  }

  ConnectOptions server_;
  Session session_;
};

TEST_P(DumpObjectsTest, TablesOfEveryShapeComeBack) {
  const ScratchDatabase database(session_, "dump_shapes");
  Run({"USE dump_shapes",
       "CREATE TABLE parent (id BIGINT AUTO_INCREMENT PRIMARY KEY, child INT, n INT) "
       "AUTO_INCREMENT=1000",
       "CREATE TABLE child (id INT PRIMARY KEY, parent BIGINT, "
       "CONSTRAINT c1 FOREIGN KEY (parent) REFERENCES parent (id))",
       "INSERT INTO parent VALUES (0, NULL, 1), (7, NULL, 2)",
       "INSERT INTO child VALUES (1, 7)",
       "ALTER TABLE parent ADD CONSTRAINT c2 FOREIGN KEY (child) REFERENCES child (id)",
       "UPDATE parent SET child = 1",
       "CREATE TABLE empty_one (a INT)",
       "CREATE TABLE no_key (a INT, b TEXT) DEFAULT CHARSET=utf8mb4",
       "INSERT INTO no_key VALUES (1,'x'),(1,'x'),(NULL,NULL),(2,'ü😀')",
       "CREATE TABLE parts (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) "
       "(PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
       "INSERT INTO parts VALUES (1,1),(11,2)",
       "CREATE TABLE `od``d \"n'ame. ü-/%` (`c``x` INT PRIMARY KEY, inv INT INVISIBLE DEFAULT 5, "
       "gen INT AS (`c``x` * 2) STORED)",
       "INSERT INTO `od``d \"n'ame. ü-/%` (`c``x`, inv) VALUES (1, 9)",
       "CREATE TABLE composite (a VARCHAR(20), b INT, PRIMARY KEY (a, b)) CHARSET=utf8mb4",
       "INSERT INTO composite VALUES ('ä',1),('a',2),('B',3)",
       "CREATE TABLE unique_only (a INT NOT NULL, b INT, UNIQUE KEY u (a))",
       "INSERT INTO unique_only VALUES (3,1),(1,2)",
       "CREATE TABLE stamps (id INT PRIMARY KEY, t TIMESTAMP DEFAULT '2020-01-01 00:00:00', "
       "d DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)",
       "INSERT INTO stamps VALUES (1, '2026-07-01 12:00:00', '2026-07-01 12:00:00')"});
  if (GetParam() == Flavour::kMySql) {
    Run({"CREATE TABLE functional (a INT PRIMARY KEY, b VARCHAR(10), KEY f ((UPPER(b))))",
         "INSERT INTO functional VALUES (1, 'x')"});
  }
  std::string columns = "c000 INT PRIMARY KEY";
  std::string values = "1";
  for (int i = 1; i < 300; ++i) {
    columns += fmt::format(", c{:03} VARCHAR(4)", i);
    values += ",'v'";
  }
  Run({"CREATE TABLE wide (" + columns + ")", "INSERT INTO wide VALUES (" + values + ")"});

  const DumpedArchive before = Dump(server_, OptionsFor({"dump_shapes"}));
  EXPECT_THAT(before.warnings, testing::IsEmpty());
  EXPECT_EQ(before.Find("dump_shapes", "no_key")->items, 4U);
  EXPECT_EQ(before.Find("dump_shapes", "empty_one")->items, 0U);
  EXPECT_EQ(before.Find("dump_shapes", "empty_one")->digest, ContentDigest().Hex());
  session_.Execute("DROP DATABASE dump_shapes");
  RestoreByScript(before);
  const DumpedArchive after = Dump(server_, OptionsFor({"dump_shapes"}));
  EXPECT_EQ(after.members, before.members);
  EXPECT_EQ(session_.QueryValue("SELECT id FROM dump_shapes.parent ORDER BY id LIMIT 1"), "0");
  EXPECT_THAT(Show("TABLE dump_shapes.parent", 1), HasSubstr("AUTO_INCREMENT=1000"));
}

TEST_P(DumpObjectsTest, ViewsTriggersRoutinesAndEventsComeBackWithTheirContext) {
  const ScratchDatabase database(session_, "dump_programs");
  const ScratchDatabase other(session_, "dump_programs2");
  Run({"USE dump_programs", "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(50)) CHARSET=utf8mb4",
       "CREATE TABLE log (a INT)", "INSERT INTO t VALUES (1, 'x')",
       // Named so that each is created before what it is made of when sorted by name.
       "CREATE TABLE dump_programs2.base (a INT)",
       "CREATE VIEW dump_programs2.zz AS SELECT a FROM dump_programs2.base",
       "CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC RETURN x + 1",
       "CREATE VIEW c AS SELECT a, f(a) AS b FROM t", "CREATE VIEW b AS SELECT a FROM c",
       "CREATE SQL SECURITY INVOKER VIEW a AS SELECT b.a FROM b JOIN dump_programs2.zz",
       "SET SESSION sql_mode='ANSI_QUOTES,STRICT_ALL_TABLES'",
       "CREATE TRIGGER one BEFORE INSERT ON t FOR EACH ROW SET NEW.b = CONCAT(NEW.b, '1;;')",
       "CREATE TRIGGER another BEFORE INSERT ON t FOR EACH ROW SET NEW.b = CONCAT(NEW.b, '2ü')",
       "CREATE PROCEDURE \"p`q\"() BEGIN -- comment; with 'quote\n SELECT 'a;b', \"a\" FROM t; END",
       "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO', time_zone='+02:00'",
       "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DISABLE DO DELETE FROM "
       "log",
       "SET SESSION time_zone='+00:00'",
       // The programs keep the collation that the database had when they were made.
       "ALTER DATABASE dump_programs COLLATE utf8mb4_bin"});
  const std::string trigger = Show("TRIGGER dump_programs.one", 2);
  const DumpedArchive before = Dump(server_, OptionsFor({"dump_programs", "dump_programs2"}));
  Run({"DROP DATABASE dump_programs", "DROP DATABASE dump_programs2"});
  RestoreByScript(before);
  const DumpedArchive after = Dump(server_, OptionsFor({"dump_programs", "dump_programs2"}));
  EXPECT_EQ(after.members, before.members);

  Run({"USE dump_programs", "INSERT INTO t VALUES (2, 'y')"});
  EXPECT_EQ(session_.QueryValue("SELECT b FROM t WHERE a = 2"), "y1;;2ü");
  EXPECT_EQ(session_.QueryValue("SELECT b FROM c WHERE a = 2"), "3");
  EXPECT_EQ(Show("TRIGGER dump_programs.one", 2), trigger);
  EXPECT_THAT(Show("PROCEDURE dump_programs.`p``q`", 1), HasSubstr("ANSI_QUOTES"));
  EXPECT_EQ(Show("EVENT dump_programs.e", 2), "+02:00");
  EXPECT_EQ(before.Find("dump_programs", "a")->kind, "view");
  EXPECT_EQ(before.Find("dump_programs", "one")->kind, "trigger");
  EXPECT_EQ(before.Find("dump_programs", "f")->kind, "function");
  EXPECT_EQ(before.Find("dump_programs", "e")->kind, "event");
}

TEST_P(DumpObjectsTest, TextsThatEndInACommentComeBackByTheStockClient) {
  const ScratchDatabase database(session_, "dump_comments");
  Run({"USE dump_comments", "CREATE TABLE t (a INT PRIMARY KEY)",
       "CREATE PROCEDURE p() SELECT 1 -- done",
       "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 2 # the answer",
       "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 3 -- as it is",
       "CREATE EVENT e ON SCHEDULE EVERY 1 YEAR STARTS '2036-01-01' DO DELETE FROM t # all",
       "CREATE VIEW v AS SELECT a FROM t -- seen"});
  const DumpedArchive dumped = Dump(server_, OptionsFor({"dump_comments"}));
  session_.Execute("DROP DATABASE dump_comments");
  RestoreByClient(dumped);
  Run({"USE dump_comments", "CALL p()", "INSERT INTO t VALUES (1)"});
  EXPECT_EQ(session_.QueryValue("SELECT f()"), "2");
  EXPECT_EQ(session_.QueryValue("SELECT a FROM v"), "3");
  EXPECT_EQ(session_.QueryValue("SELECT COUNT(*) FROM information_schema.EVENTS WHERE "
                                "EVENT_SCHEMA='dump_comments' AND EVENT_NAME='e'"),
            "1");
}

TEST_P(DumpObjectsTest, ABrokenViewIsAWarningAndDoesNotStopTheRestore) {
  const ScratchDatabase database(session_, "dump_broken");
  Run({"USE dump_broken", "CREATE TABLE t (a INT)", "CREATE VIEW v AS SELECT a FROM t",
       "DROP TABLE t"});
  const DumpedArchive dumped = Dump(server_, OptionsFor({"dump_broken"}));
  EXPECT_THAT(dumped.warnings, Contains(HasSubstr("dump_broken.v")));
  RestoreByScript(dumped);
}

TEST_P(DumpObjectsTest, AccountsCanBeAppliedTwiceAndKeepTheirRights) {
  const ScratchDatabase database(session_, "dump_accounts");
  const bool mariadb = GetParam() == Flavour::kMariaDb;
  const std::vector<std::string> drop = {
      "DROP USER IF EXISTS 'dump_acc''x'@'10.%'",
      mariadb ? "DROP ROLE IF EXISTS dump_role" : "DROP ROLE IF EXISTS 'dump_role'"};
  Run(drop);
  Run({"CREATE ROLE dump_role", "GRANT SELECT ON dump_accounts.* TO dump_role",
       "CREATE USER 'dump_acc''x'@'10.%' IDENTIFIED BY 'Se\\'cret-1'",
       "GRANT SELECT, INSERT ON `dump\\_accounts`.* TO 'dump_acc''x'@'10.%' WITH GRANT OPTION",
       "GRANT dump_role TO 'dump_acc''x'@'10.%'",
       std::string("SET DEFAULT ROLE dump_role ") + (mariadb ? "FOR" : "TO") +
           " 'dump_acc''x'@'10.%'"});
  DumpOptions options = OptionsFor({"dump_accounts", "mysql"});
  options.accounts = true;
  const DumpedArchive dumped = Dump(server_, options);
  const std::string& text = dumped.members.at(std::string(kAccountsPath));
  EXPECT_THAT(text, Not(HasSubstr("Se'cret")));
  EXPECT_THAT(text, Not(HasSubstr("mysql.sys")));
  EXPECT_THAT(text, Not(HasSubstr("mariadb.sys")));
  // Only the test's own lines: the server is shared.
  std::string mine;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at + 1);
    at = end + 1;
    if (line.find("dump_acc") != std::string::npos || line.find("dump_role") != std::string::npos) {
      mine += line;
    }
  }
  const Rows rights = session_.Query("SHOW GRANTS FOR 'dump_acc''x'@'10.%'");
  const Rows user = session_.Query("SHOW CREATE USER 'dump_acc''x'@'10.%'");
  Run(drop);
  RunText(session_, mine);
  RunText(session_, mine);
  EXPECT_EQ(session_.Query("SHOW GRANTS FOR 'dump_acc''x'@'10.%'"), rights);
  EXPECT_EQ(session_.Query("SHOW CREATE USER 'dump_acc''x'@'10.%'"), user);
  Run(drop);
}

TEST_P(DumpObjectsTest, SequencesKeepTheirValue) {
  if (GetParam() == Flavour::kMySql) {
    ServerError refused;
    EXPECT_FALSE(session_.TryQuery("SELECT NEXTVAL(dump_no.sequence)", refused).has_value());
    return;
  }
  const ScratchDatabase database(session_, "dump_sequence");
  Run({"USE dump_sequence", "CREATE SEQUENCE s START WITH 5 NOCACHE", "DO NEXTVAL(s), NEXTVAL(s)"});
  const DumpedArchive dumped = Dump(server_, OptionsFor({"dump_sequence"}));
  session_.Execute("DROP DATABASE dump_sequence");
  RestoreByScript(dumped);
  EXPECT_EQ(session_.QueryValue("SELECT NEXTVAL(dump_sequence.s)"), "7");
}

INSTANTIATE_TEST_SUITE_P(Servers, DumpObjectsTest,
                         testing::Values(Flavour::kMySql, Flavour::kMariaDb), FlavourName);

}  // namespace
}  // namespace oxbackup::mysql
