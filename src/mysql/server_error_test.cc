#include "mysql/server_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oxbackup::mysql {
namespace {

using ::testing::HasSubstr;

std::string HintOf(unsigned number) {
  ServerError refused;
  refused.number = number;
  return ToError("MySQL refused CREATE TABLE `t`", refused).hint();
}

TEST(ServerErrorTest, ACollationOfAnotherServerSaysWhichServerHasIt) {
  EXPECT_THAT(HintOf(1273), HasSubstr("MySQL 8.0 or newer"));
  EXPECT_THAT(HintOf(1115), HasSubstr("the kind and version that it comes from"));
}

TEST(ServerErrorTest, AMissingTablespaceSaysHowToMakeIt) {
  EXPECT_THAT(HintOf(3510), HasSubstr("CREATE TABLESPACE"));
}

}  // namespace
}  // namespace oxbackup::mysql
