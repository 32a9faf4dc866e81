// Names of new archives.
#include "engine/location.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/run_context_testing.h"
#include "store/memory/memory_store.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(LocationTest, NamesAreRefusedOnlyWhenAllOfThemAreTaken) {
  const SystemClock clock;
  MemoryStore store(clock);
  store.Put("a.tar.xz", "");
  EXPECT_EQ(FirstFreeName(store, {"a.tar.xz", "b.tar.xz", "c.tar.xz"}), "b.tar.xz");
  try {
    FirstFreeName(store, {"a.tar.xz"});
    ADD_FAILURE() << "the name is taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("memory already has a.tar.xz"));
  }
}

TEST(LocationTest, ANameHasNoControlCharacters) {
  const TimePoint now = SystemClock().Now();
  EXPECT_EQ(NewArchiveNames("before upgrade", ".tar.xz", now),
            std::vector<std::string>{"before upgrade.tar.xz"});
  for (const char* const name : {"", ".x", "a/b", "a\nb", "\x1b[2J", "a\x7f"}) {
    try {
      (void)NewArchiveNames(name, ".tar.xz", now);
      ADD_FAILURE() << "it is taken: " << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), Not(testing::ContainsRegex("[\x01-\x1f]")));
    }
  }
}

TEST(LocationTest, ABucketThatIsWrittenOtherwiseIsExplained) {
  const TestRun test;
  for (const char* const text : {"s3:/backups", "S3://backups", "s3:backups"}) {
    try {
      (void)OpenLocation(text, {.settings = {}, .bucket = {}, .environment = {}}, test.run);
      ADD_FAILURE() << "it is taken: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
      EXPECT_THAT(error.hint(), HasSubstr("s3://BUCKET"));
    }
  }
}

TEST(LocationTest, APlaceInABucketHasANameAndNoDots) {
  const TestRun test;
  for (const char* const text : {"s3:///campus", "s3://backups/a/../b", "s3://backups/./b"}) {
    try {
      (void)OpenLocation(text, {.settings = {}, .bucket = {}, .environment = {}}, test.run);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
      EXPECT_THAT(error.hint(), HasSubstr("s3://BUCKET")) << text;
    }
  }
}

TEST(LocationTest, ANameIsNeverTakenWhereItGetsAnotherVersion) {
  const SystemClock clock;
  MemoryStore store(clock, MemoryVersions::kKept);
  store.Put("a.tar.xz", "");
  EXPECT_EQ(FirstFreeName(store, {"a.tar.xz", "b.tar.xz"}), "a.tar.xz");
}

}  // namespace
}  // namespace oxbackup
