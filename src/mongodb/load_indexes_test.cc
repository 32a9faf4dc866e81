// Indexes of an archive that the server does not take as they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mongodb/restore_fixture_testing.h"

namespace oxbackup::mongodb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// On 4.4.
using IndexRestoreTest = RestoreTargetTest;

class NewServerIndexTest : public RestoreTargetTest {
 protected:
  NewServerIndexTest() : RestoreTargetTest(Version8()) {}
  static ModelOptions Version8() {
    ModelOptions options;
    options.version = "8.0.0";
    return options;
  }
};

TEST_F(IndexRestoreTest, RefusesUnknownIndexKindsBeforeItLoadsAnything) {
  archive_.Add("openedx", "indexed", {R"({"_id": 1})"},
               R"({"indexes": [{"v": 2, "key": {"a": "soundex"}, "name": "a_soundex"}]})");
  EXPECT_THROW(RestoreAll(connect_, options_, archive_, run_), Error);
  EXPECT_THAT(server_.Commands("insert"), IsEmpty());
}

TEST_F(IndexRestoreTest, LeavesOutOptionsOfIndexesThatOldServersKept) {
  archive_.Add("openedx", "indexed", {R"({"_id": 1})"},
               R"({"indexes": [{"v": 1, "key": {"a": 1}, "name": "a_1", "ns": "openedx.indexed",
                                "background": true, "dropDups": true, "safe": true,
                                "unique": true}]})");
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(run_.warnings.All(), ElementsAre(testing::AllOf(HasSubstr("a_1 of openedx.indexed"),
                                                              HasSubstr("'safe'"))));
  ASSERT_EQ(model_.Find("openedx.indexed")->indexes.size(), 1u);
  EXPECT_TRUE(FindField(model_.Find("openedx.indexed")->indexes[0].bytes(), "unique"));
}

// By it 4.4 lets nothing expire.
constexpr char kAgeIsNan[] = R"({"indexes": [{"v": 2, "key": {"a": 1}, "name": "ttl",
                                 "expireAfterSeconds": {"$numberDouble": "NaN"}}]})";

TEST_F(NewServerIndexTest, LetsNothingExpireWhereTheAgeIsNoNumber) {
  archive_.Add("openedx", "indexed", {R"({"_id": 1})"}, kAgeIsNan);
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(run_.warnings.All(), ElementsAre(HasSubstr("ttl of openedx.indexed had NaN")));
  const Bson index = model_.Find("openedx.indexed")->indexes.at(0);
  EXPECT_EQ(FindField(index.bytes(), "expireAfterSeconds")->AsInt(), 2147483647);
}

TEST_F(IndexRestoreTest, LeavesAnAgeThatIsNoNumberToServersThatTakeIt) {
  archive_.Add("openedx", "indexed", {R"({"_id": 1})"}, kAgeIsNan);
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
  const Bson index = model_.Find("openedx.indexed")->indexes.at(0);
  EXPECT_EQ(FindField(index.bytes(), "expireAfterSeconds")->type, BsonType::kDouble);
}

TEST_F(IndexRestoreTest, RefusesAnAgeBeyond1970OnOldServersBeforeItLoadsAnything) {
  archive_.Add("openedx", "indexed", {R"({"_id": 1})"},
               R"({"indexes": [{"v": 2, "key": {"a": 1}, "name": "ttl",
                                "expireAfterSeconds": 2147483647}]})");
  try {
    RestoreAll(connect_, options_, archive_, run_);
    FAIL() << "4.4 refuses it";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("ttl of openedx.indexed"));
    EXPECT_THAT(error.hint(), HasSubstr("--noIndexRestore"));
  }
  EXPECT_THAT(server_.Commands("insert"), IsEmpty());
}

}  // namespace
}  // namespace oxbackup::mongodb
