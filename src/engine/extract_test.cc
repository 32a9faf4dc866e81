// Extraction where the disk fails last, and into a folder that is somebody's own.
#include "engine/extract.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "archive/archive_testing.h"
#include "base/error.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "store/memory/memory_store.h"

namespace {

std::atomic<int> fsync_error = 0;
std::atomic<int> syncfs_error = 0;

int Fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

// In place of the C library's: a quota on a network file system that is told late cannot be had
// here.
extern "C" int fsync(int fd) {
  if (fsync_error != 0) return Fail(fsync_error);
  return static_cast<int>(::syscall(SYS_fsync, fd));
}
extern "C" int syncfs(int fd) noexcept {
  if (syncfs_error != 0) return Fail(syncfs_error);
  return static_cast<int>(::syscall(SYS_syncfs, fd));
}

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

class ExtractTest : public ::testing::Test {
 protected:
  ExtractTest() {
    store_.Put(
        "a.tar.xz",
        WriteArchive("xz:1",
                     {{MakeFile("data/caddy/x", "a key")},
                      {MakeFile("data/mongodb_dump/openedx/modulestore.bson.00000000", "part"),
                       MakeFile("data/mongodb_dump/openedx/modulestore.bson.00000001", "s")}},
                     test_.run));
  }
  ~ExtractTest() override {
    fsync_error = 0;
    syncfs_error = 0;
  }

  ExtractReport Run() { return Extract(store_, "a.tar.xz", {}, target_, test_.run); }
  void ExpectFailure() {
    try {
      Run();
      ADD_FAILURE() << "it said success";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kStore) << error.what();
      EXPECT_EQ(error.cause(), "Disk quota exceeded");
    }
    EXPECT_FALSE(fs::exists(target_));
  }

  TestRun test_;
  TemporaryFolder folder_;
  const fs::path target_ = folder_.path() / "out";
  MemoryStore store_{test_.clock};
};

TEST_F(ExtractTest, AQuotaThatIsToldWhenAFileIsSyncedIsNoSuccess) {
  fsync_error = EDQUOT;
  ExpectFailure();
}

TEST_F(ExtractTest, AQuotaThatIsToldWhenAllIsSyncedIsNoSuccess) {
  syncfs_error = EDQUOT;
  ExpectFailure();
}

TEST_F(ExtractTest, AFolderThatItMakesIsForNobodyElse) {
  EXPECT_EQ(Run().files, 2);
  EXPECT_EQ(fs::status(target_).permissions(), fs::perms::owner_all);
}

TEST_F(ExtractTest, TheOperatorsOwnFolderStaysAsItIs) {
  fs::create_directory(target_);
  constexpr uid_t kSomebody = 12345;
  const bool may_chown = ::chown(target_.c_str(), kSomebody, kSomebody) == 0;
  ASSERT_EQ(::chmod(target_.c_str(), 0700), 0);
  EXPECT_EQ(Run().files, 2);
  struct stat status {};
  ASSERT_EQ(::stat(target_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700);
  EXPECT_EQ(status.st_uid, may_chown ? kSomebody : ::getuid());
  EXPECT_EQ(ReadTestFile(target_ / "data/mongodb_dump/openedx/modulestore.bson"), "parts");
  EXPECT_EQ(ReadTestFile(target_ / "data/caddy/x"), "a key");
}

}  // namespace
}  // namespace oxbackup
