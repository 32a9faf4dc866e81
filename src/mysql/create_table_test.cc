#include "mysql/create_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oxbackup::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SplitIndexes, KeepsThePrimaryKeyAndDefersTheRest) {
  const TableParts parts = SplitIndexes(
      "CREATE TABLE `t` (\n"
      "  `id` int NOT NULL AUTO_INCREMENT,\n"
      "  `name` varchar(20) DEFAULT 'a,(b' COMMENT 'KEY `x` (`id`),\\n it''s',\n"
      "  `parent` int DEFAULT NULL,\n"
      "  PRIMARY KEY (`id`),\n"
      "  UNIQUE KEY `u` (`name`),\n"
      "  KEY `p` (`parent`,`name`(5) DESC) COMMENT 'c' /*!80000 INVISIBLE */,\n"
      "  FULLTEXT KEY `f` (`name`) /*!50100 WITH PARSER `ngram` */ ,\n"
      "  FULLTEXT KEY `g` (`name`),\n"
      "  CONSTRAINT `fk` FOREIGN KEY (`parent`) REFERENCES `t` (`id`) ON DELETE CASCADE,\n"
      "  CONSTRAINT `chk` CHECK ((`id` > 0))\n"
      ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='x) ENGINE=MyISAM'\n"
      "/*!50100 PARTITION BY HASH (`id`) PARTITIONS 4 */");
  EXPECT_EQ(parts.create,
            "CREATE TABLE `t` (\n"
            "  `id` int NOT NULL AUTO_INCREMENT,\n"
            "  `name` varchar(20) DEFAULT 'a,(b' COMMENT 'KEY `x` (`id`),\\n it''s',\n"
            "  `parent` int DEFAULT NULL,\n"
            "  PRIMARY KEY (`id`),\n"
            "  CONSTRAINT `chk` CHECK ((`id` > 0))\n"
            ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='x) ENGINE=MyISAM'\n"
            "/*!50100 PARTITION BY HASH (`id`) PARTITIONS 4 */");
  EXPECT_THAT(parts.index_alters,
              ElementsAre("ADD UNIQUE KEY `u` (`name`), ADD KEY `p` (`parent`,`name`(5) DESC) "
                          "COMMENT 'c' /*!80000 INVISIBLE */",
                          "ADD FULLTEXT KEY `f` (`name`) /*!50100 WITH PARSER `ngram` */",
                          "ADD FULLTEXT KEY `g` (`name`)"));
  EXPECT_THAT(parts.foreign_keys,
              ElementsAre("ADD CONSTRAINT `fk` FOREIGN KEY (`parent`) REFERENCES `t` (`id`) ON "
                          "DELETE CASCADE"));
}

TEST(SplitIndexes, KeepsTheIndexThatAutoIncrementNeeds) {
  const TableParts parts = SplitIndexes(
      "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `n` int NOT NULL AUTO_INCREMENT,\n"
      "  PRIMARY KEY (`a`),\n  KEY `n` (`n`),\n  KEY `an` (`a`,`n`)\n) ENGINE=InnoDB");
  EXPECT_NE(parts.create.find("KEY `n` (`n`)"), std::string::npos);
  EXPECT_THAT(parts.index_alters, ElementsAre("ADD KEY `an` (`a`,`n`)"));
}

TEST(SplitIndexes, KeepsUniqueKeysOfATableWithoutPrimaryKey) {
  const TableParts parts = SplitIndexes(
      "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  UNIQUE KEY `u` (`a`),\n  KEY `k` (`a`)\n"
      ") ENGINE=InnoDB");
  EXPECT_NE(parts.create.find("UNIQUE KEY `u`"), std::string::npos);
  EXPECT_THAT(parts.index_alters, ElementsAre("ADD KEY `k` (`a`)"));
}

TEST(SplitIndexes, KeepsIndexesOverExpressions) {
  const char* const create =
      "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  `j` json,\n  PRIMARY KEY (`id`),\n"
      "  KEY `e` ((lower(`id`))),\n  KEY `m` (`id`,(cast(`j` as unsigned array)))\n"
      ") ENGINE=InnoDB";
  EXPECT_EQ(SplitIndexes(create).create, create);
  EXPECT_THAT(SplitIndexes(create).index_alters, IsEmpty());
}

TEST(SplitIndexes, LeavesOtherEnginesAndOtherTextsWhole) {
  for (const char* create :
       {"CREATE TABLE `t` (\n  `id` int,\n  KEY `k` (`id`)\n) ENGINE=MyISAM",
        "CREATE TABLE `t` LIKE `u`", "CREATE SEQUENCE `s` start with 1 ENGINE=InnoDB",
        "CREATE TABLE `t` (`a` int", ""}) {
    EXPECT_EQ(SplitIndexes(create).create, create);
    EXPECT_THAT(SplitIndexes(create).index_alters, IsEmpty());
  }
}

TEST(SplitIndexes, CanLeaveTheForeignKeysAloneForLater) {
  const TableParts parts = SplitIndexes(
      "CREATE TABLE `t` (\n  `id` int,\n  `p` int,\n  PRIMARY KEY (`id`),\n  KEY `p` (`p`),\n"
      "  CONSTRAINT `c` FOREIGN KEY (`p`) REFERENCES `u` (`id`)\n) ENGINE=InnoDB");
  EXPECT_EQ(parts.create_with_indexes,
            "CREATE TABLE `t` (\n  `id` int,\n  `p` int,\n  PRIMARY KEY (`id`),\n  KEY `p` (`p`)"
            ") ENGINE=InnoDB");
}

TEST(ForFilling, ArchivesCounterBeginsAnew) {
  const std::string head = "CREATE TABLE `t` (\n  `a` int AUTO_INCREMENT,\n  PRIMARY KEY (`a`)\n) ";
  EXPECT_EQ(ForFilling(head + "ENGINE=ARCHIVE AUTO_INCREMENT=34 DEFAULT CHARSET=utf8mb4"),
            head + "ENGINE=ARCHIVE AUTO_INCREMENT=0 DEFAULT CHARSET=utf8mb4");
  for (const std::string tail :
       {"ENGINE=ARCHIVE", "ENGINE=InnoDB AUTO_INCREMENT=34", "COMMENT='ENGINE=ARCHIVE'"}) {
    EXPECT_EQ(ForFilling(head + tail), head + tail);
  }
}

TEST(RefersTo, KnowsTheTableWithAndWithoutItsDatabase) {
  const std::string create =
      "CREATE TABLE `t` (`x` int COMMENT 'REFERENCES `z`',\n"
      "  FOREIGN KEY (`x`) REFERENCES `a`.`p` (`id`),\n"
      "  FOREIGN KEY (`x`) REFERENCES `q` (`id`))";
  const auto refers = [&](const std::string& database, const std::string& table) {
    return RefersTo(create, "here", [&](const std::string& d, const std::string& t) {
      return d == database && t == table;
    });
  };
  EXPECT_TRUE(refers("a", "p"));
  EXPECT_TRUE(refers("here", "q"));
  EXPECT_FALSE(refers("here", "p"));
  EXPECT_FALSE(refers("here", "z"));
}

TEST(RedirectReferences, MovesQualifiedParentsOnly) {
  const auto redirect = [](const std::string& database) {
    return database == "a" ? std::string("a__restore") : database;
  };
  EXPECT_EQ(RedirectReferences("CREATE TABLE `t` (`x` int COMMENT 'REFERENCES `a`.`p`',\n"
                               "  FOREIGN KEY (`x`) REFERENCES `a`.`p` (`id`),\n"
                               "  FOREIGN KEY (`x`) REFERENCES `b`.`p` (`id`),\n"
                               "  FOREIGN KEY (`x`) REFERENCES `p` (`id`))",
                               redirect),
            "CREATE TABLE `t` (`x` int COMMENT 'REFERENCES `a`.`p`',\n"
            "  FOREIGN KEY (`x`) REFERENCES `a__restore`.`p` (`id`),\n"
            "  FOREIGN KEY (`x`) REFERENCES `b`.`p` (`id`),\n"
            "  FOREIGN KEY (`x`) REFERENCES `p` (`id`))");
}

TEST(CreateTableTest, TablespacesAreThoseOfTheTableAndOfItsPartitions) {
  EXPECT_EQ(TablespacesOf("CREATE TABLE `t` (\n  `a` int COMMENT 'TABLESPACE `x`'\n) "
                          "/*!50100 TABLESPACE `ts1` */ ENGINE=InnoDB"),
            std::set<std::string>{"ts1"});
  EXPECT_EQ(TablespacesOf("CREATE TABLE `t` (`a` int) /*!50100 TABLESPACE `innodb_system` */ "
                          "ENGINE=InnoDB\n/*!50100 PARTITION BY RANGE (`a`)\n(PARTITION p0 VALUES "
                          "LESS THAN (10) TABLESPACE = `b``c` ENGINE = InnoDB) */"),
            std::set<std::string>{"b`c"});
  EXPECT_TRUE(TablespacesOf("CREATE TABLE `tablespace` (`tablespace` int) ENGINE=InnoDB").empty());
}

}  // namespace
}  // namespace oxbackup::mysql
