#include "mysql/visibility.h"

#include <gtest/gtest.h>

namespace oxbackup::mysql {
namespace {

TEST(VisibilityTest, RightsForTheWholeServerCoverEveryDatabase) {
  EXPECT_TRUE(GrantsCover({"GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION"}, "EVENT",
                          "openedx"));
  EXPECT_TRUE(
      GrantsCover({"GRANT USAGE ON *.* TO `u`@`%`", "GRANT SELECT, EVENT ON *.* TO `u`@`%`"},
                  "EVENT", "openedx"));
  EXPECT_FALSE(
      GrantsCover({"GRANT SELECT, SHOW DATABASES ON *.* TO `u`@`%`"}, "SHOW VIEW", "openedx"));
}

TEST(VisibilityTest, RightsForADatabaseCoverWhatItsPatternMatches) {
  const std::vector<std::string> grants = {"GRANT SELECT ON `open\\_edx`.* TO `u`@`%`"};
  EXPECT_TRUE(GrantsCover(grants, "SELECT", "open_edx"));
  EXPECT_FALSE(GrantsCover(grants, "SELECT", "openXedx"));
  EXPECT_TRUE(GrantsCover({"GRANT SELECT ON `open%`.* TO `u`@`%`"}, "SELECT", "openedx"));
  EXPECT_TRUE(GrantsCover({"GRANT SELECT ON `o_enedx`.* TO `u`@`%`"}, "SELECT", "openedx"));
  EXPECT_TRUE(GrantsCover({"GRANT SELECT ON `a``b`.* TO `u`@`%`"}, "SELECT", "a`b"));
}

TEST(VisibilityTest, RightsForATableOrAColumnDoNot) {
  EXPECT_FALSE(GrantsCover({"GRANT SELECT ON `openedx`.`t` TO `u`@`%`"}, "SELECT", "openedx"));
  EXPECT_FALSE(GrantsCover({"GRANT SELECT (`a`) ON `openedx`.* TO `u`@`%`"}, "SELECT", "openedx"));
  EXPECT_FALSE(GrantsCover({"GRANT `role`@`%` TO `u`@`%`"}, "SELECT", "openedx"));
}

TEST(VisibilityTest, RoutinesNeedARightOfTheirOwn) {
  EXPECT_FALSE(SeesRoutines({"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `openedx`.* TO `u`@`%`"},
                            "openedx"));
  EXPECT_TRUE(SeesRoutines({"GRANT SHOW_ROUTINE ON *.* TO `u`@`%`"}, "openedx"));
  EXPECT_TRUE(SeesRoutines({"GRANT EXECUTE ON `openedx`.* TO `u`@`%`"}, "openedx"));
  EXPECT_TRUE(SeesRoutines({"GRANT SELECT ON *.* TO `u`@`%`"}, "openedx"));
}

}  // namespace
}  // namespace oxbackup::mysql
