#include "mysql_zoo.h"

#include <string_view>

namespace sitegen {

const std::string kOddDatabase = "we\"ird `db 測試";

namespace {

void MakeNumbers(MysqlClient& client) {
  client.Execute(
      "CREATE TABLE `numbers` (`t` tinyint NOT NULL, `tu` tinyint unsigned, `s` smallint, "
      "`m` mediumint, `i` int, `iu` int unsigned, `b` bigint, `bu` bigint unsigned, "
      "`d` decimal(65,30), `d0` decimal(10,0), `f` float, `g` double, `one` bit(1), `many` "
      "bit(17), "
      "`all` bit(64), `y` year, `yes` bool, `z` int(5) unsigned zerofill, PRIMARY KEY (`t`))");
  client.Execute(
      "INSERT INTO `numbers` VALUES "
      "(-128, 0, -32768, -8388608, -2147483648, 0, -9223372036854775808, 0, "
      "'-99999999999999999999999999999999999.999999999999999999999999999999', -9999999999, "
      "-3.40282e38, -1.7976931348623157e308, b'0', b'0', 0, 1901, 0, 7),"
      "(127, 255, 32767, 8388607, 2147483647, 4294967295, 9223372036854775807, "
      "18446744073709551615, '99999999999999999999999999999999999.999999999999999999999999999999', "
      "9999999999, 3.40282e38, 1.7976931348623157e308, b'1', b'11111111111111111', "
      "18446744073709551615, 2155, 1, 99999),"
      "(0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
      "NULL, "
      "NULL, NULL),"
      "(1, 1, 1, 1, 1, 1, 1, 1, '0.000000000000000000000000000001', 1, 1234567.75, 0.1, b'0', "
      "b'10000000000000001', 0x2700, 0, 1, 1),"
      "(2, 1, 1, 1, 1, 1, 9007199254740993, 9007199254740993, '1.10', 1, 0.1, 5e-324, b'1', "
      "b'00100111', 0x5C27220A00, 2000, 1, 1),"
      "(3, 1, 1, 1, 1, 1, 1, 1, '-0.5', 1, 1.17549435e-38, 2.2250738585072014e-308, b'1', b'1', 1, "
      "1970, 1, 1),"
      "(4, 1, 1, 1, 1, 1, 1, 1, '3', 1, 16777217, 123456789012345678, b'1', b'1', 1, 1970, 1, 1),"
      "(5, 1, 1, 1, 1, 1, 1, 1, '3', 1, -0.0, -0.0, b'1', b'1', 1, 1970, 1, 1)");
}

void MakeTimes(MysqlClient& client) {
  client.Execute(
      "CREATE TABLE `times` (`id` int NOT NULL, `d` date, `t` time, `t6` time(6), `dt` datetime, "
      "`dt3` datetime(3), `dt6` datetime(6), `ts` timestamp NULL DEFAULT NULL, "
      "`ts6` timestamp(6) NULL DEFAULT NULL, "
      "`auto` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, "
      "PRIMARY KEY (`id`))");
  client.Execute(
      "INSERT INTO `times` VALUES "
      "(1, '0000-00-00', '-838:59:59', '-838:59:59.000000', '0000-00-00 00:00:00', "
      "'0000-00-00 00:00:00.000', '0000-00-00 00:00:00.000000', '0000-00-00 00:00:00', "
      "'0000-00-00 00:00:00.000000', '0000-00-00 00:00:00'),"
      "(2, '2024-00-00', '838:59:59', '00:00:00.000001', '2024-02-31 23:59:59', "
      "'1000-01-01 00:00:00.001', '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01', "
      "'2038-01-19 03:14:07.999999', '2024-03-31 02:30:00'),"
      "(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2024-10-27 02:30:00'),"
      "(4, '2023-02-31', '00:00:00', '-00:00:00.500000', '2024-01-00 00:00:00', "
      "'2024-03-31 02:30:00.500', '2024-10-27 02:30:00.123456', '2024-10-27 00:30:00', "
      "'2024-10-27 01:30:00.000001', '2001-01-01 00:00:00')");
}

// All 256 byte values, and what breaks naive quoting.
void MakeStrings(MysqlClient& client) {
  std::string all;
  for (int i = 0; i < 256; i++) all += static_cast<char>(i);
  std::string_view hostile = "a'b\"c`d\\e\\n\n\r\t\x1a%_;--#/*!50000 x*/ \\' ''";
  client.Execute(
      "CREATE TABLE `strings` (`id` int NOT NULL, `c` char(10), `v` varchar(300), `tt` tinytext, "
      "`t` text, `mt` mediumtext, `lt` longtext, `b` binary(8), `vb` varbinary(300), `tb` "
      "tinyblob, "
      "`bl` blob, `mb` mediumblob, `lb` longblob, `e` enum('','a','ü','it''s','x,y'), "
      "`s` set('one','two','drei','четыре','o''five'), PRIMARY KEY (`id`))");
  std::string sql = "INSERT INTO `strings` VALUES ";
  sql += "(1, '', '', '', '', '', '', '', '', '', '', '', '', '', ''),";
  sql += "(2" + [] {
    std::string nulls;
    for (int i = 0; i < 14; i++) nulls += ", NULL";
    return nulls;
  }() + "),";
  std::string text = QuoteText(hostile);
  std::string bytes = "_binary" + QuoteText(all);
  sql += "(3, 'trail   ', " + text + ", " + text + ", " + text + ", " + text + ", " + text +
         ", _binary'a\\0b', " + bytes + ", _binary'\\0', " + bytes + ", " + bytes + ", " + bytes +
         ", 'it''s', 'one,drei,o''five'),";
  sql +=
      "(4, '😀🎓測試', '👩‍🚀 ﷽ é é Å', '\xEF\xBB\xBF"
      "bom', '\xEF\xBF\xBD', '\xF4\x8F\xBF\xBF', "
      "'𝔘', _binary'\\0\\0\\0\\0\\0\\0\\0\\0', _binary'  ', _binary'x', _binary'\xFF\xFE', "
      "_binary'\xC3\x28', _binary'\\\\', 'ü', 'четыре'),";
  // Out of the list: MySQL keeps it as the empty member 0.
  sql +=
      "(5, 'NULL', 'NULL', '\\\\N', '0', '-1', 'null', _binary'NULL', _binary'NULL', "
      "_binary'0x00', _binary'', _binary'1', _binary'2', 0, 0)";
  client.Execute(sql);
}

// The column's charset, not the connection's, decides the stored bytes.
void MakeCharsets(MysqlClient& client) {
  client.Execute(
      "CREATE TABLE `charsets` (`id` int NOT NULL, `l1` varchar(60) CHARACTER SET latin1, "
      "`l1b` varchar(60) CHARACTER SET latin1 COLLATE latin1_bin, `u3` varchar(60) CHARACTER SET "
      "utf8mb3, `u4` varchar(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, `u2` varchar(60) "
      "CHARACTER "
      "SET ucs2, `u16` varchar(60) CHARACTER SET utf16, `u32` varchar(60) CHARACTER SET utf32, "
      "`gbk` varchar(60) CHARACTER SET gbk, `sjis` varchar(60) CHARACTER SET sjis, "
      "`cp` varchar(60) CHARACTER SET cp1251, `big5` text CHARACTER SET big5, "
      "`ascii` varchar(60) CHARACTER SET ascii, `bin` varchar(60) CHARACTER SET binary, "
      "PRIMARY KEY (`id`))");
  client.Execute(
      "INSERT INTO `charsets` VALUES "
      "(1, 'Größe €', 'é', 'Ж日', '😀', '日本', '😀日', '😀日', '中文', '表示ソ', 'Привет', '功許', "
      "'a', 'x'),"
      "(2, _latin1 0x80818d8f90a0ff, _latin1 0xe9, '\xEF\xBF\xBD', '', NULL, '\\\\', '\\'', "
      "_gbk 0xd15c, _sjis 0x835c, _cp1251 0xff, _big5 0xa55c, '', _binary 0x00ff)");
  client.Execute(
      "CREATE TABLE `latin1 table` (`name` varchar(40) NOT NULL, `note` text, PRIMARY KEY "
      "(`name`)) "
      "DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci");
  client.Execute("INSERT INTO `latin1 table` VALUES ('Ärger', 'ß'), ('zoë', NULL), ('', '')");
}

void MakeJson(MysqlClient& client) {
  client.Execute("CREATE TABLE `json` (`id` int NOT NULL, `j` json, PRIMARY KEY (`id`))");
  client.Execute(
      "INSERT INTO `json` VALUES (1, NULL), (2, 'null'), (3, '{}'), (4, '[]'), (5, '\"\"'), "
      "(6, '{\"a\": 1, \"b\": [1.5, true, false, null, -0.0, 1e300, 18446744073709551615], "
      "\"ü\": \"😀 \\\\u0000 \\\\n \\\\\\\\ \\\\\\\"\"}'), (7, '12345678901234567890123456789'), "
      "(8, '{\"\": {\"\": {\"\": [[[[]]]]}}}'), (9, '-9223372036854775808'), (10, '0.1')");
}

void MakeGeometry(MysqlClient& client) {
  bool maria = client.is_mariadb();
  client.Execute(
      std::string("CREATE TABLE `geometry` (`id` int NOT NULL, `any` geometry, `p` point "
                  "NOT NULL") +
      (maria ? "" : " SRID 0") +
      ", `l` linestring, `poly` polygon, `mp` multipoint, `gc` geometrycollection, PRIMARY "
      "KEY (`id`), SPATIAL KEY `where` (`p`))");
  client.Execute(
      "INSERT INTO `geometry` VALUES (1, NULL, ST_GeomFromText('POINT(0 0)'), NULL, NULL, NULL, "
      "NULL), "
      "(2, ST_GeomFromText('POINT(1.5 -2.25)', 4326), ST_GeomFromText('POINT(-1e10 1e-10)'), "
      "ST_GeomFromText('LINESTRING(0 0, 1 1, 2 0.1)'), "
      "ST_GeomFromText('POLYGON((0 0, 0 9, 9 9, 9 0, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))'), "
      "ST_GeomFromText('MULTIPOINT((1 1), (2 2))'), "
      "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))'))");
}

}  // namespace

void MakeTypeZoo(MysqlClient& client) {
  MakeNumbers(client);
  MakeTimes(client);
  MakeStrings(client);
  MakeCharsets(client);
  MakeJson(client);
  MakeGeometry(client);
}

}  // namespace sitegen
