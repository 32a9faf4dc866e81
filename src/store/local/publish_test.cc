#include "store/local/publish.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file_descriptor.h"
#include "base/temporary_folder_testing.h"

namespace oxbackup {
namespace {

// Every way has to keep the promise by itself: a file system may have only one of them.
class PublishTest : public testing::TestWithParam<PublishMethod> {
 protected:
  bool Publish() { return PublishNoReplace(fd_.get(), ".temporary", "name", {GetParam()}); }

  TemporaryFolder folder_;
  FileDescriptor fd_{::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
};

TEST_P(PublishTest, GivesTheFileItsName) {
  WriteTestFile(folder_.path() / ".temporary", "new");
  EXPECT_TRUE(Publish());
  EXPECT_EQ(ReadTestFile(folder_.path() / "name"), "new");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / ".temporary"));
}

TEST_P(PublishTest, NeverReplaces) {
  WriteTestFile(folder_.path() / ".temporary", "new");
  WriteTestFile(folder_.path() / "name", "old");
  EXPECT_FALSE(Publish());
  EXPECT_EQ(ReadTestFile(folder_.path() / "name"), "old");
  EXPECT_EQ(ReadTestFile(folder_.path() / ".temporary"), "new");
}

INSTANTIATE_TEST_SUITE_P(EveryMethod, PublishTest,
                         testing::Values(PublishMethod::kRenameNoReplace, PublishMethod::kLink,
                                         PublishMethod::kLockedRename));

}  // namespace
}  // namespace oxbackup
