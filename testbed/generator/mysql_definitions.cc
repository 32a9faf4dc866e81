#include <string>

#include "mysql_zoo.h"

namespace sitegen {
namespace {

void MakeColumns(MysqlClient& client) {
  bool maria = client.is_mariadb();
  client.Execute(
      "CREATE TABLE `generated` (`id` int NOT NULL AUTO_INCREMENT, `a` int DEFAULT NULL, "
      "`twice` int GENERATED ALWAYS AS (`a` * 2) VIRTUAL, "
      "`text` varchar(40) GENERATED ALWAYS AS (concat('n', `a`)) STORED, `hidden` int " +
      std::string(maria ? "INVISIBLE DEFAULT 7" : "DEFAULT 7 INVISIBLE") +
      ", `price` decimal(8,2) NOT NULL DEFAULT '1.50' COMMENT 'it''s \"the\" price;\\nline two', "
      "PRIMARY KEY (`id`), KEY `twice` (`twice`), CONSTRAINT `positive` CHECK (`price` > 0)) "
      "AUTO_INCREMENT=1000 COMMENT='comment with '' and \\\\ and 😀'");
  client.Execute(
      "INSERT INTO `generated` (`id`, `a`, `hidden`, `price`) VALUES (1, 21, 5, 2.00), "
      "(0, NULL, NULL, 0.01), (500, -1, 6, 999999.99)");
  if (maria) return;
  client.Execute(
      "CREATE TABLE `functional` (`id` int NOT NULL DEFAULT (1 + 1), `j` json DEFAULT "
      "(json_array()), "
      "`v` varchar(50), PRIMARY KEY (`id`), KEY `lower` ((lower(`v`))), KEY `down` (`v` DESC), "
      "KEY `unseen` (`v`) INVISIBLE, KEY `many` ((CAST(`j`->'$.tags' AS unsigned ARRAY))))");
  client.Execute(
      "INSERT INTO `functional` VALUES (1, '{\"tags\": [3, 4]}', 'ÄB'), (2, '[]', NULL)");
}

void MakeKeys(MysqlClient& client) {
  // Foreign keys in a circle, and one onto its own table.
  client.Execute(
      "CREATE TABLE `circle_a` (`id` int NOT NULL, `b` int DEFAULT NULL, `own` int DEFAULT NULL, "
      "PRIMARY KEY (`id`), KEY `b` (`b`), KEY `own` (`own`), CONSTRAINT `own_fk` FOREIGN KEY "
      "(`own`) "
      "REFERENCES `circle_a` (`id`))");
  client.Execute(
      "CREATE TABLE `circle_b` (`id` int NOT NULL, `a` int DEFAULT NULL, PRIMARY KEY (`id`), KEY "
      "`a` "
      "(`a`), CONSTRAINT `a_fk` FOREIGN KEY (`a`) REFERENCES `circle_a` (`id`) ON DELETE SET "
      "NULL)");
  client.Execute(
      "ALTER TABLE `circle_a` ADD CONSTRAINT `b_fk` FOREIGN KEY (`b`) REFERENCES `circle_b` "
      "(`id`)");
  client.Execute("INSERT INTO `circle_a` VALUES (1, 1, 2), (2, NULL, 1)");
  client.Execute("INSERT INTO `circle_b` VALUES (1, 1), (2, 2)");
  client.Execute(
      "CREATE TABLE `binary_key` (`k` varbinary(20) NOT NULL, `n` int NOT NULL, `v` text, PRIMARY "
      "KEY "
      "(`k`,`n`))");
  client.Execute(
      "INSERT INTO `binary_key` VALUES (_binary'', 0, ''), (_binary'\\0', 1, 'a'), "
      "(_binary 0xFF27225C, -1, NULL), (_binary 0x20, 0, 'blank'), (_binary 0x2000, 0, '')");
  client.Execute(
      "CREATE TABLE `decimal_key` (`d` decimal(20,6) NOT NULL, `when` datetime(6) NOT NULL, "
      "`e` enum('b','a') NOT NULL, PRIMARY KEY (`d`,`when`,`e`))");
  client.Execute(
      "INSERT INTO `decimal_key` VALUES (-1.5, '2020-01-01', 'a'), "
      "(-1.5, '2020-01-01', 'b'), (0, '2020-01-01 00:00:00.000001', 'a')");
  client.Execute("CREATE TABLE `no_key` (`a` int, `b` text, UNIQUE KEY `nullable` (`a`))");
  client.Execute("INSERT INTO `no_key` VALUES (1, 'x'), (NULL, 'y'), (NULL, 'y'), (2, NULL)");
  client.Execute("CREATE TABLE `unsigned_key` (`id` bigint unsigned NOT NULL, PRIMARY KEY (`id`))");
  client.Execute(
      "INSERT INTO `unsigned_key` VALUES (0), (1), (9223372036854775808), "
      "(18446744073709551615)");
}

void MakeStorage(MysqlClient& client) {
  client.Execute(
      "CREATE TABLE `ranges` (`id` int NOT NULL, `year` int NOT NULL, `v` varchar(20), PRIMARY KEY "
      "(`id`,`year`)) PARTITION BY RANGE (`year`) (PARTITION `old` VALUES LESS THAN (2020), "
      "PARTITION "
      "`new` VALUES LESS THAN MAXVALUE)");
  client.Execute("INSERT INTO `ranges` VALUES (1, 2019, 'a'), (1, 2020, 'b'), (2, 1999, NULL)");
  client.Execute(
      "CREATE TABLE `hashed` (`id` int NOT NULL, PRIMARY KEY (`id`)) PARTITION BY HASH "
      "(`id`) PARTITIONS 3");
  client.Execute("INSERT INTO `hashed` VALUES (1), (2), (3), (4)");
  client.Execute(
      "CREATE TABLE `squeezed` (`id` int NOT NULL, `v` text, PRIMARY KEY (`id`)) "
      "ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8");
  client.Execute("INSERT INTO `squeezed` VALUES (1, REPEAT('compress me ', 500))");
  // Names that need quoting everywhere, as a file name too.
  client.Execute(
      "CREATE TABLE `odd/na me.\"tést\"; -- ``x``` (`se``lect` int NOT NULL, `a b` text, "
      "`测试列` text, `%s` text, PRIMARY KEY (`se``lect`))");
  client.Execute("INSERT INTO `odd/na me.\"tést\"; -- ``x``` VALUES (1, 'a', 'b', 'c')");
  client.Execute("CREATE TABLE `MixedCase` (`Id` int NOT NULL, PRIMARY KEY (`Id`))");
  client.Execute("CREATE TABLE `mixedcase` (`id` int NOT NULL, PRIMARY KEY (`id`))");
  client.Execute("INSERT INTO `MixedCase` VALUES (1)");
  client.Execute(
      "CREATE TABLE `a_name_of_sixty_four_characters_which_is_the_longest_that_can_be` (`id` int "
      "NOT "
      "NULL, PRIMARY KEY (`id`))");
}

}  // namespace

void MakeDefinitionZoo(MysqlClient& client) {
  MakeColumns(client);
  MakeKeys(client);
  MakeStorage(client);
}

}  // namespace sitegen
