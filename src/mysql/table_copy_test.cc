#include "mysql/table_copy.h"

#include <gtest/gtest.h>

#include "mysql/member_path.h"

namespace oxbackup::mysql {
namespace {

const ServerInfo kServer{false, "8.4.0", 80400};

Table MakeTable() {
  Table table;
  table.database = "d";
  table.name = "t";
  table.columns.resize(2);
  table.columns[0].name = "a";
  table.columns[0].data_type = "int";
  table.columns[1].name = "b";
  table.columns[1].data_type = "int";
  return table;
}

TEST(TableCopyTest, RowsAreReadInTheOrderOfTheKeyByItsIndex) {
  Table table = MakeTable();
  table.key = {1, 0};
  table.key_name = "PRIMARY";
  TableCopy copy(table, kServer);
  EXPECT_EQ(SelectStatement({&copy, "`b` < 5"}),
            "SELECT /*!40001 SQL_NO_CACHE */ `a`,`b` FROM `d`.`t` FORCE INDEX (`PRIMARY`)"
            " WHERE `b` < 5 ORDER BY `b`, `a`");
}

TEST(TableCopyTest, WithoutAKeyTheyComeAsTheyAreStored) {
  const Table table = MakeTable();
  TableCopy copy(table, kServer);
  EXPECT_EQ(SelectStatement({&copy, ""}), "SELECT /*!40001 SQL_NO_CACHE */ `a`,`b` FROM `d`.`t`");
}

TEST(TableCopyTest, MembersComeSortedWhoeverReadThem) {
  const Table table = MakeTable();
  TableCopy copy(table, kServer);
  copy.AddMember("b");
  copy.AddMember("a");
  EXPECT_EQ(copy.Members(), (std::vector<std::string>{"a", "b"}));
}

TEST(TableCopyTest, PathsAreReadBackAsTheyAreWritten) {
  for (const MemberKind kind :
       {MemberKind::kDatabase, MemberKind::kTable, MemberKind::kRows, MemberKind::kView,
        MemberKind::kTriggers, MemberKind::kPost, MemberKind::kAccounts}) {
    const bool has_database = kind != MemberKind::kAccounts;
    const bool has_name =
        has_database && kind != MemberKind::kDatabase && kind != MemberKind::kPost;
    const MemberPath path{kind, has_database ? "d.b-ü" : "", has_name ? "t/x-schema" : ""};
    const auto parsed = ParseMemberPath(FormatMemberPath(path, "00000000000000000001"));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->kind, path.kind);
    EXPECT_EQ(parsed->database, path.database);
    EXPECT_EQ(parsed->name, path.name);
  }
}

}  // namespace
}  // namespace oxbackup::mysql
