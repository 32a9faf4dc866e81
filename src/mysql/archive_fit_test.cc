#include "mysql/archive_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "mysql/packet_size.h"

namespace oxbackup::mysql {
namespace {

using ::testing::HasSubstr;

ObjectEntry Named(const std::string& database, const std::string& name, const std::string& kind) {
  ObjectEntry object;
  object.database = database;
  object.name = name;
  object.kind = kind;
  return object;
}

TEST(ArchiveFitTest, NamesInUpperCaseNeedAServerThatKeepsThem) {
  const ObjectEntry table = Named("odd", "CON", "table");
  const ObjectEntry in_upper = Named("Odd", "t", "procedure");
  for (const ObjectEntry* const object : {&table, &in_upper}) {
    try {
      RefuseFoldedNames("1", {object});
      ADD_FAILURE() << object->name << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), HasSubstr(object->database + "." + object->name));
      EXPECT_THAT(error.what(), HasSubstr("lower_case_table_names=1"));
    }
    EXPECT_NO_THROW(RefuseFoldedNames("0", {object}));
    EXPECT_NO_THROW(RefuseFoldedNames("2", {object})) << "keeps them as they were written";
  }
}

TEST(ArchiveFitTest, NamesOfRoutinesAndTriggersKeepTheirCaseEverywhere) {
  const ObjectEntry routine = Named("openedx", "CountUp", "procedure");
  const ObjectEntry table = Named("openedx", "auth_user", "table");
  EXPECT_NO_THROW(RefuseFoldedNames("1", {&routine, &table}));
}

TEST(ArchiveFitTest, AStatementBeyondTheLimitNamesBothSizesAndHowToRaiseIt) {
  constexpr uint64_t kLimit = (uint64_t{64} << 20) - 1;
  EXPECT_NO_THROW(RefuseTooLong("big.b", kLimit, kLimit));
  try {
    RefuseTooLong("big.b", 83886100, kLimit);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("big.b has a row that takes an INSERT of 84 MB"));
    EXPECT_THAT(error.what(), HasSubstr("max_allowed_packet is 67 MB"));
    EXPECT_THAT(error.hint(), HasSubstr("SET GLOBAL max_allowed_packet=84934656 "));
  }
  try {
    RefuseTooLong("big.b", uint64_t{1} << 30, kLimit);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("cannot be restored"));
  }
}

}  // namespace
}  // namespace oxbackup::mysql
