#include "mysql/statement.h"

#include <gtest/gtest.h>

#include "mysql/sql_lexer.h"

namespace oxbackup::mysql {
namespace {

StatementKind KindOf(std::string_view text) { return Classify(text).kind; }

TEST(SqlLexer, ReadsNamesStringsAndVersionedComments) {
  SqlLexer lexer("/*!50001 CREATE*/ /* x */ `a``b` 'it''s\\n\\'' -- c\n x1, \"q\"\"q\"");
  const SqlToken create = lexer.Next();
  EXPECT_TRUE(create.Is("CREATE"));
  EXPECT_TRUE(create.in_versioned);
  const SqlToken name = lexer.Next();
  EXPECT_EQ(name.kind, SqlToken::Kind::kName);
  EXPECT_EQ(name.Text(), "a`b");
  EXPECT_FALSE(name.in_versioned);
  EXPECT_EQ(lexer.Next().Text(), "it's\n'");
  EXPECT_EQ(lexer.Next().Text(), "x1");
  EXPECT_TRUE(lexer.Next().IsSymbol(','));
  EXPECT_EQ(lexer.Next().Text(), "q\"q");
  EXPECT_EQ(lexer.Next().kind, SqlToken::Kind::kEnd);
}

TEST(SqlLexer, UnfinishedTextEndsWithTheStatement) {
  for (const char* text : {"'a", "`a", "\"a\\", "'a\\'", "/* a", "/*!50001", "-- a"}) {
    SqlLexer lexer(text);
    while (lexer.Next().kind != SqlToken::Kind::kEnd) continue;
  }
}

TEST(Statement, KnowsWhatMysqldumpWrites) {
  EXPECT_EQ(KindOf("/*!40101 SET NAMES utf8mb4 */"), StatementKind::kSet);
  EXPECT_EQ(KindOf("SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ ''"), StatementKind::kSetGlobal);
  EXPECT_EQ(KindOf("SET @@SESSION.SQL_LOG_BIN= 0"), StatementKind::kSetGlobal);
  EXPECT_EQ(KindOf("/*!40000 ALTER TABLE `t` DISABLE KEYS */"), StatementKind::kIgnored);
  EXPECT_EQ(KindOf("LOCK TABLES `t` WRITE"), StatementKind::kIgnored);
  EXPECT_EQ(KindOf("DROP TABLE IF EXISTS `t`"), StatementKind::kIgnored);
  EXPECT_EQ(KindOf("/*!40000 DROP DATABASE IF EXISTS `mysql`*/"), StatementKind::kIgnored);
  EXPECT_EQ(KindOf("/*!50001 CREATE TABLE `v` (`a` tinyint NOT NULL) ENGINE=MyISAM */"),
            StatementKind::kViewPlaceholder);
  EXPECT_EQ(KindOf("/*!50003 CREATE*/ /*!50020 DEFINER=`r`@`%`*/ /*!50003 PROCEDURE `p`() x */"),
            StatementKind::kCreateRoutine);
  EXPECT_EQ(KindOf("/*!50106 CREATE*/ /*!50117 DEFINER=`r`@`%`*/ /*!50106 EVENT `e` ON x */"),
            StatementKind::kCreateEvent);
  EXPECT_EQ(KindOf("GRANT ALL ON *.* TO `a`@`b`"), StatementKind::kAccount);
  EXPECT_EQ(KindOf("CREATE USER IF NOT EXISTS `a`@`b`"), StatementKind::kAccount);
  EXPECT_EQ(KindOf("ALTER TABLE `t` ADD COLUMN x int"), StatementKind::kUnknown);
  EXPECT_EQ(KindOf("CALL p()"), StatementKind::kUnknown);
}

TEST(Statement, NamesTheObject) {
  const Statement trigger = Classify(
      "/*!50003 CREATE*/ /*!50017 DEFINER=`VIEW`@`%`*/ /*!50003 TRIGGER `tr` BEFORE INSERT */");
  EXPECT_EQ(trigger.kind, StatementKind::kCreateTrigger);
  EXPECT_EQ(trigger.name, "tr");

  const Statement view = Classify(
      "/*!50001 CREATE ALGORITHM=UNDEFINED */ /*!50013 DEFINER=`a`@`b` SQL SECURITY DEFINER */ "
      "/*!50001 VIEW `v` AS select 1 */");
  EXPECT_EQ(view.kind, StatementKind::kCreateView);
  EXPECT_EQ(view.name, "v");

  const Statement use = Classify("USE `edx``app`");
  EXPECT_EQ(use.kind, StatementKind::kUse);
  EXPECT_EQ(use.database, "edx`app");

  const Statement create =
      Classify("CREATE DATABASE /*!32312 IF NOT EXISTS*/ `openedx` /*!40100 x */");
  EXPECT_EQ(create.kind, StatementKind::kCreateDatabase);
  EXPECT_EQ(create.database, "openedx");
  EXPECT_EQ(
      WithName("CREATE DATABASE /*!32312 IF NOT EXISTS*/ `openedx` /*!40100 x */", create, "`s`"),
      "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `s` /*!40100 x */");
}

TEST(Statement, InsertsAreRecognisedWithAndWithoutADatabase) {
  const Statement plain = Classify("INSERT INTO `t` VALUES (1)");
  EXPECT_EQ(plain.kind, StatementKind::kInsert);
  EXPECT_EQ(plain.name, "t");
  const Statement qualified = Classify("INSERT  IGNORE INTO `d` . `t` (`a`) VALUES (1)");
  EXPECT_EQ(qualified.database, "d");
  EXPECT_EQ(qualified.name, "t");
  EXPECT_EQ(
      WithName("REPLACE INTO d.t VALUES (1)", Classify("REPLACE INTO d.t VALUES (1)"), "`s`.`t`"),
      "REPLACE INTO `s`.`t` VALUES (1)");
}

TEST(Mentions, FindsADatabaseHoweverItIsWritten) {
  for (const char* text :
       {"SELECT 1 FROM `openedx`.`t`", "CREATE TRIGGER openedx.tr BEFORE INSERT ON openedx.t",
        "select * from OpenEdx . t", "SELECT \"openedx\".\"t\".a", "x openedx\n.t"}) {
    EXPECT_TRUE(Mentions(text, "openedx")) << text;
  }
  EXPECT_TRUE(Mentions("CREATE TRIGGER `a``b`.tr BEFORE INSERT ON t", "a`b"));
  EXPECT_TRUE(Mentions("SELECT 1 FROM \"a\"\"b\".t", "a\"b"));
  EXPECT_TRUE(Mentions("SELECT 1 FROM a.t, openedx /* here */ . -- and there\n t", "openedx"));
  for (const char* text : {"SELECT openedx FROM t", "SELECT my_openedx.a FROM t",
                           "SELECT openedx2.a FROM t", "", "openedx"}) {
    EXPECT_FALSE(Mentions(text, "openedx")) << text;
  }
}

}  // namespace
}  // namespace oxbackup::mysql
