#include "mysql/catalog.h"

#include <gtest/gtest.h>

namespace oxbackup::mysql {
namespace {

Table TableOf(const char* engine) {
  Table table;
  table.engine = engine;
  return table;
}

TEST(CatalogTest, RowsThatAreNotTheTablesOwnAreNotCopied) {
  for (const char* const engine : {"InnoDB", "MyISAM", "Aria", "ARCHIVE", "CSV", "BLACKHOLE"}) {
    EXPECT_TRUE(HasOwnRows(TableOf(engine))) << engine;
    EXPECT_FALSE(HasRowsElsewhere(TableOf(engine))) << engine;
  }
  for (const char* const engine : {"FEDERATED", "SPIDER", "CONNECT"}) {
    EXPECT_FALSE(HasOwnRows(TableOf(engine))) << engine;
    EXPECT_TRUE(HasRowsElsewhere(TableOf(engine))) << engine;
  }
  for (const char* const engine : {"MRG_MYISAM", "MRG_MyISAM", "SEQUENCE"}) {
    EXPECT_FALSE(HasOwnRows(TableOf(engine))) << engine;
    EXPECT_FALSE(HasRowsElsewhere(TableOf(engine))) << engine;
  }
}

}  // namespace
}  // namespace oxbackup::mysql
