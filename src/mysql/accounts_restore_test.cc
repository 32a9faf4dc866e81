#include "mysql/accounts_restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oxbackup::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void ExpectAccount(std::string_view statement, std::string_view user, std::string_view host) {
  const std::optional<Account> account = AccountOf(statement);
  ASSERT_TRUE(account) << statement;
  EXPECT_EQ(account->user, user) << statement;
  EXPECT_EQ(account->host, host) << statement;
}

TEST(Accounts, EveryStatementNamesItsAccount) {
  ExpectAccount("CREATE USER IF NOT EXISTS `o``x`@`%` IDENTIFIED WITH 'x' AS 'y@z'", "o`x", "%");
  ExpectAccount("ALTER USER 'a'@'10.0.0.1' ACCOUNT LOCK", "a", "10.0.0.1");
  ExpectAccount("CREATE ROLE `r`", "r", "%");
  ExpectAccount("GRANT SELECT (`to`), INSERT ON `d`.`TO` TO `u`@`h` WITH GRANT OPTION", "u", "h");
  ExpectAccount("GRANT PROXY ON ``@`` TO 'root'@'localhost'", "root", "localhost");
  ExpectAccount("GRANT `r`@`%` TO `u`@`h`", "u", "h");
  ExpectAccount("REVOKE ALL ON *.* FROM u@h", "u", "h");
  ExpectAccount("SET DEFAULT ROLE `r` FOR `u`@`h`", "u", "h");
  ExpectAccount("SET DEFAULT ROLE `r`@`%` TO `u`@`h`", "u", "h");
  EXPECT_FALSE(AccountOf("SET NAMES utf8mb4"));
  EXPECT_FALSE(AccountOf("FLUSH PRIVILEGES"));
  EXPECT_FALSE(AccountOf("CREATE TABLE t (a int)"));
}

constexpr std::string_view kBefore =
    "CREATE USER IF NOT EXISTS `a`@`%` IDENTIFIED BY 'x';\n"
    "CREATE USER IF NOT EXISTS `b`@`%`;\n"
    "CREATE USER IF NOT EXISTS `own`@`%`;\n"
    "GRANT USAGE ON *.* TO `b`@`%`;\n"
    "GRANT SELECT ON `d`.* TO `a`@`%`;\n";

std::vector<std::string> RightsThatStay(const std::string& more) {
  NullLog log;
  Warnings warnings(log);
  WarnOfRightsThatStay(std::string(kBefore) + more, kBefore, "own", warnings);
  return warnings.All();
}

TEST(Accounts, RightsThatStayAreSaidOfAccountsThatWereThere) {
  EXPECT_THAT(RightsThatStay(""), IsEmpty());
  EXPECT_THAT(RightsThatStay("GRANT INSERT ON `d`.* TO `a`@`%`;\n"), ElementsAre(HasSubstr("a@%")));
  EXPECT_THAT(RightsThatStay("GRANT INSERT ON `d`.* TO `b`@`%`;\n"), ElementsAre(HasSubstr("b@%")));
  EXPECT_THAT(RightsThatStay("GRANT INSERT ON `d`.* TO `own`@`%`;\n"
                             "CREATE USER IF NOT EXISTS `new`@`%`;\n"
                             "GRANT INSERT ON `d`.* TO `new`@`%`;\n"),
              IsEmpty());
}

}  // namespace
}  // namespace oxbackup::mysql
