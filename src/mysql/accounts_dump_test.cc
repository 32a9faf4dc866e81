#include "mysql/accounts_dump.h"

#include <gtest/gtest.h>

namespace oxbackup::mysql {
namespace {

TEST(AccountsDumpTest, DefaultRolesAreTakenOutOfCreateUser) {
  EXPECT_EQ(WithoutDefaultRole("CREATE USER `u`@`%` IDENTIFIED WITH 'p' AS 0x41 DEFAULT ROLE "
                               "`a`@`%`,`b`@`%` REQUIRE NONE ACCOUNT LOCK"),
            "CREATE USER `u`@`%` IDENTIFIED WITH 'p' AS 0x41 REQUIRE NONE ACCOUNT LOCK");
  EXPECT_EQ(WithoutDefaultRole("CREATE USER `u`@`%` REQUIRE NONE"),
            "CREATE USER `u`@`%` REQUIRE NONE");
}

}  // namespace
}  // namespace oxbackup::mysql
