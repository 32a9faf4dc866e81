#include "files/folder_tools.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/temporary_folder_testing.h"
#include "files/mount_testing.h"

namespace oxbackup::files {
namespace {

namespace fs = std::filesystem;

void ExpectRemovalRefused(const fs::path& parent, const std::string& name) {
  try {
    RemoveTreeAt(OpenFolder(parent).get(), name, (parent / name).string());
    ADD_FAILURE() << "removed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSource);
    EXPECT_EQ(error.cause(), "something is mounted there");
  }
}

TEST(RemoveTreeAt, RemovesAllOfATree) {
  const TemporaryFolder folder;
  WriteTestFile(folder.path() / "tree" / "deep" / "file", "x");
  RemoveTreeAt(OpenFolder(folder.path()).get(), "tree", "tree");
  EXPECT_FALSE(fs::exists(folder.path() / "tree"));
}

TEST(RemoveTreeAt, AnotherFileSystemInItKeepsItsContent) {
  const TemporaryFolder folder;
  WithPrivateMounts([&] {
    const fs::path mounted = folder.path() / "tree" / "mounted";
    MountOver(mounted);
    WriteTestFile(mounted / "file", "kept");
    ExpectRemovalRefused(folder.path(), "tree");
    ExpectRemovalRefused(folder.path() / "tree", "mounted");
    EXPECT_EQ(ReadTestFile(mounted / "file"), "kept");
  });
}

TEST(RemoveTreeAt, ABindMountOfTheSameFileSystemKeepsItsContent) {
  const TemporaryFolder folder;
  WithPrivateMounts([&] {
    WriteTestFile(folder.path() / "elsewhere" / "file", "kept");
    MountFolder(folder.path() / "elsewhere", folder.path() / "tree" / "mounted");
    ExpectRemovalRefused(folder.path(), "tree");
    EXPECT_EQ(ReadTestFile(folder.path() / "elsewhere" / "file"), "kept");
  });
}

}  // namespace
}  // namespace oxbackup::files
