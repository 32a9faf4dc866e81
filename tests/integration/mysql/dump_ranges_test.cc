// Ranges of every kind of key take each row once.
#include <gtest/gtest.h>

#include <set>

#include "mysql/key_ranges.h"
#include "mysql/quote.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

class DumpRangesTest : public testing::TestWithParam<Flavour> {
 protected:
  DumpRangesTest() : session_(ServerOf(GetParam()), {}) {}

  Session session_;
};

struct KeyCase {
  std::string columns;
  std::string values;  // expressions of the number n
  bool can_be_cut = true;
};

TEST_P(DumpRangesTest, EachRowIsInOneRange) {
  const ScratchDatabase database(session_, "dump_ranges");
  session_.Execute("USE dump_ranges");
  session_.Execute("CREATE TABLE numbers (n INT PRIMARY KEY)");
  session_.Execute("INSERT INTO numbers VALUES (0)");
  for (int have = 1; have < 1024; have *= 2) {
    session_.Execute("INSERT INTO numbers SELECT n + " + std::to_string(have) + " FROM numbers");
  }
  const std::vector<KeyCase> cases = {
      {"k INT PRIMARY KEY", "n"},
      {"k BIGINT PRIMARY KEY", "(n - 500) * 1000000007"},
      {"k BIGINT UNSIGNED PRIMARY KEY", "18446744073709551615 - n"},
      {"k INT, b INT, PRIMARY KEY (k, b)", "n DIV 7, n"},
      {"k CHAR(32) CHARACTER SET utf8mb4 PRIMARY KEY", "LEFT(SHA2(n, 256), 32)"},
      {"k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY",
       "CONCAT('usage:', IF(n % 2, UPPER(LEFT(SHA2(n, 256), 20)), LEFT(SHA2(n, 256), 20)))"},
      {"k VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci PRIMARY KEY",
       "CONCAT('ä', LEFT(SHA2(n, 256), 20))"},
      {"k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY",
       "CONCAT('x', n, '-ü😀')"},
      {"k BINARY(16) PRIMARY KEY", "UNHEX(LEFT(SHA2(n, 256), 32))"},
      {"k VARBINARY(64), b INT, PRIMARY KEY (k, b)", "CONCAT('p\\'', CHAR(n % 256)), n"},
      {"k DATE, b INT, PRIMARY KEY (k, b)", "'2026-01-01', n", false},
      {"k INT", "n", false},
  };
  for (const KeyCase& one : cases) {
    SCOPED_TRACE(one.columns);
    session_.Execute("DROP TABLE IF EXISTS t");
    session_.Execute("CREATE TABLE t (" + one.columns + ")");
    session_.Execute("INSERT INTO t SELECT " + one.values + " FROM numbers");
    std::optional<Table> table = ReadTable(session_, "dump_ranges", "t");
    ASSERT_TRUE(table.has_value());
    table->data_bytes = uint64_t{1} << 30;
    const std::vector<std::string> borders = FindBorders(session_, *table);
    EXPECT_EQ(!borders.empty(), one.can_be_cut);
    EXPECT_EQ(FindBorders(session_, *table), borders);

    std::multiset<std::string> got;
    size_t filled = 0;
    for (const std::string& condition : RangeConditions(*table, borders)) {
      const Rows rows =
          session_.Query("SELECT HEX(k) FROM t" + (condition.empty() ? "" : " WHERE " + condition));
      filled += !rows.empty();
      for (const Row& row : rows) got.insert(*row[0]);
    }
    std::multiset<std::string> expected;
    for (const Row& row : session_.Query("SELECT HEX(k) FROM t")) expected.insert(*row[0]);
    EXPECT_EQ(got.size(), 1024U);
    EXPECT_EQ(got, expected);
    EXPECT_GT(filled, one.can_be_cut ? 4U : 0U);
  }
}

TEST_P(DumpRangesTest, TheKeyIsTheOneThatRowsAreStoredBy) {
  const ScratchDatabase database(session_, "dump_keys");
  session_.Execute("USE dump_keys");
  session_.Execute(
      "CREATE TABLE t (a INT NOT NULL, b INT NOT NULL, c INT, UNIQUE KEY a_null (c), "
      "UNIQUE KEY z_first (b), UNIQUE KEY second (a))");
  const std::optional<Table> table = ReadTable(session_, "dump_keys", "t");
  ASSERT_TRUE(table.has_value());
  EXPECT_EQ(table->key_name, "z_first");
  EXPECT_EQ(table->key, std::vector<size_t>{1});
  session_.Execute("CREATE TABLE p (a TEXT, UNIQUE KEY (a(5)))");
  EXPECT_TRUE(ReadTable(session_, "dump_keys", "p")->key.empty());
  EXPECT_FALSE(ReadTable(session_, "dump_keys", "missing").has_value());
}

INSTANTIATE_TEST_SUITE_P(Servers, DumpRangesTest,
                         testing::Values(Flavour::kMySql, Flavour::kMariaDb), FlavourName);

}  // namespace
}  // namespace oxbackup::mysql
