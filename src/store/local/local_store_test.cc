#include "store/local/local_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/temporary_folder_testing.h"
#include "store/store_conformance_testing.h"

namespace oxbackup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::shared_ptr<Store> MakeTemporaryLocalStore() {
  auto folder = std::make_shared<TemporaryFolder>();
  return std::shared_ptr<Store>(new LocalStore(folder->path()),
                                [folder](const Store* store) { delete store; });
}

INSTANTIATE_TEST_SUITE_P(Local, StoreConformance,
                         testing::Values(StoreFactory(&MakeTemporaryLocalStore)));

class LocalStoreTest : public testing::Test {
 protected:
  std::vector<std::string> FilesInFolder() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  // Starts a process that holds an unfinished object; returns its id when the object is begun.
  pid_t StartWriterProcess() const {
    int ready[2];
    if (::pipe(ready) != 0) std::abort();
    const pid_t child = ::fork();
    if (child == 0) {
      LocalStore store(folder_.path());
      const auto writer = store.Create({"killed.tar.xz"});
      writer->Write(std::string(1'000'000, 'x'));
      if (::write(ready[1], "r", 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    return child;
  }

  static void Kill(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }

  Error CreateError(const std::filesystem::path& path) {
    try {
      (void)LocalStore(path).Create({"a"});
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "an object was begun in " << path;
    return Error(ErrorKind::kInternal, "");
  }

  TemporaryFolder folder_;
  LocalStore store_{folder_.path()};
};

TEST_F(LocalStoreTest, WritesToAHiddenFileThatNamesTheObject) {
  const auto writer = store_.Create({"backup.2026-11-22.tar.xz"});
  ASSERT_EQ(FilesInFolder().size(), 1u);
  EXPECT_THAT(
      FilesInFolder()[0],
      testing::MatchesRegex("\\.backup\\.2026-11-22\\.tar\\.xz\\.[0-9]+-[0-9a-f]+.partial"));
  writer->Finish();
  EXPECT_THAT(FilesInFolder(), ElementsAre("backup.2026-11-22.tar.xz"));
}

TEST_F(LocalStoreTest, ArchivesAreForTheirOwnerAlone) {
  const auto writer = store_.Create({"a"});
  writer->Finish();
  struct stat status {};
  ASSERT_EQ(::stat((folder_.path() / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST_F(LocalStoreTest, AnAbandonedWriterRemovesItsFile) {
  store_.Create({"a"}).reset();
  EXPECT_THAT(FilesInFolder(), IsEmpty());
}

TEST_F(LocalStoreTest, AFailedFinishRemovesItsFile) {
  WriteTestFile(folder_.path() / "a", "old");
  {
    const auto writer = store_.Create({"a"});
    EXPECT_THROW(writer->Finish(), Error);
  }
  EXPECT_THAT(FilesInFolder(), ElementsAre("a"));
  EXPECT_EQ(ReadTestFile(folder_.path() / "a"), "old");
}

TEST_F(LocalStoreTest, AKilledWriterLeavesNoObjectAndTheNextOneCleansUp) {
  Kill(StartWriterProcess());
  EXPECT_THAT(store_.List(), IsEmpty());
  EXPECT_EQ(store_.Open("killed.tar.xz"), nullptr);
  ASSERT_EQ(FilesInFolder().size(), 1u) << "the killed process should have left its hidden file";
  store_.Create({"next"})->Finish();
  EXPECT_THAT(FilesInFolder(), ElementsAre("next"));
}

TEST_F(LocalStoreTest, CleanUpSparesLivingWritersOfOtherProcesses) {
  const pid_t living = StartWriterProcess();
  store_.Create({"next"})->Finish();
  EXPECT_EQ(FilesInFolder().size(), 2u);
  Kill(living);
}

TEST_F(LocalStoreTest, CleanUpSparesLivingWritersOfThisProcess) {
  const auto first = store_.Create({"a"});
  const auto second = store_.Create({"b"});
  first->Write("1");
  first->Finish();
  second->Finish();
  EXPECT_THAT(FilesInFolder(), ElementsAre("a", "b"));
}

TEST_F(LocalStoreTest, CleanUpSparesWhatIsNotOurs) {
  const std::vector<std::string> foreign = {".a.partial",
                                            ".a.1-0123456789abcde.partial",
                                            ".a.1-0123456789abcdeg.partial",
                                            ".x-0123456789abcdef.partial",
                                            "a.1-0123456789abcdef.partial",
                                            ".hidden"};
  for (const std::string& name : foreign) WriteTestFile(folder_.path() / name, "theirs");
  WriteTestFile(folder_.path() / ".a.1-0123456789abcdef.partial", "ours");
  store_.Create({"next"}).reset();
  EXPECT_THAT(FilesInFolder(), testing::UnorderedElementsAreArray(foreign));
}

TEST_F(LocalStoreTest, ShowsOnlyPlainFiles) {
  WriteTestFile(folder_.path() / ".hidden", "");
  WriteTestFile(folder_.path() / "folder" / "inside", "");
  WriteTestFile(folder_.path() / "file", "");
  ASSERT_EQ(::mkfifo((folder_.path() / "fifo").c_str(), 0600), 0);
  std::filesystem::create_symlink("nowhere", folder_.path() / "dangling");
  std::filesystem::create_symlink("file", folder_.path() / "link");
  std::vector<std::string> names;
  for (const ObjectInfo& info : store_.List()) names.push_back(info.name);
  EXPECT_THAT(names, ElementsAre("file", "link"));
  EXPECT_EQ(store_.Open("folder"), nullptr);
  EXPECT_EQ(store_.Open("fifo"), nullptr);
  EXPECT_FALSE(store_.Remove("folder"));
}

TEST_F(LocalStoreTest, AMissingFolderIsSaidAtOnce) {
  const Error error = CreateError(folder_.path() / "missing");
  EXPECT_EQ(error.kind(), ErrorKind::kStore);
  EXPECT_THAT(error.what(), HasSubstr("does not exist"));
  EXPECT_THAT(error.hint(), HasSubstr("mkdir"));
  EXPECT_THROW(LocalStore(folder_.path() / "missing").List(), Error);
  EXPECT_THROW((void)LocalStore(folder_.path() / "missing").Open("a"), Error);
}

TEST_F(LocalStoreTest, AFileInPlaceOfTheFolderIsSaidAtOnce) {
  WriteTestFile(folder_.path() / "file", "");
  EXPECT_THAT(CreateError(folder_.path() / "file").what(), HasSubstr("is not a folder"));
}

TEST_F(LocalStoreTest, AReadOnlyFolderIsSaidAtOnce) {
  // sysfs refuses new files to everybody, root included.
  const std::filesystem::path read_only = "/sys/kernel";
  const Error error = CreateError(read_only);
  EXPECT_EQ(error.kind(), ErrorKind::kStore);
  EXPECT_THAT(error.what(), HasSubstr("cannot write into /sys/kernel"));
  EXPECT_FALSE(error.cause().empty());
}

TEST_F(LocalStoreTest, AFileThatMayGrowNoFurtherIsAnErrorThatLeavesNothing) {
  // The limit is the process's, so the attempt runs in a child.
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int result = 1;
    try {
      const auto writer = LocalStore(folder_.path()).Create({"a"});
      writer->Write(std::string(200'000, 'x'));
    } catch (const Error& error) {
      result = error.kind() == ErrorKind::kStore && !error.hint().empty() ? 0 : 2;
    }
    ::_exit(result);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(FilesInFolder(), IsEmpty());
}

TEST_F(LocalStoreTest, AFullDiskIsAnErrorThatLeavesNothing) {
  // A disk of one megabyte, seen by this child alone.
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(77);
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(77);
    if (::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=1m") != 0) ::_exit(77);
    WriteTestFile(folder_.path() / "earlier", "backup");
    int result = 1;
    try {
      const auto writer = store_.Create({"a"});
      for (int i = 0; i < 4; ++i) writer->Write(std::string(500'000, 'x'));
      writer->Finish();
    } catch (const Error& error) {
      const bool clear = error.kind() == ErrorKind::kStore && !error.cause().empty() &&
                         error.hint().find("free space") != std::string::npos;
      result = clear ? 0 : 2;
    }
    if (FilesInFolder() != std::vector<std::string>{"earlier"}) result = 3;
    ::_exit(result);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_NE(WEXITSTATUS(status), 77) << "this test needs mounts of its own: run it as root";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// Runs it as a user without root's rights; true when it is refused as an object that is there but
// cannot be examined.
template <class Call>
bool CannotExamine(const Call& call) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(3);
    int result = 1;
    try {
      call();
    } catch (const Error& error) {
      const bool clear = error.kind() == ErrorKind::kStore && !error.hint().empty() &&
                         std::string(error.what()).find("cannot examine") != std::string::npos;
      result = clear ? 0 : 2;
    }
    ::_exit(result);
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

TEST_F(LocalStoreTest, AnObjectThatCannotBeExaminedIsNotTakenForAbsent) {
  const std::filesystem::path closed = folder_.path() / "closed";
  WriteTestFile(closed / "archive", "content");
  std::filesystem::create_symlink("closed/archive", folder_.path() / "newest.tar.xz");
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(closed, std::filesystem::perms::none);
  EXPECT_TRUE(CannotExamine([&] { store_.List(); }));
  EXPECT_TRUE(CannotExamine([&] { (void)store_.Stat("newest.tar.xz"); }));
  EXPECT_TRUE(CannotExamine([&] { store_.Remove("newest.tar.xz"); }));
  std::filesystem::permissions(closed, std::filesystem::perms(0700));
}

TEST_F(LocalStoreTest, TakesTheLongestNameThatAFileMayHave) {
  const std::string name(255, 'n');
  const auto writer = store_.Create({name});
  writer->Finish();
  EXPECT_THAT(FilesInFolder(), ElementsAre(name));
}

}  // namespace
}  // namespace oxbackup
