// A backup and a restore of the same folder at the same time, and what is no part of a folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "archive/archive_writer.h"
#include "base/error.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "files/tree.h"
#include "files/tree_testing.h"

namespace oxbackup::files {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

class TreeReadersTest : public testing::Test {
 protected:
  TreeReadersTest() {
    for (const std::string name : {"one", "two"}) {
      WriteTestFile(folder_.path() / "source" / name, "restored");
      WriteTestFile(live_ / name, "live");
    }
  }

  std::unique_ptr<BackupSource> Source(const fs::path& path) {
    return MakeTreeSource("media", "data/media", {{"m", path}}, backup_.run);
  }
  std::unique_ptr<BackupSource> Source() { return Source(live_); }
  std::unique_ptr<RestoreTarget> Target() {
    return MakeTreeTarget("media", "data/media", {{"m", live_}}, {}, restore_.run);
  }

  void LoadAndVerify(RestoreTarget& target) {
    MemberListReader reader(MembersOf(folder_.path() / "source", "data/media/m"), nullptr);
    target.Load(reader);
    target.Verify(nullptr);
  }
  static void Swap(RestoreTarget& target) {
    target.WriteIntent({"run", "archive", "2026-11-22T20:48:20Z", {"media"}, false});
    target.Swap();
    target.CloseSwap(false);
  }

  // The names and contents that a copy which has been prepared puts into an archive.
  std::map<std::string, std::string> Copied(BackupSource& source) {
    StringSink sink;
    {
      ArchiveWriter writer(sink, {}, backup_.run);
      source.Copy(writer);
      Manifest manifest;
      manifest.components.push_back(source.Finish());
      writer.Finish(manifest);
    }
    std::map<std::string, std::string> copied;
    const auto reader =
        OpenArchive(std::make_unique<MemoryRangedSource>(sink.bytes()), backup_.run);
    reader->Read([](const std::string& path) { return path.starts_with("data/media/m/"); },
                 [&](const MemberInfo& info, ByteSource& content) {
                   copied[info.path] = ReadAll(content, 1000);
                 },
                 1, backup_.run);
    return copied;
  }

  void AwaitThatItWaits() {
    for (;;) {
      const Progress::Snapshot board = restore_.progress.Read();
      if (!board.components.empty() && board.components[0].phase == "wait") return;
      std::this_thread::yield();
    }
  }

  // Whether a restore waits with its swap; ends it then.
  bool ARestoreWaits() {
    const auto target = Target();
    std::thread stop([&] {
      AwaitThatItWaits();
      restore_.stop.request_stop();
    });
    bool waited = false;
    try {
      LoadAndVerify(*target);
    } catch (const Error& error) {
      waited = error.kind() == ErrorKind::kCancelled;
    }
    stop.join();
    target->Abandon();
    return waited;
  }

  // Runs the body, which returns whether all was well, in a process of its own with the live folder
  // mounted at `path` as a container has it that may only read.
  template <class Body>
  bool WhereItCanOnlyBeRead(const fs::path& path, const Body& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      const unsigned long read_only = MS_REMOUNT | MS_BIND | MS_RDONLY;
      if ((::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ||
          ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
          ::mount(live_.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
          ::mount("none", path.c_str(), nullptr, read_only, nullptr) != 0) {
        ::_exit(77);
      }
      ::_exit(body() ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_NE(WEXITSTATUS(status), 77) << "this test needs mounts of its own: run it as root";
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  TestRun backup_;
  TestRun restore_;
  TemporaryFolder folder_;
  const fs::path live_ = folder_.path() / "live";
  const std::map<std::string, std::string> all_old_ = {{"data/media/m/one", "live"},
                                                       {"data/media/m/two", "live"}};
};

TEST_F(TreeReadersTest, ARestoreWaitsForABackupThatHasBegun) {
  const auto source = Source();
  source->Prepare();
  std::thread restore([&] {
    const auto target = Target();
    LoadAndVerify(*target);
    Swap(*target);
  });
  AwaitThatItWaits();
  EXPECT_EQ(Copied(*source), all_old_);
  restore.join();
  EXPECT_EQ(ReadTestFile(live_ / "one"), "restored");
}

TEST_F(TreeReadersTest, ARestoreThatWaitsCanBeStopped) {
  const auto source = Source();
  source->Prepare();
  EXPECT_TRUE(ARestoreWaits());
  EXPECT_EQ(Copied(*source), all_old_);
}

TEST_F(TreeReadersTest, ABackupThatBeginsInASwapIsRefused) {
  const auto target = Target();
  LoadAndVerify(*target);
  try {
    Source()->Prepare();
    ADD_FAILURE() << "the swap is about to begin";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSource);
    EXPECT_THAT(error.what(), HasSubstr(live_.string()));
    EXPECT_THAT(error.hint(), HasSubstr("wait for the restore to end"));
  }
  Swap(*target);
  Source()->Prepare();
}

TEST_F(TreeReadersTest, AnUndoIsRefusedWhileABackupReads) {
  const SwapIntent intent{"run", "archive", "2026-11-22T20:48:20Z", {"media"}, true};
  {
    const auto target = Target();
    LoadAndVerify(*target);
    target->WriteIntent(intent);
    target->Swap();
    target->CloseSwap(true);
  }
  const auto source = Source();
  source->Prepare();
  try {
    Target()->PrepareUndo(intent, false);
    ADD_FAILURE() << "a backup is reading";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSource);
    EXPECT_THAT(error.what(), HasSubstr("is reading"));
  }
  Copied(*source);
  Target()->UndoSwap("run");
  EXPECT_EQ(ReadTestFile(live_ / "one"), "live");
}

TEST_F(TreeReadersTest, ABackupHoldsRestoresOffThroughAMountThatIsReadOnly) {
  const fs::path mounted = folder_.path() / "mounted";
  fs::create_directory(mounted);
  EXPECT_TRUE(WhereItCanOnlyBeRead(mounted, [&] {
    const auto source = Source(mounted);
    source->Prepare();
    return ARestoreWaits();
  }));
}

TEST_F(TreeReadersTest, AnInterruptedSwapIsLeftToWhoMayWrite) {
  {
    const auto killed = Target();
    LoadAndVerify(*killed);
    killed->WriteIntent({"run", "archive", "2026-11-22T20:48:20Z", {"media"}, false});
  }
  EXPECT_TRUE(WhereItCanOnlyBeRead(live_, [&] {
    try {
      Target()->FindOpenSwap();
      return false;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kSource);
      EXPECT_THAT(error.what(), HasSubstr("archive"));
      EXPECT_THAT(error.cause(), HasSubstr(live_.string()));
      EXPECT_THAT(error.hint(), HasSubstr("openedx-backup restore finishes it"));
      // A report can be made all the same.
      return Target()->PeekOpenSwap().has_value() && !HasFailure();
    }
  }));
  const auto next = Target();
  ASSERT_TRUE(next->FindOpenSwap());
  next->CompleteSwap();
  next->CloseSwap(false);
  EXPECT_EQ(ReadTestFile(live_ / "one"), "restored");
}

// Of another's folders whose names begin like ours nothing is left out, and nothing is lost.
TEST_F(TreeReadersTest, OnlyWorkingFoldersAreLeftOut) {
  WriteTestFile(live_ / ".openedx-backupx" / "file", "the site's");
  WriteTestFile(live_ / ".openedx-backup-notes", "the site's");
  WriteTestFile(live_ / ".openedx-backup" / "new" / "file", "ours");
  WriteTestFile(live_ / ".openedx-backup-beside" / "new", "ours");
  fs::permissions(live_ / ".openedx-backup-beside", fs::perms::owner_all);
  WriteTestFile(live_ / "deep" / ".openedx-backup" / "file", "the site's");
  const auto source = Source();
  source->Prepare();
  auto expected = all_old_;
  expected["data/media/m/.openedx-backupx"] = "";
  expected["data/media/m/.openedx-backupx/file"] = "the site's";
  expected["data/media/m/.openedx-backup-notes"] = "the site's";
  expected["data/media/m/deep"] = "";
  expected["data/media/m/deep/.openedx-backup"] = "";
  expected["data/media/m/deep/.openedx-backup/file"] = "the site's";
  EXPECT_EQ(Copied(*source), expected);

  const auto target = Target();
  LoadAndVerify(*target);
  Swap(*target);
  EXPECT_FALSE(fs::exists(live_ / ".openedx-backupx")) << "the archive lacks it";
  EXPECT_TRUE(fs::exists(live_ / ".openedx-backup-beside")) << "another restore's";
}

}  // namespace
}  // namespace oxbackup::files
