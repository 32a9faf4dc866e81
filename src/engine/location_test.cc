// Names of new archives.
#include "engine/location.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/memory/memory_store.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;

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

TEST(LocationTest, ANameIsNeverTakenWhereItGetsAnotherVersion) {
  const SystemClock clock;
  MemoryStore store(clock, MemoryVersions::kKept);
  store.Put("a.tar.xz", "");
  EXPECT_EQ(FirstFreeName(store, {"a.tar.xz", "b.tar.xz"}), "a.tar.xz");
}

}  // namespace
}  // namespace oxbackup
