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
  const ServerInfo mysql8{false, "8.4.3", 80403};
  const ServerInfo mysql5{false, "5.7.44", 50744};
  const ServerInfo mariadb{true, "10.11.19-MariaDB", 101119};
  for (const ServerInfo& server : {mysql8, mysql5, mariadb}) {
    EXPECT_FALSE(SeesRoutines({"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `openedx`.* TO `u`@`%`"},
                              "openedx", server));
    EXPECT_TRUE(SeesRoutines({"GRANT EXECUTE ON `openedx`.* TO `u`@`%`"}, "openedx", server));
    EXPECT_TRUE(SeesRoutines({"GRANT SELECT ON *.* TO `u`@`%`"}, "openedx", server));
  }
  EXPECT_TRUE(SeesRoutines({"GRANT SHOW_ROUTINE ON *.* TO `u`@`%`"}, "openedx", mysql8));
}

TEST(VisibilityTest, OlderServersShowRoutinesToWhoMayReadTheirTable) {
  const ServerInfo mysql8{false, "8.4.3", 80403};
  const ServerInfo mariadb{true, "10.11.19-MariaDB", 101119};
  for (const std::string line :
       {"GRANT SELECT ON `mysql`.* TO `u`@`%`", "GRANT SELECT ON `mysql`.`proc` TO `u`@`%`"}) {
    EXPECT_TRUE(SeesRoutines({line}, "openedx", mariadb)) << line;
    EXPECT_FALSE(SeesRoutines({line}, "openedx", mysql8)) << line;
  }
  EXPECT_FALSE(SeesRoutines({"GRANT INSERT ON `mysql`.`proc` TO `u`@`%`"}, "openedx", mariadb));
}

}  // namespace
}  // namespace oxbackup::mysql
