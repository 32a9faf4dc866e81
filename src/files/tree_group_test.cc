// Several trees, several runs: whose records are in which of them.
#include "files/tree_group.h"

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
using testing::HasSubstr;

class TreeGroupTest : public testing::Test {
 protected:
  TreeGroupTest() {
    for (const std::string name : {"a", "b"}) {
      WriteTestFile(live_ / name / "file", "live");
      WriteTestFile(folder_.path() / "source" / name / "file", "restored");
    }
  }

  std::unique_ptr<RestoreTarget> Target(const std::vector<std::string>& names = {"a", "b"}) {
    std::vector<Tree> trees;
    for (const std::string& name : names) trees.push_back({name, live_ / name});
    return MakeTreeTarget("media", "data/media", trees, {}, test_.run);
  }

  void Restore(const std::string& run_id, const std::vector<std::string>& held,
               const std::string& started) {
    std::vector<Member> members;
    for (const std::string& name : held) {
      for (Member& member : MembersOf(folder_.path() / "source" / name, "data/media/" + name)) {
        members.push_back(std::move(member));
      }
    }
    const auto target = Target();
    MemberListReader reader(std::move(members), nullptr);
    target->Load(reader);
    target->WriteIntent({run_id, "archive", started, {"media"}, true});
    target->Swap();
    target->CloseSwap(true);
  }

  // The kind of error that an undo ends with.
  std::optional<ErrorKind> UndoErrorOf(RestoreTarget& target, const std::string& run_id = "") {
    try {
      target.UndoSwap(run_id);
      return std::nullopt;
    } catch (const Error& error) {
      EXPECT_FALSE(error.hint().empty());
      return error.kind();
    }
  }

  std::string Read(const std::string& name) { return ReadTestFile(live_ / name / "file"); }
  void Write(const std::string& name, const std::string& content) {
    WriteTestFile(live_ / name / "file", content);
  }

  TestRun test_;
  TemporaryFolder folder_;
  const fs::path live_ = folder_.path() / "live";
};

TEST_F(TreeGroupTest, AnUndoIsOfOneRunAlone) {
  Restore("first", {"a", "b"}, "2026-11-22T20:48:20Z");
  Write("a", "since");
  Write("b", "since");
  Restore("second", {"a"}, "2026-11-23T20:48:20Z");
  Target()->UndoSwap("third");
  EXPECT_EQ(Read("a"), "restored");
  Target()->UndoSwap("");
  EXPECT_EQ(Read("a"), "since");
  EXPECT_EQ(Read("b"), "since");
}

// Its old data of a are gone with the second restore; those of b alone would make a mixture.
TEST_F(TreeGroupTest, ARunWhoseOldDataAreNotAllKeptCannotBeUndone) {
  Restore("first", {"a", "b"}, "2026-11-22T20:48:20Z");
  Restore("second", {"a"}, "2026-11-23T20:48:20Z");
  Target()->UndoSwap("");
  EXPECT_EQ(UndoErrorOf(*Target()), ErrorKind::kNotFound);
  EXPECT_EQ(UndoErrorOf(*Target(), "first"), ErrorKind::kNotFound);
  EXPECT_EQ(Read("b"), "restored");
}

TEST_F(TreeGroupTest, AnUndoWithoutOneOfTheTreesIsRefused) {
  Restore("first", {"a", "b"}, "2026-11-22T20:48:20Z");
  EXPECT_EQ(UndoErrorOf(*Target({"a"})), ErrorKind::kUsage);
  EXPECT_EQ(UndoErrorOf(*Target({"b"})), ErrorKind::kUsage);
  EXPECT_EQ(Read("a"), "restored");
  EXPECT_EQ(Read("b"), "restored");
}

TEST_F(TreeGroupTest, ACopiedRecordIsNotActedUpon) {
  Restore("first", {"a"}, "2026-11-22T20:48:20Z");
  fs::remove_all(live_ / "b");
  fs::copy(live_ / "a", live_ / "b", fs::copy_options::recursive);
  fs::permissions(live_ / "b" / ".openedx-backup", fs::perms(0700));
  EXPECT_EQ(UndoErrorOf(*Target()), ErrorKind::kUsage) << "the same record twice";
  fs::remove_all(live_ / "a");
  fs::rename(live_ / "b", live_ / "a");
  EXPECT_EQ(UndoErrorOf(*Target({"a"})), ErrorKind::kSource) << "in a copy alone";
  EXPECT_EQ(Read("a"), "restored");
}

}  // namespace
}  // namespace oxbackup::files
