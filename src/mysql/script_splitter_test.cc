#include "mysql/script_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"

namespace oxbackup::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Split(std::string_view script, size_t read_bytes = 1 << 16) {
  MemoryByteSource source(script);
  ScriptSplitter splitter(source, read_bytes);
  std::vector<std::string> statements;
  while (const auto statement = splitter.Next()) statements.emplace_back(*statement);
  return statements;
}

TEST(ScriptSplitter, CutsAtDelimitersAndTrims) {
  EXPECT_THAT(Split(" SELECT 1 ;\n\n;; SELECT 2;SELECT 3\n"),
              ElementsAre("SELECT 1", "SELECT 2", "SELECT 3"));
  EXPECT_THAT(Split(""), IsEmpty());
  EXPECT_THAT(Split("-- nothing\n/* at */ # all"), IsEmpty());
}

TEST(ScriptSplitter, DelimitersInStringsAndNamesDoNotCount) {
  EXPECT_THAT(Split(R"(INSERT INTO `a;b` VALUES ('x;''y;\';z\\',";\"'");SELECT ';')"),
              ElementsAre(R"(INSERT INTO `a;b` VALUES ('x;''y;\';z\\',";\"'"))", "SELECT ';'"));
  EXPECT_THAT(Split(R"(SELECT `a\`;SELECT `b``;`;)"),
              ElementsAre(R"(SELECT `a\`)", "SELECT `b``;`"));
}

TEST(ScriptSplitter, CommentsBeforeAStatementGoAndThoseInsideItStay) {
  EXPECT_THAT(Split("-- a;'b\nSELECT 1;# c;`\n/* d;\" */SELECT 2 /* e;' */+ 3 -- f;'\n;"),
              ElementsAre("SELECT 1", "SELECT 2 /* e;' */+ 3 -- f;'"));
  EXPECT_THAT(Split("--\nSELECT 1;"), ElementsAre("SELECT 1"));
  EXPECT_THAT(Split("SELECT 5--1;SELECT 6/2"), ElementsAre("SELECT 5--1", "SELECT 6/2"));
}

TEST(ScriptSplitter, VersionedCommentsArePartOfTheStatement) {
  EXPECT_THAT(Split("/*!40101 SET NAMES utf8 */;\n/*!50001 CREATE */ /*!50001 VIEW `v;` AS "
                    "select ';*/' */;"),
              ElementsAre("/*!40101 SET NAMES utf8 */",
                          "/*!50001 CREATE */ /*!50001 VIEW `v;` AS select ';*/' */"));
  EXPECT_THAT(Split("/*M!999999\\- enable the sandbox mode */ \nSELECT 1;"),
              ElementsAre("SELECT 1"));
}

TEST(ScriptSplitter, DelimiterCommandChangesTheDelimiter) {
  EXPECT_THAT(Split("DELIMITER ;;\nCREATE PROCEDURE p() BEGIN SELECT 1; SELECT ';;'; END;;\n"
                    "delimiter ;\nSELECT 2;"),
              ElementsAre("CREATE PROCEDURE p() BEGIN SELECT 1; SELECT ';;'; END", "SELECT 2"));
  EXPECT_THAT(Split("DELIMITER //\r\nSELECT 1/2//\nSELECT 3 //"),
              ElementsAre("SELECT 1/2", "SELECT 3"));
  EXPECT_THAT(Split("SELECT delimiter FROM t;"), ElementsAre("SELECT delimiter FROM t"));
  EXPECT_THROW(Split("DELIMITER \nSELECT 1;"), Error);
}

TEST(ScriptSplitter, BackslashesAreOrdinaryWhereTheModeSaysSo) {
  MemoryByteSource source(R"(SELECT 'a\';SELECT 'b';)");
  ScriptSplitter splitter(source);
  splitter.set_backslash_escapes(false);
  EXPECT_EQ(splitter.Next(), R"(SELECT 'a\')");
  EXPECT_EQ(splitter.Next(), "SELECT 'b'");
}

TEST(ScriptSplitter, CarriesAnyBytes) {
  const std::string binary("INSERT INTO t VALUES (_binary 'a\0\n\xff;')", 38);
  EXPECT_THAT(Split(binary + ";SELECT 1;"), ElementsAre(binary, "SELECT 1"));
}

TEST(ScriptSplitter, AnUnfinishedStringNameOrCommentIsAnError) {
  for (const char* script : {"SELECT 'a", "SELECT 'a\\", "SELECT `a", "SELECT \"a", "/* a",
                             "SELECT 1 /* a *", "SELECT 'a''"}) {
    EXPECT_THROW(Split(script), Error) << script;
  }
}

TEST(ScriptSplitter, SaysTheLineOfAStatement) {
  MemoryByteSource source("-- head\n\nSELECT 1,\n2;\n/* x\n */ SELECT 3;\n");
  ScriptSplitter splitter(source, 7);
  ASSERT_TRUE(splitter.Next());
  EXPECT_EQ(splitter.line(), 3U);
  ASSERT_TRUE(splitter.Next());
  EXPECT_EQ(splitter.line(), 6U);
}

TEST(ScriptSplitter, ResultDoesNotDependOnWhereReadsEnd) {
  const std::string script =
      "/*!40101 SET NAMES utf8mb4 */;\n-- c;'\n--\nINSERT INTO `t``;` VALUES\n('a\\';',\"\\\\\"),\n"
      "(5--1,'''');\n/* x */DELIMITER $$\nCREATE TRIGGER x BEGIN -- it's\n SELECT '$$', 1 /* $$ "
      "*/; "
      "# $$\n END $$\nDELIMITER ;\n/*!50003 SET sql_mode = '' */ ;\nSELECT 6/2-1";
  const std::vector<std::string> whole = Split(script);
  ASSERT_EQ(whole.size(), 5U);
  for (size_t read_bytes = 1; read_bytes <= script.size(); ++read_bytes) {
    EXPECT_EQ(Split(script, read_bytes), whole) << read_bytes;
  }
}

TEST(ScriptSplitter, BufferHoldsAStatementNotTheScript) {
  std::string script;
  for (int i = 0; i < 2000; ++i)
    script += "INSERT INTO t VALUES ('" + std::string(997, 'x') + "');\n";
  MemoryByteSource source(script);
  ScriptSplitter splitter(source, 4096);
  size_t most = 0;
  while (splitter.Next()) most = std::max(most, splitter.buffer_bytes());
  EXPECT_LT(most, 32U * 1024);
}

}  // namespace
}  // namespace oxbackup::mysql
