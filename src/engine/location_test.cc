// Which archive of a place a command means.
#include "engine/location.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/archive_testing.h"
#include "base/error.h"
#include "base/run_context_testing.h"
#include "store/memory/memory_store.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;

class LocationTest : public ::testing::Test {
 protected:
  // A small archive of ours that was finished so many days after the first of January 2026.
  std::string Archive(int day) {
    StringSink sink;
    ArchiveWriter writer(sink, {ParseCompression("xz:1"), 1}, test_.run);
    writer.Add(MakeGroup({MakeFile("data/caddy/x", "a key")}));
    Manifest manifest;
    manifest.tool_version = "test";
    manifest.finished = *ParseRfc3339("2026-01-01T12:00:00Z") + std::chrono::hours(24 * day);
    writer.Finish(std::move(manifest));
    return sink.bytes();
  }
  std::string Chosen(const ArchiveChoice& choice) {
    return ChooseArchive(store_, choice, test_.run).object.name;
  }
  // The error that choosing ends with.
  Error Refused(const ArchiveChoice& choice) {
    try {
      Chosen(choice);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "an archive was chosen";
    return Error(ErrorKind::kInternal, "none");
  }

  TestRun test_;
  MemoryStore store_{test_.clock};
};

TEST_F(LocationTest, ANameWithoutItsSuffixHasToFitOneArchiveAlone) {
  store_.Put("before.tar.xz", Archive(0));
  EXPECT_EQ(Chosen({.name = "before", .date = {}}), "before.tar.xz");
  store_.Put("before.tar.zst", Archive(1));
  const Error error = Refused({.name = "before", .date = {}});
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("before.tar.xz, before.tar.zst"));
  EXPECT_EQ(Chosen({.name = "before.tar.zst", .date = {}}), "before.tar.zst");
  EXPECT_EQ(Refused({.name = "after", .date = {}}).kind(), ErrorKind::kNotFound);
}

TEST_F(LocationTest, OnlyADateInANameIsTakenForItsDate) {
  store_.Put("backup.2026-11-22.tar.xz", Archive(0));
  store_.Put("backup.university.tar.xz", Archive(1));
  EXPECT_EQ(Chosen({.name = {}, .date = "2026-11-22"}), "backup.2026-11-22.tar.xz");
  EXPECT_EQ(Chosen({.name = {}, .date = "2026-01-02"}), "backup.university.tar.xz");
  EXPECT_EQ(Refused({.name = {}, .date = "university"}).kind(), ErrorKind::kNotFound);
}

TEST_F(LocationTest, NamesAreRefusedOnlyWhenAllOfThemAreTaken) {
  store_.Put("a.tar.xz", "");
  CheckSomeNameIsFree(store_, {"a.tar.xz", "b.tar.xz"});
  try {
    CheckSomeNameIsFree(store_, {"a.tar.xz"});
    ADD_FAILURE() << "the name is taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("memory already has a.tar.xz"));
  }
}

}  // namespace
}  // namespace oxbackup
