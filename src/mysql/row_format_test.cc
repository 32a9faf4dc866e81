#include "mysql/row_format.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace oxbackup::mysql {
namespace {

const ServerInfo kMySql{false, "8.4.0", 80400};
const ServerInfo kMariaDb{true, "10.11.19-MariaDB", 101119};

Column MakeColumn(std::string data_type, std::string charset = "", std::string type = "") {
  Column column;
  column.name = "c";
  column.data_type = std::move(data_type);
  column.type = type.empty() ? column.data_type : std::move(type);
  column.charset = std::move(charset);
  return column;
}

Table TableOf(std::vector<Column> columns) {
  Table table;
  table.name = "t";
  table.columns = std::move(columns);
  return table;
}

std::string Format(const RowFormatter& formatter,
                   const std::vector<std::optional<std::string>>& values) {
  std::vector<const char*> pointers;
  std::vector<unsigned long> lengths;
  for (const auto& value : values) {
    pointers.push_back(value ? value->data() : nullptr);
    lengths.push_back(value ? value->size() : 0);
  }
  std::string text;
  formatter.AppendRow(pointers, lengths, text);
  return text;
}

struct Case {
  Column column;
  std::string expression;
  std::string value;  // as the text protocol gives it
  std::string text;
};

TEST(RowFormatTest, EachTypeIsSelectedAndWrittenSoThatItReadsBack) {
  const std::vector<Case> cases = {
      {MakeColumn("bigint"), "`c`", "-9223372036854775808", "(-9223372036854775808)"},
      {MakeColumn("decimal"), "`c`", "0.10", "(0.10)"},
      {MakeColumn("float"), "`c` * 1e0", "1234567.75", "(1234567.75)"},
      {MakeColumn("double"), "`c` * 1e0", "-0", "(-0e0)"},
      {MakeColumn("bit"), "`c`", std::string("\x01\xff", 2), "(x'01ff')"},
      {MakeColumn("year"), "`c`", "0000", "('0000')"},
      {MakeColumn("date"), "`c`", "0000-00-00", "('0000-00-00')"},
      {MakeColumn("datetime"), "`c`", "2026-11-22 21:00:00.123456",
       "('2026-11-22 21:00:00.123456')"},
      {MakeColumn("time"), "`c`", "-838:59:59", "('-838:59:59')"},
      {MakeColumn("varchar", "utf8mb4"), "`c`", "it's\nüñ", "('it\\'s\\nüñ')"},
      {MakeColumn("varchar", "latin1"), "`c`", "ü", "('ü')"},
      {MakeColumn("varchar", "cp932"), "CAST(`c` AS BINARY)", "\x81\x5c", "(_binary '\x81\\\\')"},
      {MakeColumn("longblob"), "`c`", std::string("\0\x80", 2), "(_binary '\\0\x80')"},
      {MakeColumn("geometry"), "`c`", "g", "(_binary 'g')"},
      {MakeColumn("json"), "`c`", "{\"a\": 1}", "('{\"a\": 1}')"},
      {MakeColumn("json"), "`c`", "{\"it's\": 1.10}",
       "(JSON_REPLACE('{\"it\\'s\": 1.10}','$.\"it\\'s\"',1.10))"},
      {MakeColumn("enum", "utf8mb4", "enum('a','b')"), "`c`", "a", "('a')"},
      {MakeColumn("enum", "utf8mb4", "enum('a','')"), "CAST(`c` AS UNSIGNED)", "2", "(2)"},
      {MakeColumn("set", "utf8mb4", "set('a','b')"), "`c`", "a,b", "('a,b')"},
      {MakeColumn("set", "utf8mb4", "set('a','')"), "CAST(`c` AS UNSIGNED)", "2", "(2)"},
      {MakeColumn("set", "binary", "set('a','b')"), "CAST(`c` AS UNSIGNED)", "3", "(3)"},
  };
  for (const Case& one : cases) {
    const RowFormatter formatter(TableOf({one.column}), kMySql);
    EXPECT_EQ(formatter.select_list(), one.expression) << one.column.type;
    EXPECT_EQ(Format(formatter, {one.value}), one.text) << one.column.type;
    EXPECT_EQ(Format(formatter, {std::nullopt}), "(NULL)") << one.column.type;
  }
}

TEST(RowFormatTest, MariaDbsJsonIsText) {
  const RowFormatter formatter(TableOf({MakeColumn("json", "utf8mb4")}), kMariaDb);
  EXPECT_EQ(formatter.select_list(), "`c`");
  EXPECT_EQ(formatter.json_check_list(), "");
  EXPECT_EQ(Format(formatter, {"[1.10]"}), "('[1.10]')");
}

TEST(RowFormatTest, EachJsonColumnIsAskedAfter) {
  Column last = MakeColumn("json");
  last.name = "z`z";
  const RowFormatter formatter(TableOf({MakeColumn("json"), MakeColumn("int"), last}), kMySql);
  EXPECT_EQ(formatter.json_columns(), (std::vector<size_t>{0, 2}));
  EXPECT_NE(formatter.json_check_list().find(",IF(`c` = "), std::string::npos);
  EXPECT_NE(formatter.json_check_list().find(",IF(`z``z` = "), std::string::npos);
}

TEST(RowFormatTest, GeneratedColumnsAreLeftOut) {
  Column generated = MakeColumn("int");
  generated.name = "g";
  generated.generated = true;
  Column last = MakeColumn("int");
  last.name = "z`z";
  const RowFormatter formatter(TableOf({MakeColumn("int"), generated, last}), kMySql);
  EXPECT_EQ(formatter.select_list(), "`c`,`z``z`");
  EXPECT_EQ(formatter.insert_head(), "INSERT INTO `t` (`c`,`z``z`) VALUES\n");
  EXPECT_EQ(formatter.Position(0), 0U);
  EXPECT_EQ(formatter.Position(1), formatter.column_count());
  EXPECT_EQ(formatter.Position(2), 1U);
  EXPECT_EQ(Format(formatter, {"1", "2"}), "(1,2)");
}

TEST(RowFormatTest, ATableOfGeneratedColumnsAloneKeepsItsRows) {
  Column generated = MakeColumn("int");
  generated.generated = true;
  const RowFormatter formatter(TableOf({generated}), kMySql);
  EXPECT_EQ(formatter.select_list(), "1");
  EXPECT_EQ(formatter.insert_head(), "INSERT INTO `t` () VALUES\n");
  EXPECT_EQ(Format(formatter, {"1"}), "()");
}

TEST(RowFormatTest, ColumnsBehindTheSelectListAreNotWritten) {
  const RowFormatter formatter(TableOf({MakeColumn("int")}), kMySql);
  EXPECT_EQ(Format(formatter, {"1", "extra"}), "(1)");
}

}  // namespace
}  // namespace oxbackup::mysql
