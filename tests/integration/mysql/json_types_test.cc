// JSON columns of MySQL hold types that JSON text does not have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "archive/archive_testing.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class MySqlJson : public testing::Test {
 protected:
  MySqlJson()
      : connect_(ServerOf(Flavour::kMySql)), session_(connect_, {}), site_(session_, "load_json") {
    ForgetRestores(session_);
    session_.Execute("USE load_json");
    session_.Execute("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, doc JSON, other JSON)");
  }
  ~MySqlJson() override { ForgetRestores(session_); }

  void Insert(const std::string& document) {
    session_.Execute("INSERT INTO t (doc) VALUES (" + document + ")");
  }
  void BackUpAndRestore() {
    const std::string archive = BackUp(connect_, {"load_json"}, false, run_.run);
    session_.Execute("TRUNCATE TABLE t");
    RestoreAll(*MakeRestoreTarget(connect_, QuietOptions(), run_.run), archive, false, run_.run);
    session_.Execute("USE load_json");
  }
  Rows Texts() { return session_.Query("SELECT id, CAST(doc AS CHAR) FROM t ORDER BY id"); }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  ScratchDatabase site_;
};

TEST_F(MySqlJson, DecimalsComeBackDigitForDigit) {
  Insert("JSON_ARRAY(CAST(1.23456789012345678901234567890 AS DECIMAL(40,30)))");
  Insert("JSON_OBJECT('it''s \"a\"\\\\', JSON_ARRAY(1.10, JSON_OBJECT('', -0.000)), 'b', '1.10')");
  Insert("CAST(CAST('99999999999999999999999999999999999.5' AS DECIMAL(65,30)) AS JSON)");
  Insert("JSON_ARRAY(18446744073709551616, -9223372036854775809, 18446744073709551615)");
  // Where a double is written with an exponent, and where not.
  Insert(
      "JSON_ARRAY(0.000000000000001, 0.0000000000000001, 1e-15, 1e-16, 123456789012345.5, "
      "1234567890123456.5, 1e15, 1e16, 1234567890123456.5e0, 123456789012345.5e0, 0.1, 5.0, "
      "1234567890123456.0, 1234567890123456e0, 0.000012345678901234567, "
      "0.000012345678901234567e0)");
  const Rows before = Texts();
  BackUpAndRestore();
  EXPECT_EQ(Texts(), before);
  EXPECT_EQ(session_.QueryValue("SELECT doc->>'$[0]' FROM t WHERE id=1"),
            "1.234567890123456789012345678900");
  EXPECT_EQ(session_.QueryValue("SELECT JSON_TYPE(doc->'$[0]') FROM t WHERE id=1"), "DECIMAL");
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST_F(MySqlJson, DoublesComeBackToTheLastBit) {
  session_.Execute("SET SESSION cte_max_recursion_depth=10000");
  session_.Execute(
      "INSERT INTO t (doc) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
      "i < 4000) SELECT JSON_OBJECT('a', JSON_ARRAY(RAND(i) * POW(10, i % 600 - 300), 1e0 / i, "
      "RAND(i + 7) * 1e3, 0.1e0 + 0.2e0)) FROM n");
  const Rows before = Texts();
  BackUpAndRestore();
  EXPECT_EQ(Texts(), before);
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST_F(MySqlJson, ValuesOfTypesThatTextLacksAreCountedInAWarning) {
  Insert("JSON_ARRAY('2020-01-01', 'base64:type253:AP8=', '')");  // nothing but strings
  Insert("JSON_ARRAY(CAST('2020-01-01' AS DATE), 1.10)");
  Insert("JSON_OBJECT('2020-01-01', 'x', 'b', x'00FF')");
  Insert("CAST(CAST('12:00:00' AS TIME) AS JSON)");
  Insert("NULL");
  Insert("JSON_ARRAY(1.10, '1.10')");
  const Rows before = Texts();
  BackUpAndRestore();
  EXPECT_EQ(Texts(), before);
  EXPECT_EQ(session_.QueryValue("SELECT JSON_TYPE(doc->'$[0]') FROM t WHERE id=2"), "STRING");
  EXPECT_THAT(run_.warnings.All(),
              Contains(HasSubstr("load_json.t: the JSON column doc has 3 rows")));
  EXPECT_THAT(run_.warnings.All(), Not(Contains(HasSubstr("column other"))));
}

TEST_F(MySqlJson, ALostDigitIsFoundByTheComparisons) {
  Insert("JSON_ARRAY(CAST(1.23456789012345678901234567890 AS DECIMAL(40,30)))");
  const std::string archive = BackUp(connect_, {"load_json"}, false, run_.run);
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive, run_.run);
  const auto target = MakeRestoreTarget(connect_, QuietOptions(), run_.run);
  target->Load(*reader);
  session_.Execute("UPDATE load_json__restore.t SET doc = CAST(CAST(doc AS CHAR) AS JSON)");
  EXPECT_THROW(target->Verify(reader->manifest()->Find("mysql")), Error);
  target->Abandon();
  const auto comparer = MakeLiveComparer(connect_, 1, run_.run);
  EXPECT_THAT(comparer->Compare(*reader->manifest()->Find("mysql")), IsEmpty());
  session_.Execute("UPDATE t SET doc = CAST(CAST(doc AS CHAR) AS JSON)");
  EXPECT_THAT(comparer->Compare(*reader->manifest()->Find("mysql")),
              Contains(HasSubstr("load_json.t")));
}

}  // namespace
}  // namespace oxbackup::mysql
