#include "mysql/schema_dump.h"

#include <gtest/gtest.h>

namespace oxbackup::mysql {
namespace {

TEST(SchemaDumpTest, RelationsOfAViewAreTold) {
  const std::string_view view =
      "CREATE VIEW `v` AS select `a`.`x` AS `alias`,`b`.`y` AS `y` from (`a` join `other`.`c` `b` "
      "on(`a`.`x` = `b`.`y`))";
  EXPECT_TRUE(ViewMayUse(view, "a"));
  EXPECT_TRUE(ViewMayUse(view, "c"));
  EXPECT_FALSE(ViewMayUse(view, "alias"));
  EXPECT_FALSE(ViewMayUse(view, "other"));
  EXPECT_FALSE(ViewMayUse(view, "d"));
}

}  // namespace
}  // namespace oxbackup::mysql
