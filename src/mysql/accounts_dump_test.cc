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

TEST(AccountsDumpTest, AnEmptyPasswordIsNamedWhereThereIsNone) {
  EXPECT_EQ(WithEmptyPasswordNamed(
                "ALTER USER `u`@`%` IDENTIFIED WITH 'caching_sha2_password' REQUIRE NONE"),
            "ALTER USER `u`@`%` IDENTIFIED WITH 'caching_sha2_password' AS '' REQUIRE NONE");
  for (const char* const as_it_is :
       {"ALTER USER `u`@`%` IDENTIFIED WITH 'caching_sha2_password' AS 0x41 REQUIRE NONE",
        "ALTER USER `u`@`%` IDENTIFIED WITH 'caching_sha2_password' BY 'x'",
        "ALTER USER `u`@`%` IDENTIFIED WITH 'auth_socket' REQUIRE NONE",
        "ALTER USER `IDENTIFIED WITH 'caching_sha2_password'`@`%` ACCOUNT LOCK",
        "CREATE USER `u`@`%` IDENTIFIED WITH 'caching_sha2_password' REQUIRE NONE"}) {
    EXPECT_EQ(WithEmptyPasswordNamed(as_it_is), as_it_is);
  }
}

}  // namespace
}  // namespace oxbackup::mysql
