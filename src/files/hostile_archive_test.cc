// Archives made to write outside of the tree: each is refused and nothing lands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "files/tree.h"
#include "files/tree_testing.h"

namespace oxbackup::files {
namespace {

namespace fs = std::filesystem;

Member File(const std::string& path, const std::string& content = "evil") {
  Member member;
  member.info.path = path;
  member.info.size = content.size();
  member.content = content;
  return member;
}

Member Link(MemberType type, const std::string& path, const std::string& target) {
  Member member;
  member.info.path = path;
  member.info.type = type;
  member.info.link_target = target;
  return member;
}

Member Folder(const std::string& path) {
  Member member = Link(MemberType::kDirectory, path, "");
  member.info.mode = 0755;
  return member;
}

// The reader refuses many of these by their path already; here they come straight to the extractor,
// which has to stand by itself.
class HostileArchive : public testing::TestWithParam<bool> {
 protected:
  HostileArchive() {
    WriteTestFile(site_ / "data" / "kept", "live");
    WriteTestFile(site_ / "victim", "untouched");
    WriteTestFile(site_ / "outside" / "victim", "untouched");
  }

  void ExpectRefused(std::vector<Member> members) {
    const TestRun test;
    const Manifest manifest;
    const auto target = MakeTreeTarget("caddy", "data/caddy", {{"", site_ / "data"}}, {}, test.run);
    MemberListReader reader(std::move(members), GetParam() ? nullptr : &manifest);
    try {
      target->Load(reader);
      FAIL() << "the archive was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what() << ": " << error.cause();
    }
    target->Abandon();
    EXPECT_EQ(ReadTestFile(site_ / "data" / "kept"), "live");
    EXPECT_EQ(ReadTestFile(site_ / "victim"), "untouched");
    EXPECT_EQ(ReadTestFile(site_ / "outside" / "victim"), "untouched");
    size_t entries = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      entries += entry.exists() ? 1 : 0;
    }
    EXPECT_EQ(entries, 6u) << "something new lies in the folder";
  }

  TemporaryFolder folder_;
  const fs::path site_ = folder_.path() / "site";
};

TEST_P(HostileArchive, PathsUpwards) {
  ExpectRefused({File("data/caddy/../victim")});
  ExpectRefused({File("data/caddy/a/../../../victim")});
  ExpectRefused({File("data/caddy/..")});
  ExpectRefused({Folder("data/caddy/../../new")});
}

TEST_P(HostileArchive, OddPaths) {
  ExpectRefused({File("data/caddy/./a")});
  ExpectRefused({File("data/caddy//etc/passwd")});
  ExpectRefused({File(std::string("data/caddy/a\0b", 14))});
  ExpectRefused({File("data/caddy/.openedx-backup/record.json")});
}

TEST_P(HostileArchive, AFileThroughALink) {
  ExpectRefused({Link(MemberType::kSymlink, "data/caddy/up", "../../../outside"),
                 File("data/caddy/up/victim")});
  ExpectRefused({Link(MemberType::kSymlink, "data/caddy/up", (site_ / "outside").string()),
                 File("data/caddy/up/victim")});
  ExpectRefused(
      {Link(MemberType::kSymlink, "data/caddy/up", "/"), Folder("data/caddy/up/new folder")});
}

TEST_P(HostileArchive, AFileOverALinkDoesNotGoThroughIt) {
  std::vector<Member> members = {
      Folder("data/caddy"), Link(MemberType::kSymlink, "data/caddy/x", (site_ / "victim").string()),
      File("data/caddy/x")};
  if (!GetParam()) return ExpectRefused(std::move(members));
  // In a foreign archive the later entry counts: the link itself is replaced.
  const TestRun test;
  const auto target = MakeTreeTarget("caddy", "data/caddy", {{"", site_ / "data"}}, {}, test.run);
  MemberListReader reader(std::move(members), nullptr);
  target->Load(reader);
  target->Abandon();
  EXPECT_EQ(ReadTestFile(site_ / "victim"), "untouched");
}

TEST_P(HostileArchive, ALinkOverAFolderThatIsInUse) {
  ExpectRefused({File("data/caddy/a/b"), Link(MemberType::kSymlink, "data/caddy/a", "../outside"),
                 File("data/caddy/a/victim")});
}

TEST_P(HostileArchive, HardLinksOutOfTheTree) {
  ExpectRefused({Link(MemberType::kHardlink, "data/caddy/x", "data/mysql_dump.sql")});
  ExpectRefused({Link(MemberType::kHardlink, "data/caddy/x", "/etc/passwd")});
  ExpectRefused({Link(MemberType::kHardlink, "data/caddy/x", "data/caddy/../victim")});
  ExpectRefused({Link(MemberType::kSymlink, "data/caddy/l", "../../../outside"),
                 Link(MemberType::kHardlink, "data/caddy/x", "data/caddy/l/victim")});
  ExpectRefused({Link(MemberType::kSymlink, "data/caddy/l", (site_ / "victim").string()),
                 Link(MemberType::kHardlink, "data/caddy/x", "data/caddy/l")});
  ExpectRefused({Link(MemberType::kHardlink, "data/caddy/x", "data/caddy/missing")});
}

TEST_P(HostileArchive, HardLinksInACircle) {
  ExpectRefused({File("data/caddy/a"), File("data/caddy/b"),
                 Link(MemberType::kHardlink, "data/caddy/a", "data/caddy/b"),
                 Link(MemberType::kHardlink, "data/caddy/b", "data/caddy/a")});
  ExpectRefused(
      {File("data/caddy/a"), Link(MemberType::kHardlink, "data/caddy/a", "data/caddy/a")});
}

TEST_P(HostileArchive, AHardLinkBehindALink) {
  ExpectRefused({File("data/caddy/f"),
                 Link(MemberType::kSymlink, "data/caddy/l", "../../../outside"),
                 Link(MemberType::kHardlink, "data/caddy/l/new", "data/caddy/f")});
}

TEST_P(HostileArchive, ALinkInPlaceOfTheRoot) {
  ExpectRefused({Link(MemberType::kSymlink, "data/caddy", (site_ / "outside").string()),
                 File("data/caddy/victim")});
}

TEST_P(HostileArchive, AWrongSize) {
  Member member = File("data/caddy/a");
  member.info.size = 5;
  ExpectRefused({member});
}

INSTANTIATE_TEST_SUITE_P(ForeignAndOurs, HostileArchive, testing::Bool());

}  // namespace
}  // namespace oxbackup::files
