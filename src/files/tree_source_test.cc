#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "archive/archive_writer.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "files/file_content.h"
#include "files/tree.h"
#include "files/tree_testing.h"

namespace oxbackup::files {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

class TreeSourceTest : public testing::Test {
 protected:
  // Backs the trees up and returns the archive's bytes; `manifest_` is the component's.
  std::string Backup(const std::string& component, const std::string& prefix,
                     const std::vector<Tree>& trees) {
    StringSink sink;
    const auto source = MakeTreeSource(component, prefix, trees, test_.run);
    ArchiveWriter writer(sink, {}, test_.run);
    source->Prepare();
    source->TakeSnapshot();
    source->Copy(writer);
    Manifest manifest;
    manifest.components.push_back(source->Finish());
    component_ = manifest.components[0];
    writer.Finish(manifest);
    return sink.bytes();
  }

  void Restore(const std::string& archive, const std::string& component, const std::string& prefix,
               const std::vector<Tree>& trees) {
    const auto reader = OpenArchive(std::make_unique<MemoryRangedSource>(archive), test_.run);
    const auto target = MakeTreeTarget(component, prefix, trees, {}, test_.run);
    target->Plan(reader->manifest(), RestoreRoom::kBeside);
    target->Load(*reader);
    target->Verify(reader->manifest()->Find(component));
    target->WriteIntent({"run", "archive", "2026-11-22T20:48:20Z", {component}, false});
    target->Swap();
    target->CloseSwap(false);
  }

  TestRun test_;
  TemporaryFolder folder_;
  ComponentManifest component_;
};

TEST_F(TreeSourceTest, ATreeGoesThroughAnArchiveAndComesBackEqual) {
  const fs::path tree = folder_.path() / "caddy";
  MakeSampleTree(tree, 1);
  WriteTestFile(tree / "two megabytes", std::string(2'000'000, 'm'));
  WriteTestFile(tree / "streamed", std::string(9'000'000, 's'));
  const auto before = Fingerprint(tree);
  const std::string archive = Backup("caddy", "data/caddy", {{"", tree}});
  ASSERT_EQ(component_.objects.size(), 1u);
  EXPECT_EQ(component_.objects[0].items, before.size());
  EXPECT_EQ(component_.objects[0].digest.size(), 32u);
  fs::remove_all(tree);
  Restore(archive, "caddy", "data/caddy", {{"", tree}});
  EXPECT_EQ(Fingerprint(tree), before);
  EXPECT_THAT(test_.warnings.All(), IsEmpty());
}

TEST_F(TreeSourceTest, SeveralTreesComeBackEachInItsPlace) {
  const std::vector<Tree> trees = {{"openedx-media", folder_.path() / "a"},
                                   {"openedx-media-private", folder_.path() / "b"}};
  MakeSampleTree(trees[0].path, 1);
  MakeSampleTree(trees[1].path, 2);
  const auto first = Fingerprint(trees[0].path);
  const auto second = Fingerprint(trees[1].path);
  const std::string archive = Backup("media", "data/media", trees);
  WriteTestFile(trees[0].path / "newer", "goes away again");
  fs::remove_all(trees[1].path);
  Restore(archive, "media", "data/media", trees);
  EXPECT_EQ(Fingerprint(trees[0].path), first);
  EXPECT_EQ(Fingerprint(trees[1].path), second);
}

TEST_F(TreeSourceTest, AnUnchangedTreeMakesTheSameDigestAndSize) {
  MakeSampleTree(folder_.path() / "a", 1);
  const std::string first = Backup("caddy", "data/caddy", {{"", folder_.path() / "a"}});
  const std::string digest = component_.objects[0].digest;
  const std::string second = Backup("caddy", "data/caddy", {{"", folder_.path() / "a"}});
  EXPECT_EQ(component_.objects[0].digest, digest);
  WriteTestFile(folder_.path() / "a" / "a.txt", "changed");
  Backup("caddy", "data/caddy", {{"", folder_.path() / "a"}});
  EXPECT_NE(component_.objects[0].digest, digest);
}

TEST_F(TreeSourceTest, AMissingPathIsAUsageError) {
  const auto source =
      MakeTreeSource("media", "data/media", {{"m", folder_.path() / "no"}}, test_.run);
  try {
    source->Prepare();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  }
}

TEST_F(TreeSourceTest, UnusableTreeNamesAreRefused) {
  for (const std::string name : {"", "..", "a/b"}) {
    const std::vector<Tree> trees = {{name, folder_.path()}, {"other", folder_.path()}};
    EXPECT_THROW(MakeTreeSource("media", "data/media", trees, test_.run)->Prepare(), Error) << name;
  }
}

TEST_F(TreeSourceTest, SpecialFilesAreLeftOutWithAWarningEach) {
  WriteTestFile(folder_.path() / "t" / "file", "x");
  ASSERT_EQ(::mkfifo((folder_.path() / "t" / "pipe").c_str(), 0600), 0);
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (folder_.path() / "t" / "sock").string();
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  Backup("media", "data/media", {{"t", folder_.path() / "t"}});
  EXPECT_EQ(component_.objects[0].items, 2u);
  EXPECT_THAT(test_.warnings.All(),
              testing::UnorderedElementsAre(HasSubstr("pipe is a pipe"), HasSubstr("a socket")));
}

TEST_F(TreeSourceTest, AFileThatCannotBeReadEndsTheBackup) {
  // Root may read everything, so the reading is done by a child without root's rights.
  WriteTestFile(folder_.path() / "t" / "secret", "x");
  fs::permissions(folder_.path() / "t" / "secret", fs::perms(0));
  fs::permissions(folder_.path(), fs::perms(0755));
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(3);
    int result = 1;
    try {
      Backup("media", "data/media", {{"t", folder_.path() / "t"}});
    } catch (const Error& error) {
      result = error.kind() == ErrorKind::kSource && !error.hint().empty() ? 0 : 2;
    }
    ::_exit(result);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(TreeSourceTest, OurOwnWorkingFoldersAreNoPartOfTheTree) {
  WriteTestFile(folder_.path() / "t" / "file", "x");
  WriteTestFile(folder_.path() / "t" / ".openedx-backup" / "new" / "half", "x");
  Backup("media", "data/media", {{"t", folder_.path() / "t"}});
  EXPECT_EQ(component_.objects[0].items, 2u);
}

// A backup of a tree that changes at a known place: `change` is called when the walk comes to the
// folder `at`, which gets a pipe for that (its warning is logged at once).
class ChangingTreeTest : public TreeSourceTest {
 protected:
  class HookLog final : public Log {
   public:
    void Write(LogLevel, std::string_view message) override {
      if (hook && message.find("is a pipe") != std::string_view::npos) hook();
    }
    std::function<void()> hook;
  };

  // Backs up tree_ and restores it to restored_.
  void BackUpAndRestore(const std::string& at, std::function<void()> change) {
    fs::create_directories(tree_ / at);
    ASSERT_EQ(::mkfifo((tree_ / at / "pipe").c_str(), 0600), 0);
    HookLog log;
    log.hook = std::move(change);
    Warnings warnings(log);
    const RunContext run{test_.stop.get_token(), log,          warnings,
                         test_.progress,         test_.budget, test_.clock};
    StringSink sink;
    const auto source = MakeTreeSource("media", "data/media", {{"t", tree_}}, run);
    ArchiveWriter writer(sink, {}, run);
    source->Prepare();
    source->TakeSnapshot();
    source->Copy(writer);
    Manifest manifest;
    manifest.components.push_back(source->Finish());
    writer.Finish(manifest);
    warnings_ = warnings.All();
    Restore(sink.bytes(), "media", "data/media", {{"t", restored_}});
  }

  const fs::path tree_ = folder_.path() / "t";
  const fs::path restored_ = folder_.path() / "restored";
  std::vector<std::string> warnings_;
};

// The link in it needs no second look, so it is in the archive.
TEST_F(ChangingTreeTest, AFolderThatVanishesBeforeItIsCopiedMakesNoBrokenArchive) {
  fs::create_directories(tree_ / "folder");
  fs::create_symlink("anywhere", tree_ / "folder" / "link");
  WriteTestFile(tree_ / "folder" / "file", "x");
  BackUpAndRestore("later", [&] { fs::remove_all(tree_ / "folder"); });
  EXPECT_TRUE(fs::is_symlink(restored_ / "folder" / "link"));
  EXPECT_THAT(warnings_, testing::Contains(HasSubstr("folder vanished")));
}

TEST_F(ChangingTreeTest, WhatVanishesInHundredsDoesNotBuryTheOtherWarnings) {
  fs::create_directories(tree_ / "folder");
  for (int i = 0; i < 200; ++i) {
    WriteTestFile(tree_ / "folder" / fmt::format("file {}", i), std::string(5000, 'x'));
  }
  BackUpAndRestore("later", [&] { fs::remove_all(tree_ / "folder"); });
  EXPECT_THAT(warnings_, testing::SizeIs(testing::Le(25U)));
  EXPECT_THAT(warnings_, testing::Contains(HasSubstr("more files and folders vanished")));
}

TEST_F(ChangingTreeTest, AFolderThatBecomesSomethingElseDoesNotEndTheBackup) {
  const std::vector<std::function<void(const fs::path&)>> others = {
      [](const fs::path& path) { WriteTestFile(path, "a file"); },
      [](const fs::path& path) { fs::create_directory_symlink("/", path); }};
  for (const char* const at : {"earlier", "later"}) {
    for (const auto& make : others) {
      fs::remove_all(tree_);
      fs::create_directories(tree_ / "folder" / "inner");
      fs::create_symlink("anywhere", tree_ / "folder" / "inner" / "link");
      BackUpAndRestore(at, [&] {
        fs::remove_all(tree_ / "folder");
        make(tree_ / "folder");
      });
      EXPECT_TRUE(fs::is_directory(fs::symlink_status(restored_ / "folder"))) << at;
      EXPECT_THAT(warnings_, testing::Contains(HasSubstr("folder vanished"))) << at;
    }
  }
}

TEST_F(ChangingTreeTest, AFileWhoseFirstNameBecomesAnotherFileKeepsItsContent) {
  WriteTestFile(tree_ / "a", "shared");
  for (const char* const name : {"b", "c", "d"}) fs::create_hard_link(tree_ / "a", tree_ / name);
  BackUpAndRestore("later", [&] {
    WriteTestFile(tree_ / "z", "another file");
    fs::rename(tree_ / "z", tree_ / "a");
    WriteTestFile(tree_ / "z", "a third one");
    fs::rename(tree_ / "z", tree_ / "b");
  });
  EXPECT_EQ(ReadTestFile(restored_ / "a"), "another file");
  EXPECT_EQ(ReadTestFile(restored_ / "b"), "a third one");
  EXPECT_EQ(ReadTestFile(restored_ / "c"), "shared");
  EXPECT_TRUE(fs::equivalent(restored_ / "c", restored_ / "d"));
}

// A file as a writer leaves it at each look: opened afresh, so that the test decides when it
// changes.
TEST(FileContent, AFileThatShrinksKeepsItsSizeWithZeros) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "log";
  WriteTestFile(path, std::string(1000, 'x'));
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  SteadyFileSource source(file.get(), path.string(), 1000,
                          [&](uint64_t) { fs::resize_file(path, 300); });
  std::string read(1000, '?');
  EXPECT_EQ(source.Read(read.data(), 200), 200u);
  EXPECT_EQ(ReadAll(source, 1000), std::string(100, 'x') + std::string(700, '\0'));
  EXPECT_EQ(source.filled(), 700u);
}

TEST(FileContent, AFileThatGrowsIsReadToTheSizeItHad) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "log";
  WriteTestFile(path, std::string(1000, 'x'));
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  SteadyFileSource source(file.get(), path.string(), 1000, nullptr);
  WriteTestFile(path, std::string(5000, 'x'));
  EXPECT_EQ(ReadAll(source, 1000).size(), 1000u);
  EXPECT_EQ(source.filled(), 0u);
}

TEST(FileContent, AFileLargerThanItsRoomIsCutAndSaysSo) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "f";
  WriteTestFile(path, std::string(1000, 'x'));
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const FileContent content = ReadWholeFile(file.get(), path.string(), 600);
  EXPECT_EQ(content.bytes.size(), 600u);
  EXPECT_TRUE(content.changed);
  EXPECT_FALSE(ReadWholeFile(file.get(), path.string(), 1000).changed);
}

TEST_F(TreeSourceTest, ABackupOfATreeThatKeepsChangingStillRestores) {
  const fs::path tree = folder_.path() / "t";
  WriteTestFile(tree / "steady", "x");
  std::stop_source stop;
  std::jthread writer([&, token = stop.get_token()] {
    for (int i = 0; !token.stop_requested(); ++i) {
      WriteTestFile(tree / "changing", std::string(static_cast<size_t>(i % 70) * 1000, 'c'));
      WriteTestFile(tree / ("comes and goes " + std::to_string(i % 5)), "x");
      fs::remove(tree / ("comes and goes " + std::to_string((i + 2) % 5)));
    }
  });
  for (int i = 0; i < 5; ++i) {
    const std::string archive = Backup("caddy", "data/caddy", {{"", tree}});
    Restore(archive, "caddy", "data/caddy", {{"", folder_.path() / "restored"}});
    EXPECT_EQ(ReadTestFile(folder_.path() / "restored" / "steady"), "x");
  }
  stop.request_stop();
}

}  // namespace
}  // namespace oxbackup::files
