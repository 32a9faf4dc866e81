// Odd values of every type go out as INSERTs, come back into a copy of the table, and must then be
// equal by our text and by the server's own bytes.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "mysql/quote.h"
#include "mysql/row_format.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

struct TypeCase {
  std::string definition;           // of column `v`
  std::vector<std::string> values;  // SQL literals
  std::string exact = "HEX(v)";     // the server's own view of the stored bytes
};

// With a member that is '' and the 63 others.
std::string SetOf64() {
  std::string definition = "SET(''";
  for (int i = 1; i < 64; ++i) definition += ",'m" + std::to_string(i) + "'";
  return definition + ") CHARACTER SET utf8mb4";
}

const std::vector<TypeCase> kBothFlavours = {
    {"TINYINT", {"-128", "127", "0", "NULL"}},
    {"BIGINT", {"-9223372036854775808", "9223372036854775807"}, "v"},
    {"BIGINT UNSIGNED", {"18446744073709551615"}},
    {"INT(8) UNSIGNED ZEROFILL", {"42"}},
    {"DECIMAL(65,30)",
     {"12345678901234567890123456789012345.123456789012345678901234567890", "-0.1", "0"},
     "v"},
    {"FLOAT", {"1234567.75", "0.1", "-0e0", "1e-45", "3.4028234e38", "16777217"}, "v * 1e0"},
    {"FLOAT(10,2)", {"1234567.89", "0.1"}, "v * 1e0"},
    {"DOUBLE",
     {"0.1", "1e308", "-2.2250738585072014e-308", "5e-324", "-0e0", "1/3", "123456789.123456789"},
     "v"},
    {"DOUBLE(20,3)", {"12345678901234.567"}, "v * 1e0"},
    {"BIT(1)", {"b'0'", "b'1'"}, "v + 0"},
    {"BIT(64)", {"b'1'", "0x8000000000000001", "0xFFFFFFFFFFFFFFFF"}, "v + 0"},
    {"YEAR", {"1901", "2155", "'0000'"}, "v"},
    {"DATE", {"'0000-00-00'", "'2026-00-00'", "'9999-12-31'", "'1000-01-01'"}, "v"},
    {"TIME(6)", {"'-838:59:59.000000'", "'838:59:59'", "'00:00:00.000001'", "'-00:00:00.5'"}, "v"},
    {"DATETIME(6)", {"'0000-00-00 00:00:00'", "'2026-11-22 21:00:00.123456'"}, "v"},
    {"DATETIME", {"'2026-02-00 00:00:00'"}, "v"},
    {"TIMESTAMP(6) NULL",
     {"'0000-00-00 00:00:00'", "'2026-03-29 01:30:00.000001'", "'2038-01-19 03:14:07.999999'",
      "'1970-01-01 00:00:01'"},
     "v"},
    {"ENUM('a','it''s','ü') CHARACTER SET utf8mb4", {"'a'", "'ü'", "'it''s'", "0"}, "v + 0"},
    {"ENUM('a','') CHARACTER SET utf8mb4", {"0", "1", "2"}, "v + 0"},
    {"SET('a','b','c') CHARACTER SET utf8mb4", {"''", "'a,c'", "7"}, "v + 0"},
    {"SET('x','y','') CHARACTER SET utf8mb4", {"0", "1", "4", "7"}, "v + 0"},
    {SetOf64(), {"0", "1", "9223372036854775809", "18446744073709551615"}, "CAST(v AS UNSIGNED)"},
    {"CHAR(10) CHARACTER SET utf8mb4", {"'a   '", "''", "'😀ü'"}},
    {"VARCHAR(100) CHARACTER SET utf8mb4",
     {"'a   '", "''", "'it''s \\\\ \"quoted\" \\0\\n\\r\\Z\\t\\b%_'", "'😀 עברית 中文'", "'NULL'",
      "'\\'),(\\''"}},
    {"VARCHAR(100) CHARACTER SET latin1", {"_latin1 x'8081FFE4'", "_latin1 x'8D8F909D'", "'ü'"}},
    {"VARCHAR(100) CHARACTER SET cp932", {"_cp932 x'815C8790FA54ED40'", "'表'"}},
    {"VARCHAR(100) CHARACTER SET sjis", {"_sjis x'815C5C'", "'表'"}},
    {"VARCHAR(100) CHARACTER SET gbk", {"_gbk x'815C'", "'中'"}},
    {"VARCHAR(100) CHARACTER SET big5", {"_big5 x'A15C'", "'中'"}},
    {"VARCHAR(100) CHARACTER SET utf16", {"'😀ü'", "'a\\'b'"}},
    {"VARCHAR(100) CHARACTER SET ucs2", {"'aü'", "_ucs2 x'0027005C'"}},
    {"CHAR(10) CHARACTER SET koi8r", {"'привет'"}},
    {"TEXT CHARACTER SET utf8mb3", {"'line\\nline'", "REPEAT('ü', 20000)"}},
    {"LONGTEXT CHARACTER SET utf8mb4",
     {"REPEAT('\\\\''x', 700000)"},
     "CONCAT(LENGTH(v), SHA2(v, 256))"},
    {"VARCHAR(50) CHARACTER SET binary", {"x'00FF275C0A'"}},
    {"BINARY(5)", {"x'00'", "'a '", "x'FFFFFFFFFF'"}},
    {"VARBINARY(300)", {"x'000A0D1A22275C80FF'", "''", "REPEAT(x'275C', 100)"}},
    {"LONGBLOB", {"REPEAT(x'00FF275C0A', 200000)", "''"}, "CONCAT(LENGTH(v), SHA2(v, 256))"},
    {"GEOMETRY",
     {"ST_GeomFromText('POINT(1.1 -2.2)')", "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')"}},
    {"JSON",
     {"'{\"b\": [1, 2.50, null, true], \"a\": \"it''s \\\\\"x\\\\\" 😀\"}'", "'[]'", "'1.0'"},
     "HEX(CAST(v AS CHAR))"},
};

const std::vector<TypeCase> kMySqlAlone = {
    {"GEOMETRY SRID 4326", {"ST_GeomFromText('POINT(10 20)', 4326)"}},
    {"VECTOR(3)", {"STRING_TO_VECTOR('[1.5,-2,3e-10]')"}},
    {"JSON",
     {"JSON_ARRAY(1.10, -0e0, 1e300, 18446744073709551615)",
      "CAST(CAST('2026-11-22' AS DATE) AS JSON)",
      "JSON_OBJECT('d', CAST('2026-11-22' AS DATE), 'b', x'00FF')",
      "JSON_OBJECT('it''s \"x\" \\\\', JSON_ARRAY(1.234567890123456789012, -0.50))"},
     "HEX(CAST(v AS CHAR))"},
};

const std::vector<TypeCase> kMariaDbAlone = {
    {"INET6", {"'::1'", "'2001:db8::ff'"}},
    {"UUID", {"'123e4567-e89b-12d3-a456-426614174000'"}},
};

class RowFormatRoundtripTest : public testing::TestWithParam<Flavour> {
 protected:
  RowFormatRoundtripTest() : session_(ServerOf(GetParam()), {}) {}

  // The canonical text of each row of a table, in the order of its column `n`.
  std::vector<std::string> Texts(const std::string& database, const std::string& name) {
    const std::optional<Table> table = ReadTable(session_, database, name);
    EXPECT_TRUE(table.has_value());
    const RowFormatter formatter(*table, session_.server());
    std::vector<std::string> texts;
    RowStream rows = session_.Stream("SELECT " + formatter.select_list() + " FROM " +
                                     QuoteName(database, name) + " ORDER BY n");
    while (rows.Next()) {
      texts.emplace_back();
      formatter.AppendRow(rows.values(), rows.lengths(), texts.back());
    }
    return texts;
  }

  Session session_;
};

TEST_P(RowFormatRoundtripTest, InsertedAgainEveryValueIsTheSame) {
  const ScratchDatabase database(session_, "dump_row_format");
  session_.Execute("USE dump_row_format");
  std::vector<TypeCase> columns = kBothFlavours;
  const auto& alone = GetParam() == Flavour::kMySql ? kMySqlAlone : kMariaDbAlone;
  columns.insert(columns.end(), alone.begin(), alone.end());
  for (const TypeCase& column : columns) {
    SCOPED_TRACE(column.definition);
    session_.Execute("DROP TABLE IF EXISTS t, source");
    session_.Execute("CREATE TABLE t (n INT PRIMARY KEY, v " + column.definition + ")");
    int n = 0;
    for (const std::string& value : column.values) {
      const auto refused =
          session_.TryExecute("INSERT INTO t VALUES (" + std::to_string(++n) + ", " + value + ")");
      ASSERT_FALSE(refused.has_value()) << value << ": " << refused->message;
    }
    const std::vector<std::string> before = Texts("dump_row_format", "t");
    ASSERT_EQ(before.size(), column.values.size());
    const RowFormatter formatter(*ReadTable(session_, "dump_row_format", "t"), session_.server());

    session_.Execute("RENAME TABLE t TO source");
    session_.Execute("CREATE TABLE t LIKE source");
    for (const std::string& text : before) {
      EXPECT_EQ(text.find('\n'), std::string::npos);
      const auto refused = session_.TryExecute(formatter.insert_head() + text);
      ASSERT_FALSE(refused.has_value()) << text.substr(0, 200) << ": " << refused->message;
    }
    EXPECT_EQ(Texts("dump_row_format", "t"), before);
    const std::string select = "SELECT n, " + column.exact + " FROM ";
    EXPECT_EQ(session_.Query(select + "t ORDER BY n"),
              session_.Query(select + "source ORDER BY n"));
  }
}

TEST_P(RowFormatRoundtripTest, GeneratedAndInvisibleColumnsAndOddNames) {
  const ScratchDatabase database(session_, "dump_row_odd");
  session_.Execute("USE dump_row_odd");
  session_.Execute(
      "CREATE TABLE `we``ird \"t' ü` (n INT PRIMARY KEY, `a``b` INT, `sel ect` INT INVISIBLE "
      "DEFAULT 3, g INT AS (`a``b` + 1) STORED, `v` INT AS (`a``b` * 2) VIRTUAL)");
  session_.Execute("INSERT INTO `we``ird \"t' ü` (n, `a``b`, `sel ect`) VALUES (1, 10, 20)");
  const std::string name = "we`ird \"t' ü";
  EXPECT_EQ(Texts("dump_row_odd", name), std::vector<std::string>{"(1,10,20)"});
  const RowFormatter formatter(*ReadTable(session_, "dump_row_odd", name), session_.server());
  EXPECT_EQ(formatter.insert_head(),
            "INSERT INTO `we``ird \"t' ü` (`n`,`a``b`,`sel ect`) VALUES\n");
}

INSTANTIATE_TEST_SUITE_P(Servers, RowFormatRoundtripTest,
                         testing::Values(Flavour::kMySql, Flavour::kMariaDb), FlavourName);

}  // namespace
}  // namespace oxbackup::mysql
